//! A sequence of logits is not one row of logits.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Token<100>> => Logits<10> {
        Embedding(8),
        Gru(8, returns: sequence),
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
