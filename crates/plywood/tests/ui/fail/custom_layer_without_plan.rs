//! A layer of one's own has a shape rule.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        Double(),
        Dense(10),
    }
}

pub struct Double;

impl Double {
    pub const fn new() -> Self {
        Self
    }
}

impl<T: plywood::Float> plywood::Layer<T> for Double {
    fn forward(&self, _: &plywood::Pass<'_, T>, _: &[T], _: &mut [T], _: plywood::Memory<'_, T>) {}
    fn backward(&self, _: &plywood::Pass<'_, T>, _: plywood::Flow<'_, T>, _: plywood::Memory<'_, T>) {}
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
