//! What only constant evaluation sees is refused all the same.

use plywood::prelude::*;

const WIDTH: usize = 3;
const CLASSES: usize = 10;

plywood::model! {
    pub Net: Image<4, 4, 1> => Logits<10> {
        Conv2d(8, kernel: WIDTH),
        MaxPool2d(WIDTH),
        Flatten, Dense(CLASSES),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
