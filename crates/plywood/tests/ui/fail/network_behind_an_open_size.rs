//! What a network with open sizes makes of a network is checked where the sizes are known.

use plywood::prelude::*;

plywood::model! {
    pub Mlp<const IN: usize, const OUT: usize>: Vector<IN> => Vector<OUT> { Dense(16), Relu, Dense(OUT) }
}

plywood::model! {
    pub Net<const IN: usize, const HIDDEN: usize>: Vector<IN> => Logits<10> {
        Dense(HIDDEN),
        body: Mlp<32, HIDDEN>,
        Dense(10),
    }
}

const _: () = Net::<8, 32>::CHECKED;
const _: () = Net::<8, 31>::CHECKED;

fn main() {}
