//! Tokens are no numbers to compute with.

use plywood::prelude::*;

plywood::model! {
    pub Rectified: Sequence<Token<100>> => Sequence<Logits<10>> {
        Relu, Embedding(8), Dense(10)
    }
}

plywood::model! {
    pub Batch: Sequence<Token<100>> => Sequence<Logits<10>> {
        BatchNorm, Embedding(8), Dense(10)
    }
}

plywood::model! {
    pub Layered: Sequence<Token<100>> => Sequence<Logits<10>> {
        LayerNorm, Embedding(8), Dense(10)
    }
}

plywood::model! {
    pub Dropped: Sequence<Token<100>> => Sequence<Logits<10>> {
        Dropout(0.5), Embedding(8), Dense(10)
    }
}

plywood::model! {
    pub Noisy: Sequence<Token<100>> => Sequence<Logits<10>> {
        Noise(0.1), Embedding(8), Dense(10)
    }
}

plywood::model! {
    pub Flat: Sequence<Token<100>> => Sequence<Logits<10>> { Flatten, Embedding(8), Dense(10) }
}

fn main() {
    let _ = (Rectified::new(Seed(1)), Batch::new(Seed(1)), Layered::new(Seed(1)), Dropped::new(Seed(1)), Noisy::new(Seed(1)), Flat::new(Seed(1)));
}
