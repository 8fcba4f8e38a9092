//! A layer knows its arguments.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Conv2d(8, kernal: 3, strides: 2),
        Flatten, Dense(10, units_: 3),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
