//! A network of open sizes is checked where they are given.

use plywood::prelude::*;

plywood::model! {
    pub Net<const SIDE: usize>: Image<SIDE, SIDE, 1> => Logits<10> {
        Conv2d(8, kernel: 5), Relu,
        Flatten, Dense(10),
    }
}

const _: () = Net::<28>::CHECKED;
const _: () = Net::<4>::CHECKED;

fn main() {}
