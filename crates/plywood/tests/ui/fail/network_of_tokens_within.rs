//! Tokens reach a network only where they reach the whole.

use plywood::prelude::*;

plywood::model! {
    pub Reader: Sequence<Token<100>> => Vector<8> { Embedding(8), Gru(8) }
}

plywood::model! {
    pub Net: Sequence<Vector<8>> => Logits<10> {
        Dense(8),
        Reader,
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
}
