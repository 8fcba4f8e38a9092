//! Tokens cannot be added up.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Token<50>> => Sequence<Logits<10>> {
        Residual { Embedding(8) },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
