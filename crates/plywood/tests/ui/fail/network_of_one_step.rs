//! A network that takes no sequence is applied step by step only where the list says so.

use plywood::prelude::*;

plywood::model! {
    pub Encoder: Image<8, 8, 1> => Vector<8> { Flatten, Dense(8) }
}

plywood::model! {
    pub Net: Sequence<Image<8, 8, 1>> => Logits<10> {
        Encoder,
        Gru(8),
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
}
