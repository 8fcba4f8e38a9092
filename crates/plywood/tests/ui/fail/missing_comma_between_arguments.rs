//! Arguments are separated by commas.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<4> => Logits<10> { Dense(10 bias: false) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
