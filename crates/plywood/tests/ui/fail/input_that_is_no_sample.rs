//! A network takes and yields kinds of samples.

use plywood::prelude::*;

plywood::model! {
    pub Net: u32 => Logits<10> { Dense(10) }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
