//! `T` is what a network computes in.

use plywood::prelude::*;

plywood::model! {
    pub Net<const T: usize>: Vector<T> => Logits<10> { Dense(T), Relu, Dense(10) }
}

fn main() {}
