//! The program of the README's first page compiles as printed, and its constants are what the chapter's networks have.
#![allow(dead_code)]

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
    pub LanguageTagger: Sequence<Token<10_000>> => Sequence<Logits<10>> {
        Embedding(64),
        Gru(64, dropout: 0.1, returns: sequence),
        Dense(64), Relu,
        Dense(10),
    }
}

fn main() -> plywood::Result<()> {
    let data = FashionMnist::load()?; // Dataset<Image<28,28,1>, Class<10>>
    let mut model = FashionCnn::new(Seed(42));
    println!("{}", FashionCnn::summary());
    let history = Fit::new(Adam::default(), CrossEntropy) // a loss of the wrong kind does not compile
        .on(&mut model, &data.train) // nor does a data set of the wrong shape
        .epochs(5)
        .batch_size(32)
        .metric(Accuracy)
        .validate(&data.test)
        .run()?;
    println!("{:?}", history.last());
    model.save("fashion.safetensors")?;
    Ok(())
}

#[test]
fn the_constants_are_the_chapters() {
    assert_eq!(FashionCnn::PARAMETERS, 93_322);
    assert_eq!(FashionCnn::FLOPS, 5_588_480);
    assert_eq!(FashionCnn::TRAINING_FLOPS, 16_376_064);
    assert_eq!(FashionCnn::LAYERS.len(), 12);
    // 640,000 in the table, 24,960 in the GRU, 4,160 and 650 in the dense layers.
    assert_eq!(LanguageTagger::PARAMETERS, 669_770);
}
