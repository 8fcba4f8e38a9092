//! Classes counted by a constant are compared with the declared ones.

use plywood::prelude::*;

const CLASSES: usize = 12;

plywood::model! {
    pub Net: Vector<5> => Logits<10> {
        Dense(CLASSES),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
