//! An alias hides nothing from the rules.

use plywood::prelude::*;

type Picture = Image<28, 28, 1>;

plywood::model! {
    pub Net: Picture => Logits<10> {
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
