//! Vectors have no height.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        Concat(axis: height) { { Dense(4) }, { Dense(6) } },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
