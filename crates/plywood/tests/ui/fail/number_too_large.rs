//! A number that is no `usize` is no size.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<4> => Logits<10> {
        Dense(99999999999999999999),
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
