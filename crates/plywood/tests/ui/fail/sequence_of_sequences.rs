//! A step of a sequence is no sequence.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Sequence<Vector<8>>> => Logits<10> { Gru(8), Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
