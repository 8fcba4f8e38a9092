//! A network that reads a text from both ends learns to say once, at the end, which of ten languages it is in.
//!
//! ```text
//! cargo run --release --example seq2label
//! ```

use clap::Parser;
use plywood::prelude::*;
use std::path::PathBuf;

plywood::model! {
    /// Hashed character trigrams in, the language of the whole text out.
    pub LanguageReader: Sequence<Token<10_000>> => Logits<10> {
        Embedding(64),
        Bidirectional { Lstm(64, dropout: 0.3) },
        Dense(64), Relu,
        Dense(10),
    }
}

/// Trains a small bidirectional LSTM network on texts of ten languages, one label a text.
#[derive(Parser)]
struct Options {
    /// How often to go through the 40,000 training texts.
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Texts a training step.
    #[arg(long, default_value_t = 32)]
    batch_size: usize,
    /// Where initial weights, shuffling and dropout start; the same seed gives the same network.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Threads that compute [default: one a core]; results do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// A folder with the ten word lists [default: found on this machine or fetched].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the trained weights go.
    #[arg(long, value_name = "FILE", default_value = "seq2label.safetensors")]
    out: PathBuf,
}

fn main() -> plywood::Result<()> {
    let options = Options::parse();
    if let Some(folder) = options.out.parent() {
        // Better to fail now than after the training.
        std::fs::create_dir_all(folder)?;
    }
    let data = match &options.data {
        Some(folder) => LanguageWords::at(folder)?,
        None => LanguageWords::load()?,
    };
    // The data set labels every step; a text's label is that of its last one.
    let (train, test) = (data.train.last_targets()?, data.test.last_targets()?);
    let mut model = LanguageReader::new(Seed(options.seed));
    println!("{}", LanguageReader::summary());

    let mut fit = Fit::new(Adam::default(), CrossEntropy)
        .on(&mut model, &train)
        .epochs(options.epochs)
        .batch_size(options.batch_size)
        .seed(Seed(options.seed))
        .schedule(OneCycle::default())
        .metric(Accuracy)
        .validate(&test);
    if let Some(threads) = options.threads {
        fit = fit.threads(threads);
    }
    fit.run()?;

    let report = evaluate(&model, &test, &CrossEntropy, &(Accuracy, ConfusionMatrix))?;
    let (accuracy, confusion) = report.summary;
    println!("{}", confusion.with_names(&LanguageWords::CLASSES));
    model.save(&options.out)?;
    println!("weights saved to {}", options.out.display());
    println!("test accuracy {accuracy:.4}");
    Ok(())
}
