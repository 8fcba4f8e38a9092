//! Tuples are of numbers: tokens, sequences and other types stand alone.

use plywood::prelude::*;

plywood::model! {
    pub Tokens: (Token<4>, Vector<3>) => Logits<10> { Inputs { { Embedding(4) }, {} }, Dense(10) }
}

plywood::model! {
    pub Sequences: (Sequence<Vector<4>>, Vector<3>) => Logits<10> { Inputs { { Gru(4) }, {} }, Dense(10) }
}

plywood::model! {
    pub Single: (Vector<3>,) => Logits<10> { Dense(10) }
}

plywood::model! {
    pub Steps: Sequence<(Vector<3>, Token<4>)> => Sequence<Logits<10>> { Inputs { {}, { Embedding(4) } }, Dense(10) }
}

fn main() {
    let _ = (Tokens::new(Seed(1)), Sequences::new(Seed(1)));
    let _ = (Single::new(Seed(1)), Steps::new(Seed(1)));
}
