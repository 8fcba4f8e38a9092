//! Every built-in layer, with every argument.
#![deny(warnings)]

use plywood::prelude::{Image, Logits, Probabilities, Seed, Sequence, Token, Vector};

plywood::model! {
    Images: Image<32, 32, 4> => Probabilities<5> {
        Conv2d(8, kernel: 3, stride: 1, dilation: (1, 1), padding: valid, groups: 2, bias: false, init: he),
        BatchNorm(momentum: 0.9, epsilon: 1e-5), LeakyRelu(0.1),
        DepthwiseConv2d, Tanh,
        DepthwiseConv2d(2, kernel: 3, padding: (top: 0, bottom: 1, left: 0, right: 1)), LeakyRelu,
        ConvTranspose2d(6, kernel: (2, 2), stride: 2), Sigmoid,
        AvgPool2d((2, 2), stride: (2, 2), padding: 1), LayerNorm(epsilon: 1e-5), Silu,
        MaxPool2d(window: 3, padding: (1, 0)), Gelu, Dropout(0.25), Noise(0.1),
        GlobalAvgPool2d,
        Dense(units: 5, bias: true, init: glorot),
        Softmax,
    }
}

plywood::model! {
    Texts: Sequence<Token<50>> => Logits<3> {
        Embedding(8),
        SimpleRnn(8, returns: sequence, dropout: 0.1),
        Lstm(8, returns: sequence, dropout: 0.1),
        Bidirectional(merge: concat) { Gru(4, returns: sequence, reset_after: false) },
        Bidirectional { Lstm(4) },
        Dense(3)
    }
}

plywood::model! { Flat: Vector<12> => Vector<12> { Reshape(2, width: 3, channels: 2), Flatten } }

pub(crate) fn main() {
    assert_eq!(Images::new(Seed(1)).dense_17().bias().len(), 5);
    assert_eq!(Texts::new(Seed(1)).embedding_0().weight().len(), 400);
    assert_eq!(Flat::PARAMETERS, 0);
    let _ = (Flat::new(Seed(1)), Images::summary(), Texts::FLOPS);
}
