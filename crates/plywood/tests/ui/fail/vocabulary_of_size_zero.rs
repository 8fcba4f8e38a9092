//! There is a token to read, also behind an alias.

use plywood::prelude::*;

type Words = Sequence<Token<0>>;

plywood::model! {
    pub Net: Words => Logits<10> { Embedding(8), Gru(8), Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
