//! Data sets, loaders and transforms of Plywood.
//!
//! Use this crate alone to read IDX files, to find and fetch known data sets, and to cut examples into batches, shuffled,
//! varied and filled ahead on a thread, all reproducible from (seed, epoch, index). [`Dataset`] holds examples in memory;
//! [`Source`] is what a data set of your own implements; [`Loader`] makes batches of either. [`FashionMnist`] and
//! [`LanguageWords`] are real data, [`synthetic`] is generated and needs no files.
//!
//! Whatever comes in is checked where it comes in: a [`DataError`] names the file or sample, the place, and what was
//! expected there.
#![forbid(unsafe_code)]

mod augment;
mod dataset;
mod error;
mod fashion_mnist;
mod idx;
mod language_words;
mod loader;
mod locate;
mod source;
mod stream;
pub mod synthetic;
#[cfg(test)]
mod testing;

pub use augment::{Augment, Augmented};
pub use dataset::{Dataset, Indices, Moments, Numbers, Reals, SideBySide, Stored};
pub use error::{Attempt, Column, DataError, Missing};
pub use fashion_mnist::FashionMnist;
pub use idx::Idx;
pub use language_words::{LanguageOptions, LanguageWords};
pub use loader::{Loaded, Loader, Prefetched};
pub use source::Source;
