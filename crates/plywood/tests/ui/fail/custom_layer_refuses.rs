//! A layer of one's own says in its own words what it cannot take.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        Dense(8), Double(),
        Dense(10),
    }
}

pub struct Double;

impl Double {
    pub const fn new() -> Self {
        Self
    }

    pub const fn plan(&self, input: plywood::Shape) -> plywood::Plan {
        plywood::Plan::refuse(input, "Double", "only images can be doubled")
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
