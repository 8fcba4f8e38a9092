//! A name that is like no layer's is a type, and is looked for.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        Attention(8),
        Dense(10),
    }
}

fn main() {}
