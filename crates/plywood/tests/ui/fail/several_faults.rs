//! All faults are reported at once.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Conv2d(8, kernel: 30), Relu,
        MaxPool(2),
        Dense(64, unit: 3), Relu,
        last: Dense(10), Gru(8), last: Gru(12),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
