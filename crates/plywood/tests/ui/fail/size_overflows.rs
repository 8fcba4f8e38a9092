//! A size past `usize` is a fault, not a wrap.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<4> => Logits<10> {
        Dense(9223372036854775807), Relu,
        Dense(9223372036854775807), Relu,
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
