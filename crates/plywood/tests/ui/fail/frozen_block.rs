//! What is frozen is a layer or a network.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        frozen Residual { Dense(8), Relu },
        frozen Repeat(2) { Dense(8) },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
}
