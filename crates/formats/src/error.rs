//! What can be wrong with a file of numbers: every variant names the file, the place and what was expected there.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a file could not be written, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A file could not be opened or read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file could not be written; what was there before is untouched.
    #[error("{}: not written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is not safetensors, is cut short, or goes on after its tensors.
    #[error("{}: not a whole safetensors file: {source}", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: ::safetensors::SafeTensorError,
    },
    /// Two tensors of one name.
    #[error("{}: there are two tensors named `{tensor}`", path.display())]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The name.
        tensor: String,
    },
    /// A tensor that is not as it should be.
    #[error("{}: {fault}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: TensorFault,
    },
    /// The weights of another network; the network at hand is untouched.
    #[error("{}", display_mismatch(path, network, found.as_deref(), faults))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The network that was to take the weights.
        network: &'static str,
        /// The network that the file says it is of.
        found: Option<String>,
        /// Everything that does not fit.
        faults: Vec<TensorFault>,
    },
    /// A file that does not begin as `.npy` does.
    #[error("{}: not a NumPy file: it begins with the bytes {found:02x?}, expected \\x93NUMPY", path.display())]
    NotNpy {
        /// The file.
        path: PathBuf,
        /// Its first bytes, at most six.
        found: Vec<u8>,
    },
    /// A `.npy` file of a version that is not known.
    #[error("{}: version {} of the format, expected 1 to 3", path.display(), found)]
    NpyVersion {
        /// The file.
        path: PathBuf,
        /// The version.
        found: u8,
    },
    /// A `.npy` header without an entry, or with one that cannot be read.
    #[error("{}: the header has no readable `{entry}`: {header}", path.display())]
    NpyHeader {
        /// The file.
        path: PathBuf,
        /// The entry.
        entry: &'static str,
        /// The header.
        header: String,
    },
    /// A `.npy` file of other numbers.
    #[error("{}: the numbers are of type `{found}`, expected `{expected}`", path.display())]
    NpyType {
        /// The file.
        path: PathBuf,
        /// The type that was asked for.
        expected: &'static str,
        /// The type that the file has.
        found: String,
    },
    /// A `.npy` file with the first axis fastest.
    #[error("{}: the array is in Fortran order, expected C order", path.display())]
    NpyFortran {
        /// The file.
        path: PathBuf,
    },
    /// A `.npy` file with another number of bytes than its header promises.
    #[error("{}: {found} bytes of numbers, expected {expected}", path.display())]
    NpyLength {
        /// The file.
        path: PathBuf,
        /// What the header promises.
        expected: usize,
        /// What is there.
        found: usize,
    },
}

/// What is wrong with a tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TensorFault {
    /// It is not there.
    Missing {
        /// Its name.
        tensor: String,
        /// The sizes it should have.
        expected: Vec<usize>,
    },
    /// The network has no place for it.
    Unexpected {
        /// Its name.
        tensor: String,
        /// The sizes it has.
        found: Vec<usize>,
    },
    /// It has other sizes.
    Sizes {
        /// Its name.
        tensor: String,
        /// The sizes it should have.
        expected: Vec<usize>,
        /// The sizes it has.
        found: Vec<usize>,
    },
    /// It has numbers of another type.
    Type {
        /// Its name.
        tensor: String,
        /// The type it should have: `F32`.
        expected: String,
        /// The type it has.
        found: String,
    },
}

impl fmt::Display for TensorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { tensor, expected } => {
                write!(f, "`{tensor}`: missing, expected {expected:?}")
            }
            Self::Unexpected { tensor, found } => {
                write!(f, "`{tensor}`: found {found:?}, expected no such tensor")
            }
            Self::Sizes {
                tensor,
                expected,
                found,
            } => write!(
                f,
                "`{tensor}`: found sizes {found:?}, expected {expected:?}"
            ),
            Self::Type {
                tensor,
                expected,
                found,
            } => write!(
                f,
                "`{tensor}`: found numbers of type {found}, expected {expected}"
            ),
        }
    }
}

/// How many faults a message lists; the rest is counted.
const LISTED: usize = 8;

fn display_mismatch(
    path: &std::path::Path,
    network: &str,
    found: Option<&str>,
    faults: &[TensorFault],
) -> String {
    let of = match found {
        Some(found) if found != network => format!("the weights of `{found}`"),
        _ => "weights that".to_owned(),
    };
    let mut text = format!("{}: {of} do not fit `{network}`", path.display());
    for fault in faults.iter().take(LISTED) {
        text.push_str(&format!("\n  {fault}"));
    }
    if let Some(more @ 1..) = faults.len().checked_sub(LISTED) {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}
