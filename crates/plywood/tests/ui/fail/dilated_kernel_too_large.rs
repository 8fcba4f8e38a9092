//! Dilation widens the kernel.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<9, 6, 1> => Logits<10> {
        Conv2d(8, kernel: (3, 3), dilation: (1, 3)),
        Conv2d(8, kernel: 3, dilation: 9223372036854775808),
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
