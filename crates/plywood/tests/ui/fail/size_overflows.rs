//! A size past `usize` is a fault, not a wrap.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<4> => Logits<10> {
        Dense(9223372036854775807), Relu,
        Dense(9223372036854775807), Relu,
        Dense(10),
    }
}

plywood::model! {
    pub Flat: Image<4294967296, 4294967296, 1> => Logits<10> { Flatten, Dense(10) }
}

plywood::model! {
    pub Filters: Image<28, 28, 1> => Image<26, 26, 8> {
        Conv2d(9223372036854775807),
    }
}

fn main() {
    let _ = (Net::new(Seed(1)), Flat::new(Seed(1)), Filters::new(Seed(1)));
}
