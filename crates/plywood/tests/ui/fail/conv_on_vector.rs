//! A convolution reads an image.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<784> => Logits<10> {
        Conv2d(8), Relu,
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
