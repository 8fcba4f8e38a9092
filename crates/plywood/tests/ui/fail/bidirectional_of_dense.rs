//! Both directions belong to a recurrent layer.

use plywood::prelude::*;

plywood::model! {
    pub Net: Sequence<Vector<5>> => Logits<10> {
        Bidirectional { Dense(8) },
        Bidirectional(merge: sum),
        Dense(10) { Relu },
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
