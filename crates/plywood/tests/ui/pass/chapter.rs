//! The chapter's two networks, as the README prints them, and their known sizes.
#![deny(warnings, missing_docs)]

use plywood::prelude::*;

plywood::model! {
    /// 28×28 grey images in, ten classes out.
    pub FashionCnn: Image<28, 28, 1> => Logits<10> {
        conv1: Conv2d(32, kernel: 3), Relu,
        MaxPool2d(2),
        conv2: Conv2d(64, kernel: 3), Relu,
        MaxPool2d(2),
        conv3: Conv2d(64, kernel: 3), Relu,
        Flatten,
        Dense(64), Relu,
        Dense(10),
    }
}

plywood::model! {
    /// A language for every step of a text.
    pub LanguageTagger: Sequence<Token<10_000>> => Sequence<Logits<10>> {
        Embedding(64),
        Gru(64, dropout: 0.1, returns: sequence),
        Dense(64), Relu,
        Dense(10),
    }
}

const _: () = assert!(FashionCnn::PARAMETERS == 93_322);
const _: () = assert!(FashionCnn::FLOPS == 5_588_480);
const _: () = assert!(FashionCnn::TRAINING_FLOPS == 16_376_064);
const _: () = assert!(FashionCnn::LAYERS.len() == 12);

pub(crate) fn main() {
    let model = FashionCnn::new(Seed(42));
    assert_eq!(model.conv1().weight().len(), 288);
    assert_eq!(model.dense_9().info.name, "dense_9");
    assert_eq!(model.cast::<f64>().conv2().bias().len(), 64);
    assert_eq!(LanguageTagger::new(Seed(42)).gru_1().bias().len(), 384);
    assert!(FashionCnn::summary().to_string().contains("93,322"));
}
