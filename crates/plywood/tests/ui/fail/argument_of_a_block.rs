//! Blocks have arguments of their own.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<20> => Logits<10> {
        Concat(axes: features) { { Dense(4) }, { Dense(6) } },
        Concat(axis: depth) { { Dense(4) }, { Dense(6) } },
        Residual(3) { Relu },
        Add(3) { { Relu }, { Tanh } },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
