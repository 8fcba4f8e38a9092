//! A network holds others, not itself.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Vector<8> {
        Dense(8),
        Net,
    }
}

fn main() {
    let _ = Net::new(Seed(1));
}
