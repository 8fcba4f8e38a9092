//! Lists that are added end in one shape.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<20> => Logits<10> {
        Add { { Dense(10), Relu }, { Dense(10) }, { Dense(12) } },
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
