//! Every size is at least one.

use plywood::prelude::*;

plywood::model! {
    pub Net: Image<28, 28, 1> => Logits<10> {
        Conv2d(8, kernel: 0), Conv2d(8, groups: 0), DepthwiseConv2d(0), MaxPool2d(0),
        Flatten, Dense(0), Dense(10),
    }
}

plywood::model! {
    pub Words: Sequence<Token<100>> => Logits<10> { Embedding(0), Gru(0), Dense(10) }
}

fn main() {
    let _ = (Net::new(Seed(1)), Words::new(Seed(1)));
}
