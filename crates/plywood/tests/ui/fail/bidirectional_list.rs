//! A list that goes both ways holds a recurrent layer, and nothing that cannot be turned round.

use plywood::prelude::*;

plywood::model! {
    pub Part: Vector<8> => Vector<8> { Dense(8) }
}

plywood::model! {
    pub Net: Sequence<Vector<8>> => Logits<10> {
        Bidirectional { TimeDistributed { Part }, Gru(8) },
        Dense(10),
    }
}

plywood::model! {
    pub Without: Sequence<Vector<8>> => Sequence<Logits<10>> {
        Bidirectional { Dense(8), Relu },
        Dense(10),
    }
}

fn main() {
    let _ = (Net::new(Seed(1)), Without::new(Seed(1)));
}
