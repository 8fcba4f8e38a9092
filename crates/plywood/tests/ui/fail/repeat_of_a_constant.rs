//! How often a list is repeated is a literal.

use plywood::prelude::*;

const TIMES: usize = 3;

plywood::model! {
    pub Net: Vector<20> => Logits<10> {
        Repeat(TIMES) { Dense(20), Relu },
        Repeat(0) { Dense(20) },
        Repeat { Dense(20) },
        Repeat(2),
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
