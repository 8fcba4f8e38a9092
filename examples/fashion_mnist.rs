//! The chapter's convolutional network learns to tell ten kinds of clothing apart.
//!
//! ```text
//! cargo run --release --example fashion_mnist
//! ```

use clap::Parser;
use plywood::prelude::*;
use std::path::PathBuf;

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

/// Trains a small convolutional network on Fashion-MNIST.
#[derive(Parser)]
struct Options {
    /// How often to go through the 60,000 training images.
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Images a training step.
    #[arg(long, default_value_t = 32)]
    batch_size: usize,
    /// Where initial weights and shuffling start; the same seed gives the same network.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Threads that compute [default: one a core]; results do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// Compute products and convolutions in bfloat16, faster where the processor has AVX512-BF16.
    #[arg(long)]
    bf16: bool,
    /// A folder with the four IDX files [default: found on this machine or fetched].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the trained weights go.
    #[arg(long, value_name = "FILE", default_value = "fashion_mnist.safetensors")]
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
    let mut model = FashionCnn::new(Seed(options.seed));
    println!("{}", FashionCnn::summary());

    let mut fit = Fit::new(Adam::default(), CrossEntropy)
        .on(&mut model, &data.train)
        .epochs(options.epochs)
        .batch_size(options.batch_size)
        .seed(Seed(options.seed))
        .metric(Accuracy)
        .validate(&data.test);
    if let Some(threads) = options.threads {
        fit = fit.threads(threads);
    }
    if options.bf16 {
        fit = fit.precision(Precision::Bf16);
    }
    fit.run()?;

    let metrics = (Accuracy, ConfusionMatrix);
    let report = evaluate(&model, &data.test, &CrossEntropy, &metrics)?;
    let (accuracy, confusion) = report.summary;
    println!("{}", confusion.with_names(&FashionMnist::CLASSES));
    model.save(&options.out)?;
    println!("weights saved to {}", options.out.display());
    println!("test accuracy {accuracy:.4}");
    Ok(())
}
