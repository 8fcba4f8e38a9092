//! A slope is between 0 and 1.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> { Dense(8), LeakyRelu(2), Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
