//! `Activation` takes a function of one's own; built-in activations stand by themselves.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        Dense(8), Activation("relu"),
        Dense(8), Activation(Gelu),
        Dense(8), Activation,
        Dense(8), Activation(swish),
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
}
