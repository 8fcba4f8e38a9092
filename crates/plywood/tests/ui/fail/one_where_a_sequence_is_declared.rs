//! One row of logits is no sequence of them.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Token<100>> => Sequence<Logits<10>> {
        Embedding(8),
        Gru(8),
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
