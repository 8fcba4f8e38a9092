//! What is fed step by step is read in the order of time.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Vector<3>> => Logits<2> { both: Bidirectional { Gru(4) }, Dense(2) }
}

const _: () = Stream::<Net>::CHECKED;

fn main() {}
