//! A recurrent layer reads a sequence.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Token<100>> => Logits<10> {
        Embedding(8),
        Gru(16),
        Gru(8),
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
