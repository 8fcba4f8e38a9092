//! Recurrent layers read sequences of vectors.

use plywood::prelude::*;

plywood::model! {
    pub Words: Sequence<Token<100>> => Logits<10> { Gru(8), Dense(10) }
}

plywood::model! {
    pub Film: Sequence<Image<28, 28, 1>> => Logits<10> { Gru(8), Dense(10) }
}

plywood::model! {
    pub Picture: Image<28, 28, 1> => Logits<10> { Gru(8), Dense(10) }
}

plywood::model! {
    pub Word: Token<100> => Logits<10> { Gru(8), Dense(10) }
}

fn main() {
    let _ = (Words::new(Seed(1)), Film::new(Seed(1)), Picture::new(Seed(1)), Word::new(Seed(1)));
}
