//! Nothing in the user's scope comes between the expansion and the library.
#![no_implicit_prelude]
#![deny(warnings)]
#![allow(dead_code)]

use ::plywood::prelude::{Image, Logits, Seed};

struct Option;
struct Vec;
struct Conv2d;
struct Plan;
struct Sample;
mod core {}
mod plywood {}
mod std {}

::plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        conv: Conv2d(4, kernel: (3, 5), stride: 2, padding: same), Relu,
        MaxPool2d(2), BatchNorm,
        Residual { Tanh }, Concat { {}, { Repeat(2) { Relu } } },
        Flatten,
        Dense(10),
    }
}

pub(crate) fn main() {
    ::std::assert_eq!(Net::new(Seed(1)).conv().weight().len(), 3 * 5 * 4);
}
