//! Several outputs come of `Outputs`, at the end of the list and nowhere else, a list for each.

use plywood::prelude::*;

plywood::model! {
    pub Single: Vector<8> => (Logits<10>, Real<2>) {
        Dense(12),
    }
}

plywood::model! {
    pub TooFew: Vector<8> => (Logits<10>, Real<2>, Vector<4>) {
        Outputs { { Dense(10) }, { Dense(2) } },
    }
}

plywood::model! {
    pub Within: Vector<8> => Logits<10> {
        Outputs { { Dense(10) }, { Dense(2) } },
        Dense(10),
    }
}

plywood::model! {
    pub Wrong: Vector<8> => (Logits<10>, Real<2>) {
        Outputs { { Dense(10), Softmax }, { Dense(3) } },
    }
}

const WIDE: usize = 3;

plywood::model! {
    pub Behind: Vector<8> => (Logits<10>, Real<2>) {
        Outputs { { Dense(10) }, { Dense(WIDE) } },
    }
}

fn main() {
    let _ = (Single::new(Seed(1)), TooFew::new(Seed(1)), Within::new(Seed(1)));
    let _ = (Wrong::new(Seed(1)), Behind::new(Seed(1)));
}
