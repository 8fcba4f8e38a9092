//! A word is one of few.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Vector<5>> => Logits<10> {
        Gru(8, returns: all),
        Dense(10, init: xavier),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
