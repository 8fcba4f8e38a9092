//! What can be wrong with data: every variant says where it was found and what was expected there.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why data could not be found, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be opened or read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file named `.gz` that does not begin as gzip does.
    #[error(
        "{}: not a gzip file: it begins with the bytes {found:02x?}, expected [1f, 8b]",
        path.display()
    )]
    NotGzip {
        /// The file.
        path: PathBuf,
        /// Its first bytes, at most two.
        found: Vec<u8>,
    },
    /// A gzip stream that breaks off or whose checksum is wrong.
    #[error("{}: the gzip stream is damaged after {offset} unpacked bytes: {source}", path.display())]
    DamagedGzip {
        /// The file.
        path: PathBuf,
        /// How many bytes could be unpacked.
        offset: u64,
        /// What the decoder says.
        source: io::Error,
    },
    /// An IDX file whose first two bytes are not zero.
    #[error(
        "{}: not an IDX file: bytes 0 and 1 are {found:02x?}, expected [00, 00]",
        path.display()
    )]
    Magic {
        /// The file.
        path: PathBuf,
        /// The two bytes.
        found: [u8; 2],
    },
    /// An IDX file of numbers that are not unsigned bytes.
    #[error(
        "{}: byte 2 says that the numbers are of type 0x{found:02x}, expected 0x08 (unsigned bytes)",
        path.display()
    )]
    ElementType {
        /// The file.
        path: PathBuf,
        /// The type code.
        found: u8,
    },
    /// An IDX file with another number of dimensions.
    #[error("{}: byte 3 says {found} dimensions, expected {expected}", path.display())]
    Rank {
        /// The file.
        path: PathBuf,
        /// How many were expected.
        expected: usize,
        /// How many the file has.
        found: usize,
    },
    /// A dimension other than the one expected.
    #[error(
        "{}: dimension {axis} (bytes {} to {}) is {found}, expected {expected}",
        path.display(), 4 + 4 * axis, 7 + 4 * axis
    )]
    Dimension {
        /// The file.
        path: PathBuf,
        /// Which dimension.
        axis: usize,
        /// What was expected.
        expected: usize,
        /// What the file says.
        found: usize,
    },
    /// Dimensions whose product no machine can hold.
    #[error("{}: the dimensions {dimensions:?} multiply to more than memory can hold", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The dimensions.
        dimensions: Vec<usize>,
    },
    /// A file that ends early.
    #[error("{}: truncated: {found} bytes, expected {expected}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that the header promises, header included.
        expected: u64,
        /// Bytes that are there (unpacked).
        found: u64,
    },
    /// A file that goes on after its numbers.
    #[error("{}: oversized: there are bytes after the {expected} that its header promises", path.display())]
    Oversized {
        /// The file.
        path: PathBuf,
        /// Bytes that the header promises, header included.
        expected: u64,
    },
    /// Images and labels that are not equally many.
    #[error(
        "{} has {images} images, but {} has {labels} labels",
        image_path.display(), label_path.display()
    )]
    Count {
        /// The file of images.
        image_path: PathBuf,
        /// How many it has.
        images: usize,
        /// The file of labels.
        label_path: PathBuf,
        /// How many it has.
        labels: usize,
    },
    /// A label that names no class.
    #[error("{}: label {index} (byte {}) is {value}, expected a class below {classes}", path.display(), 8 + index)]
    Label {
        /// The file.
        path: PathBuf,
        /// Which label.
        index: usize,
        /// What it says.
        value: u8,
        /// How many classes there are.
        classes: usize,
    },
    /// A word list with too few usable words.
    #[error(
        "{}: {found} words of two letters or more for {purpose}, expected at least {expected}",
        path.display()
    )]
    FewWords {
        /// The file.
        path: PathBuf,
        /// `training` or `testing`.
        purpose: &'static str,
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A data set that is nowhere.
    #[error("{0}")]
    NotFound(Box<Missing>),
    /// Numbers that do not fill whole samples.
    #[error("{what}: {found} numbers do not make whole samples of {per_sample}")]
    Ragged {
        /// Which column.
        what: Column,
        /// Numbers of a sample.
        per_sample: usize,
        /// How many numbers there are.
        found: usize,
    },
    /// Columns of different lengths.
    #[error("{what}: {found}, expected {expected}, one for each sample")]
    Samples {
        /// Which column.
        what: Column,
        /// How many samples there are.
        expected: usize,
        /// How many the column has.
        found: usize,
    },
    /// A token or class out of range.
    #[error(
        "{what}: number {position} of sample {sample} is {value}, expected an index below {bound}"
    )]
    Index {
        /// Which column.
        what: Column,
        /// Which sample.
        sample: usize,
        /// Which number of it.
        position: usize,
        /// The number.
        value: u32,
        /// The vocabulary or number of classes.
        bound: usize,
    },
    /// A sequence longer than the space for it.
    #[error("the length of sample {sample} is {length}, expected at most {steps}")]
    Length {
        /// Which sample.
        sample: usize,
        /// Its length.
        length: u32,
        /// The steps of the data set.
        steps: usize,
    },
    /// A sequence without a valid step where the last one is asked for.
    #[error("the length of sample {sample} is 0, expected at least 1: it has no last step")]
    NoLastStep {
        /// Which sample.
        sample: usize,
    },
    /// A weight that is negative or not finite.
    #[error("the weight of sample {sample} is {weight}, expected a finite number not below zero")]
    Weight {
        /// Which sample.
        sample: usize,
        /// Its weight.
        weight: f32,
    },
    /// More samples than a `u32` counts, or none where some are needed.
    #[error("the source has {found} samples, expected 1 to {}", u32::MAX)]
    SourceLen {
        /// How many it says it has.
        found: usize,
    },
    /// A source whose `fill` broke its contract.
    #[error(
        "the source filled {what}: {found}, expected {expected} (batch {batch} of epoch {epoch})"
    )]
    Filled {
        /// What it filled wrongly.
        what: &'static str,
        /// What is right.
        expected: usize,
        /// What it gave.
        found: usize,
        /// The epoch.
        epoch: u32,
        /// The batch.
        batch: usize,
    },
    /// A source that filled in a token or class out of range.
    #[error("the source filled the {what} (batch {batch} of epoch {epoch}): {fault}")]
    FilledIndex {
        /// `inputs` or `targets`.
        what: &'static str,
        /// The epoch.
        epoch: u32,
        /// The batch.
        batch: usize,
        /// Which index.
        fault: plywood_tensor::BatchError,
    },
}

/// A column of a data set, or one of several that lie side by side in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// `inputs`, `targets`, `lengths` or `weights`.
    pub name: &'static str,
    /// Which kind of a tuple, counted from 0.
    pub side: Option<usize>,
}

impl From<&'static str> for Column {
    fn from(name: &'static str) -> Self {
        Self { name, side: None }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.side {
            None => f.write_str(self.name),
            Some(side) => write!(f, "{}, side {side}", self.name),
        }
    }
}

/// A data set that is nowhere: where it was looked for, what was tried to get it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The data set, for reading.
    pub name: &'static str,
    /// The files that are missing.
    pub files: Vec<String>,
    /// Every place looked at and every way tried, with the result, in order.
    pub attempts: Vec<Attempt>,
    /// What mends it.
    pub help: String,
}

/// One place looked at, or one way tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The place or way: `looked in /usr/share/dict`.
    pub what: String,
    /// What came of it.
    pub result: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} was not found; missing: {}",
            self.name,
            self.files.join(", ")
        )?;
        for Attempt { what, result } in &self.attempts {
            writeln!(f, "  {what}: {result}")?;
        }
        write!(f, "help: {}", self.help)
    }
}
