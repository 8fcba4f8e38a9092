//! A vector becomes an image of as many numbers.

use plywood::prelude::*;

plywood::model! {
    pub Net: Vector<8> => Image<4, 4, 4> {
        Dense(48), Reshape(4, 4, 4),
    }
}

plywood::model! {
    pub Empty: Vector<8> => Image<4, 4, 4> {
        Dense(48), Reshape(4, 0, 4),
    }
}

fn main() {
    let _ = (Net::new(Seed(1)), Empty::new(Seed(1)));
}
