//! An embedding reads tokens.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> { Embedding(8), Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
