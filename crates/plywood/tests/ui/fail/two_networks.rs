//! One macro call declares one network.

use plywood::prelude::*;

plywood::model! {
    pub One: Vector<4> => Logits<10> { Dense(10) }
    pub Two: Vector<4> => Logits<10> { Dense(10) }
}

fn main() {}
