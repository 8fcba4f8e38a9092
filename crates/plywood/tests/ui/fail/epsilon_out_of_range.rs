//! A variance needs a positive epsilon.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        LayerNorm(epsilon: 0),
        BatchNorm(momentum: 2.0),
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
