//! Tokens are looked up before they are computed with.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Token<100>> => Sequence<Logits<10>> {
        Dense(8), Relu,
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
