//! A small residual network (He et al., 2015) learns to tell ten kinds of clothing apart better than the chapter's.
//!
//! ```text
//! cargo run --release --example resnet_fashion
//! ```

use clap::Parser;
use plywood::prelude::*;
use std::path::PathBuf;

plywood::model! {
    /// Three stages of two blocks each; the first block of a stage halves the image and has a convolution on the way around.
    pub FashionResNet: Image<28, 28, 1> => Logits<10> {
        Conv2d(16, padding: same, bias: false), BatchNorm, Relu,
        Repeat(2) {
            Residual {
                Conv2d(16, padding: same, bias: false), BatchNorm, Relu,
                Conv2d(16, padding: same, bias: false), BatchNorm,
            },
            Relu,
        },
        Add {
            {
                Conv2d(32, stride: 2, padding: same, bias: false), BatchNorm, Relu,
                Conv2d(32, padding: same, bias: false), BatchNorm,
            },
            { Conv2d(32, kernel: 1, stride: 2, bias: false), BatchNorm },
        },
        Relu,
        Residual {
            Conv2d(32, padding: same, bias: false), BatchNorm, Relu,
            Conv2d(32, padding: same, bias: false), BatchNorm,
        },
        Relu,
        Add {
            {
                Conv2d(64, stride: 2, padding: same, bias: false), BatchNorm, Relu,
                Conv2d(64, padding: same, bias: false), BatchNorm,
            },
            { Conv2d(64, kernel: 1, stride: 2, bias: false), BatchNorm },
        },
        Relu,
        Residual {
            Conv2d(64, padding: same, bias: false), BatchNorm, Relu,
            Conv2d(64, padding: same, bias: false), BatchNorm,
        },
        Relu,
        GlobalAvgPool2d,
        Dense(10),
    }
}

/// Trains a small residual network on Fashion-MNIST.
#[derive(Parser)]
struct Options {
    /// How often to go through the 60,000 training images.
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// Where initial weights and shuffling start; the same seed gives the same network.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// A folder with the four IDX files [default: found on this machine or fetched].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the trained weights go.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "resnet_fashion.safetensors"
    )]
    out: PathBuf,
}

fn main() -> plywood::Result<()> {
    let options = Options::parse();
    if let Some(folder) = options.out.parent() {
        // Better to fail now than after the training.
        std::fs::create_dir_all(folder)?;
    }
    let data = match &options.data {
        Some(folder) => FashionMnist::at(folder)?,
        None => FashionMnist::load()?,
    };
    let mut model = FashionResNet::new(Seed(options.seed));
    println!("{}", FashionResNet::summary());
    Fit::new(Adam::default(), CrossEntropy)
        .on(&mut model, &data.train)
        .epochs(options.epochs)
        .batch_size(64)
        .seed(Seed(options.seed))
        .schedule(OneCycle::default())
        .metric(Accuracy)
        .validate(&data.test)
        .run()?;
    let report = evaluate(&model, &data.test, &CrossEntropy, &Accuracy)?;
    model.save(&options.out)?;
    println!("weights saved to {}", options.out.display());
    println!("test accuracy {:.4}", report.summary);
    Ok(())
}
