//! A fault in a repeated list is reported once; one that only a later turn meets is reported too.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<9, 9, 1> => Logits<10> {
        Repeat(3) { MaxPool2d(3) },
        Repeat(3) { Conv2d(4, kernal: 3), same: Relu },
        Repeat(2),
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
