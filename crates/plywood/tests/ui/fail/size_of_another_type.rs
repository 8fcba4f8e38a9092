//! Sizes are of type `usize`.

use plywood::prelude::*;

plywood::model! {
    pub Net<const BIAS: bool>: Vector<8> => Logits<10> { Dense(10, bias: BIAS) }
}

fn main() {
    let _ = Net::<true>::new(Seed(1));
}
