//! What a layer of one's own makes may be too little for the next.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<8, 8, 4> => Logits<10> { Mine(), GlobalAvgPool2d, Dense(10) }
}

pub struct Mine;

impl Mine {
    pub const fn new() -> Self {
        Self
    }

    pub const fn plan(&self, input: plywood::Shape) -> plywood::Plan {
        plywood::Plan::yields(input, plywood::Shape::image(0, 8, 4))
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
