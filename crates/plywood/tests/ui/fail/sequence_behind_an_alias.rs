//! A step of a sequence is no sequence, also behind an alias.

use plywood::prelude::*;

type Words = Sequence<Token<10>>;

plywood::model! {
    pub Net: Sequence<Words> => Logits<10> { Embedding(8), Gru(8), Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
