//! A network starts with its name.

use plywood::prelude::*;

plywood::model! {
    pub struct Net: Vector<4> => Logits<10> { Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
