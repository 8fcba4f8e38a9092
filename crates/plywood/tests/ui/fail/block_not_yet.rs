//! Blocks are announced and not there yet.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Residual { Conv2d(1, padding: same), Relu },
        Concat { { Conv2d(4) }, { Conv2d(8) } },
        Repeat(3) { Relu },
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
