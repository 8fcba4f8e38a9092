//! Whether there is a projection is a literal.

use plywood::prelude::*;

const FLAG: bool = true;

plywood::model! {
    pub Net: Vector<20> => Logits<10> {
        Residual(project: FLAG) { Dense(20) },
        Dense(10),
    }
}

fn main() {
    let _ = Net::new(Seed(1));
    println!("{}", Net::summary());
}
