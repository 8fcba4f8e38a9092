//! A kernel fits its input.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<5, 5, 1> => Logits<10> {
        Conv2d(8, kernel: 3),
        MaxPool2d(4),
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
