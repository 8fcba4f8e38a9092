//! An activation of one's own implements `Function`.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Logits<10> {
        Dense(8), Activation(Swish(1.5)),
        Dense(10),
    }
}

#[derive(Clone, Copy)]
pub struct Swish(f64);

fn main() {
    let _ = Net::new(Seed(1));
}
