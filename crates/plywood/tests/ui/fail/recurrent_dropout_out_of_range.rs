//! Not every input of a recurrent layer is dropped.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Vector<8>> => Logits<10> { Gru(8, dropout: 1), Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
