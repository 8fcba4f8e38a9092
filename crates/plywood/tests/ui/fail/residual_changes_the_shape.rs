//! What a residual list yields is added to what reaches it.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Conv2d(8), Relu,
        Residual { Conv2d(8), Relu, Conv2d(16, padding: same) },
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
