//! Sizes may be constants, and parameters of the network.
#![deny(warnings)]

use plywood::prelude::*;

const HIDDEN: usize = 12;
mod sizes {
    pub(crate) const CLASSES: usize = 3;
}
type Features<const N: usize> = Vector<N>;

plywood::model! {
    pub(crate) Mlp<const N: usize, const H: usize>: Features<N> => Logits<3> {
        first: Dense(H), Relu,
        Dense(2 * HIDDEN), Relu,
        Dropout(if H > 8 { 0.5 } else { 0.1 }),
        Dense(sizes::CLASSES),
    }
}

const _: () = Mlp::<7, 5>::CHECKED;
const _: () = assert!(Mlp::<7, 5>::PARAMETERS == 40 + 144 + 75);

pub(crate) fn main() {
    assert_eq!(Mlp::<4, 2>::new(Seed(1)).first().weight().len(), 8);
    let double = <Mlp<4, 2, f64> as Network>::seeded(Seed(1));
    assert_eq!(double.first().bias(), [0.0; 2]);
}
