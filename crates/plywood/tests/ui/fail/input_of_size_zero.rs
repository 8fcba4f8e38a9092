//! There is something to compute with.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 0, 1> => Logits<10> {
        Flatten,
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
