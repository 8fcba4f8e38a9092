//! `cargo xtask data`: the data sets of the examples, fetched if they are not there.

use crate::Outcome;
use plywood::prelude::*;

pub(crate) fn run() -> Outcome {
    let images = FashionMnist::load().map_err(|error| error.to_string())?;
    println!(
        "Fashion-MNIST: {} training and {} test images",
        images.train.len(),
        images.test.len()
    );
    let words = LanguageWords::load().map_err(|error| error.to_string())?;
    println!(
        "ten languages: {} training and {} test texts",
        words.train.len(),
        words.test.len()
    );
    Ok(())
}
