//! A junction needs something to join.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<20> => Logits<10> {
        Add { Dense(20) },
        Concat,
        Residual,
        Residual { { Dense(20) }, { Dense(20) } },
        Add { {}, {} },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
