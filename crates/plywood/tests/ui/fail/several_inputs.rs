//! Several inputs are taken apart by `Inputs`, at the beginning of the list and nowhere else, a list for each.

use plywood::prelude::*;

plywood::model! {
    pub Together: (Image<8, 8, 1>, Vector<4>) => Logits<10> {
        Dense(10),
    }
}

plywood::model! {
    pub TooMany: (Image<8, 8, 1>, Vector<4>) => Logits<10> {
        Inputs { { Flatten }, {}, { Dense(4) } },
        Dense(10),
    }
}

plywood::model! {
    pub Single: Image<8, 8, 1> => Logits<10> {
        Inputs { { Flatten }, { Flatten } },
        Residual { Inputs { { Relu }, { Tanh } } },
        Dense(10),
    }
}

plywood::model! {
    pub Wrong: (Image<8, 8, 1>, Vector<4>) => Logits<10> {
        Inputs { { Dense(8) }, { Conv2d(8) } },
        Dense(10),
    }
}

plywood::model! {
    pub Apart: (Image<8, 8, 1>, Vector<4>) => Logits<10> {
        Inputs { {}, { Dense(4) } },
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = (Together::new(Seed(1)), TooMany::new(Seed(1)));
    let _ = (Single::new(Seed(1)), Wrong::new(Seed(1)), Apart::new(Seed(1)));
}
