//! A name that is like no layer's and has no parentheses is a network, and is looked for.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        Backbone,
        Dense(10),
    }
}

fn main() {}
