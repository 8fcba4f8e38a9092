//! A softmax is over the numbers of a vector.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Probabilities<10> { Softmax }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
