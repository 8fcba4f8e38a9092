//! Blocks have near names, too.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<20> => Logits<10> {
        Residul { Dense(20) },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
