//! Lists side by side agree in all axes but one.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Concat { { Conv2d(8) }, { Conv2d(8, kernel: 5) } },
        Flatten, Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
