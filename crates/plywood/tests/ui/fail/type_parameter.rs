//! Only sizes are left open.

use plywood::prelude::*;

plywood::model! {
    pub Net<L>: Vector<4> => Logits<10> {
        Dense(10),
    }
}

fn main() {}
