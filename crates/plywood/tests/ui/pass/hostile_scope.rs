//! Nothing in the user's scope comes between the expansion and the library.
#![no_implicit_prelude]
#![deny(warnings)]
#![allow(dead_code)]

use ::plywood::prelude::{Image, Logits, Real, Seed, Vector};

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

#[derive(Clone, Copy)]
struct Ramp;

impl ::plywood::Function for Ramp {
    fn value<T: ::plywood::Float>(self, x: T) -> T {
        x.max(T::ZERO)
    }
    fn slope<T: ::plywood::Float>(self, x: T) -> T {
        x
    }
}

::plywood::model! {
    pub Whole: (Image<28, 28, 1>, Vector<3>) => (Logits<10>, Real<2>) {
        Inputs { { frozen Net }, {} },
        TimedOut<13>, Activation(Ramp), Reshape(13, 1, 1), Conv2d(2, kernel: 1), Activation(Ramp),
        Flatten,
        Outputs { { last: Dense(10) }, { Dense(2) } },
    }
}

::plywood::model! {
    TimedOut<const N: usize>: Vector<N> => Vector<N> { BatchNorm, Residual { Dense(N) } }
}

pub(crate) fn main() {
    ::std::assert_eq!(Whole::new(Seed(1)).last().weight().len(), 26 * 10);
    ::std::assert_eq!(Net::new(Seed(1)).conv().weight().len(), 3 * 5 * 4);
}
