//! An argument has a type.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Conv2d("8", kernel: 3.0, bias: 1),
        Conv2d(-8, kernel: (3, 3, 3), stride: [2, 2]),
        Flatten, Dropout("half"), Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
