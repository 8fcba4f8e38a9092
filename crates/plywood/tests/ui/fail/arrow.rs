//! The output stands behind `=>`.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<4> -> Logits<10> {
        Dense(10),
    }
}

fn main() {}
