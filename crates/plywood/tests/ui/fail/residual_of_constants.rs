//! A size that the macro cannot read is checked by constant evaluation.

use plywood::prelude::*;

const HIDDEN: usize = 16;

plywood::model! {
    pub Net: Vector<20> => Logits<10> {
        Residual { Dense(HIDDEN), Relu },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
