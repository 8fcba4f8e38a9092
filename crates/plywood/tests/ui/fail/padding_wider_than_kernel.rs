//! No output sees padding alone.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Conv2d(8, kernel: 3, padding: 3),
        Flatten, Dense(10),
    }
}

plywood::model! {
    pub Wide: Image<28, 28, 1> => Logits<10> {
        Conv2d(8, kernel: 3, padding: (0, 4)),
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = (Net::new(Seed(1)), Wide::new(Seed(1)));
}
