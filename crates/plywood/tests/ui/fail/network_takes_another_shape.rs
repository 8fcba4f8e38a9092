//! A network within another takes what it declares.

use plywood::prelude::*;

plywood::model! {
    pub Encoder: Vector<64> => Vector<8> { Dense(8) }
}

plywood::model! {
    pub Net: Image<8, 8, 2> => Logits<10> {
        Flatten,
        encoder: Encoder,
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
}
