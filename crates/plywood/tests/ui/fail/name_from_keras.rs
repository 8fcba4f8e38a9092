//! Other frameworks' names point to ours.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Conv2d(8), BatchNormalization, Relu,
        MaxPooling2D(2),
        Flatten,
        Linear(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
