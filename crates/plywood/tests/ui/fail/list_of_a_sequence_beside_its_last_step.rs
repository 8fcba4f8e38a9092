//! One list returns every step, the other the last one.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Vector<8>> => Logits<10> {
        Add { { Gru(4) }, { Lstm(4, returns: sequence) } },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
