//! A named argument has a value.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Conv2d(8, kernel:, stride: 2),
        Conv2d(8, bias: *),
        Conv2d(3 +),
        Flatten, Dense(units: ),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
