//! What can be wrong with numbers that come in from outside.

use std::fmt;

/// A batch that does not hold what its type says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BatchError {
    /// The number of elements is not samples × steps × row.
    Length {
        /// Number of samples.
        samples: usize,
        /// Number of steps; 1 where samples are no sequences.
        steps: usize,
        /// Numbers in a row.
        row: usize,
        /// Number of elements given.
        found: usize,
    },
    /// A token or class index that is not below the vocabulary's size or the number of classes.
    Index {
        /// Which sample.
        sample: usize,
        /// Which step of it; 0 where samples are no sequences.
        step: usize,
        /// The index found.
        found: u32,
        /// What it must be below.
        below: usize,
    },
    /// The number of lengths is not the number of samples.
    LengthCount {
        /// Number of samples.
        samples: usize,
        /// Number of lengths given.
        found: usize,
    },
    /// A sequence is longer than the batch has steps.
    TooLong {
        /// Which sample.
        sample: usize,
        /// Its length.
        found: u32,
        /// Number of steps in the batch.
        steps: usize,
    },
    /// Lengths were given for samples that are no sequences.
    NotASequence,
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length {
                samples,
                steps,
                row,
                found,
            } => write!(
                f,
                "batch: got {found} numbers, expected {samples} samples × {steps} steps × {row}"
            ),
            Self::Index {
                sample,
                step,
                found,
                below,
            } => write!(
                f,
                "batch: sample {sample}, step {step}: got index {found}, expected one below {below}"
            ),
            Self::LengthCount { samples, found } => {
                write!(f, "batch: got {found} lengths for {samples} samples")
            }
            Self::TooLong {
                sample,
                found,
                steps,
            } => write!(
                f,
                "batch: sample {sample}: got a length of {found}, expected at most {steps} steps"
            ),
            Self::NotASequence => {
                write!(
                    f,
                    "batch: lengths belong to sequences, and these samples are none"
                )
            }
        }
    }
}

impl std::error::Error for BatchError {}
