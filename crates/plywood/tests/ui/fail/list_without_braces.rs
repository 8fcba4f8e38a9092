//! Every list of a block has braces of its own.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<4> => Logits<10> { Add { { Dense(10) }, Dense(10) } }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
