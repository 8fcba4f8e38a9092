//! A name belongs to one layer.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Flatten,
        hidden: Dense(64), Relu,
        hidden: Dense(64), Relu,
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
