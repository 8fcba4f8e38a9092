//! The same between vectors, and nothing is reported again behind it.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<20> => Logits<10> {
        Residual { Dense(16), Relu },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
