//! A named argument of a layer of one's own is a method.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> { Mine(depth: 3), Dense(10) }
}

pub struct Mine;

impl Mine {
    pub const fn new() -> Self {
        Self
    }

    pub const fn plan(&self, input: plywood::Shape) -> plywood::Plan {
        plywood::Plan::yields(input, input)
    }
}

impl<T: plywood::Float> plywood::Layer<T> for Mine {
    fn forward(&self, _: &plywood::Pass<'_, T>, _: &[T], _: &mut [T], _: plywood::Memory<'_, T>) {}
    fn backward(&self, _: &plywood::Pass<'_, T>, _: plywood::Flow<'_, T>, _: plywood::Memory<'_, T>) {}
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
