//! No convolution of 1×1 makes the one shape of the other; and sizes that cannot be read have none made for them.

use plywood::prelude::*;

const WIDE: usize = 12;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Residual(project: true) { Conv2d(4, kernel: 16) },
        Flatten, Dense(10),
    }
}

plywood::model! {
    pub Other: Vector<20> => Logits<10> {
        Residual(project: true) { Dense(WIDE) },
        Dense(10),
    }
}

fn main() {
    let _ = (Net::new(Seed(1)), Other::new(Seed(1)));
}
