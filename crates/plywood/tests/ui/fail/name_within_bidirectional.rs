//! The layer in the braces of `Bidirectional` has no name of its own.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Vector<5>> => Logits<10> {
        Bidirectional { inner: Gru(8) },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
