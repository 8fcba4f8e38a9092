//! A list holds layers.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<4> => Logits<10> {
        Dense(8), + 3, Relu,
        64,
        Dense(10),
        last:
    }
}

plywood::model! {
    pub Path: Vector<4> => Logits<10> { self::, Dense(10) }
}

plywood::model! {
    pub Before: Vector<4> => Logits<10> { hidden: , Dense(10) }
}

fn main() {
    let _ = (Net::new(Seed(1)), Path::new(Seed(1)), Before::new(Seed(1)));
}
