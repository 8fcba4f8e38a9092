//! A size is a `usize`.

use plywood::prelude::*;

const WIDE: i32 = 64;

plywood::model! {
    pub Net: Vector<8> => Logits<10> { Dense(WIDE), Relu, Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
