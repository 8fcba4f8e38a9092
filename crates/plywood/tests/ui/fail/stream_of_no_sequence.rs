//! What is fed step by step takes sequences.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<3> => Logits<2> { Dense(2) }
}

const _: () = Stream::<Net>::CHECKED;

fn main() {}
