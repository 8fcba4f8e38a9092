//! The chapter's recurrent network learns to tell ten languages apart, step by step along a text.
//!
//! ```text
//! cargo run --release --example language_id
//! ```

use clap::Parser;
use plywood::prelude::*;
use std::path::PathBuf;

plywood::model! {
    /// Hashed character trigrams in, the language after every step out.
    pub LanguageTagger: Sequence<Token<10_000>> => Sequence<Logits<10>> {
        Embedding(64),
        Gru(64, dropout: 0.1, returns: sequence),
        Dense(64), Relu,
        Dense(10),
    }
}

/// Trains a small GRU network on words of ten languages.
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
    #[arg(long, value_name = "FILE", default_value = "language_id.safetensors")]
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
    let mut model = LanguageTagger::new(Seed(options.seed));
    println!("{}", LanguageTagger::summary());

    let mut fit = Fit::new(Adam::default(), CrossEntropy)
        .on(&mut model, &data.train)
        .epochs(options.epochs)
        .batch_size(options.batch_size)
        .seed(Seed(options.seed))
        .metric((Accuracy, LastStepAccuracy))
        .validate(&data.test);
    if let Some(threads) = options.threads {
        fit = fit.threads(threads);
    }
    fit.run()?;

    let metrics = (Accuracy, LastStepAccuracy, ConfusionMatrix);
    let report = evaluate(&model, &data.test, &CrossEntropy, &metrics)?;
    let (every, last, confusion) = report.summary;
    println!("{}", confusion.with_names(&LanguageWords::CLASSES));
    model.save(&options.out)?;
    println!("weights saved to {}", options.out.display());
    println!("all-step accuracy {every:.4}");
    println!("last-step accuracy {last:.4}");
    Ok(())
}
