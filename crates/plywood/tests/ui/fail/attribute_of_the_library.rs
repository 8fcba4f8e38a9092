//! The attribute `plywood` says where the library is, and nothing else.

use plywood::prelude::*;

plywood::model! {
    #[plywood(path = plywood)]
    pub Net: Vector<4> => Logits<10> { Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
