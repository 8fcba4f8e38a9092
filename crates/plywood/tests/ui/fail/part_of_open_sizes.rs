//! A part that leaves sizes open is checked where they are given, within the whole.

use plywood::prelude::*;

plywood::model! {
    pub Part<const KERNEL: usize>: Image<8, 8, 1> => Vector<4> { Conv2d(4, kernel: KERNEL), Flatten, Dense(4) }
}

plywood::model! {
    pub Whole: Image<8, 8, 1> => Logits<10> { Part<20>, Dense(10) }
}

plywood::model! {
    pub Open<const KERNEL: usize>: Image<8, 8, 1> => Logits<10> { Part<KERNEL>, Dense(10) }
}

const _: () = Open::<8>::CHECKED;
const _: () = Open::<9>::CHECKED;

fn main() {}
