//! What the list yields is what the network declares.

use plywood::prelude::*;

plywood::model! {
    pub Pictures: Image<28, 28, 1> => Image<28, 28, 8> { Conv2d(8) }
}

plywood::model! {
    pub Shares: Vector<8> => Probabilities<10> { Dense(12), Softmax }
}

plywood::model! {
    pub Drawn: Vector<8> => Image<28, 28, 1> { Dense(784) }
}

plywood::model! {
    pub Classes: Vector<8> => Class<10> { Dense(10) }
}

plywood::model! {
    pub Words: Vector<8> => Token<10> { Dense(10) }
}

fn main() {
    let _ = (Pictures::new(Seed(1)), Shares::new(Seed(1)), Drawn::new(Seed(1)), Classes::new(Seed(1)), Words::new(Seed(1)));
}
