//! Probabilities come out of `Softmax` or `Sigmoid`.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<20> => Probabilities<10> {
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
