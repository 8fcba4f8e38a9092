//! What is applied step by step stands where a sequence is, holds a list, and sees no sequence.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<8, 8, 1> => Logits<10> {
        TimeDistributed { Flatten },
        Dense(10),
    }
}

plywood::model! {
    pub Empty: Sequence<Vector<8>> => Sequence<Logits<10>> {
        TimeDistributed {},
        Dense(10),
    }
}

plywood::model! {
    pub Within: Sequence<Vector<8>> => Sequence<Logits<10>> {
        TimeDistributed { Dense(8), TimeDistributed { Relu } },
        TimeDistributed { Gru(8) },
        Dense(10),
    }
}

fn main() {
    let _ = (Net::new(Seed(1)), Empty::new(Seed(1)), Within::new(Seed(1)));
}
