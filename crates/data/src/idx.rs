//! The IDX format of MNIST and its relatives, plain or gzip-compressed.
//!
//! An IDX file is two zero bytes, a byte for the type of its numbers (`0x08`: unsigned bytes), a byte for the number of
//! dimensions, that many big-endian `u32` sizes, and the numbers, last dimension fastest (LeCun, Cortes and Burges, *The
//! MNIST database*). Nothing in a header is believed until the bytes that follow have borne it out.

use crate::DataError;
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// The type code of unsigned bytes.
const UNSIGNED_BYTES: u8 = 0x08;
/// The two bytes with which every gzip file begins (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Memory set aside before the first byte has come, at most: a header may promise more than follows.
const MOST_IN_ADVANCE: usize = 64 << 20;

/// The content of an IDX file of unsigned bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The sizes, outermost first: images × rows × columns.
    pub dimensions: Vec<usize>,
    /// The numbers, last dimension fastest.
    pub values: Vec<u8>,
}

impl Idx {
    /// Reads a file with `rank` dimensions; a name that ends in `.gz` says that it is compressed.
    ///
    /// # Errors
    /// If the file cannot be read, is not gzip though its name says so, is not IDX of unsigned bytes, has another
    /// number of dimensions, or has fewer or more bytes than its header promises.
    pub fn read(path: &Path, rank: usize) -> Result<Self, DataError> {
        let failed = |source| DataError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        if path.extension().is_none_or(|extension| extension != "gz") {
            return Self::parse(path, rank, file, failed);
        }
        let start = file.fill_buf().map_err(failed)?;
        if !start.starts_with(&GZIP) {
            return Err(DataError::NotGzip {
                path: path.to_owned(),
                found: start[..start.len().min(2)].to_vec(),
            });
        }
        let damaged = |source| DataError::DamagedGzip {
            path: path.to_owned(),
            offset: 0,
            source,
        };
        Self::parse(path, rank, GzDecoder::new(file), damaged)
    }

    fn parse(
        path: &Path,
        rank: usize,
        from: impl Read,
        failed: impl Fn(io::Error) -> DataError,
    ) -> Result<Self, DataError> {
        let mut from = Counted { from, read: 0 };
        let mut magic = [0; 4];
        from.exactly(path, &mut magic, 4 + 4 * rank as u64, &failed)?;
        check_magic(path, magic, rank)?;
        let mut dimensions = Vec::with_capacity(rank);
        for _ in 0..rank {
            let mut size = [0; 4];
            from.exactly(path, &mut size, 4 + 4 * rank as u64, &failed)?;
            dimensions.push(u32::from_be_bytes(size) as usize);
        }
        let count = dimensions
            .iter()
            .try_fold(1_usize, |product, &size| product.checked_mul(size))
            .filter(|&count| count < isize::MAX as usize / 2);
        let Some(count) = count else {
            return Err(DataError::TooLarge {
                path: path.to_owned(),
                dimensions,
            });
        };
        let expected = 4 + 4 * rank as u64 + count as u64;
        let mut values = Vec::with_capacity(count.min(MOST_IN_ADVANCE));
        from.rest(&mut values, count as u64 + 1, &failed)?;
        match values.len() {
            found if found < count => Err(DataError::Truncated {
                path: path.to_owned(),
                expected,
                found: from.read,
            }),
            found if found > count => Err(DataError::Oversized {
                path: path.to_owned(),
                expected,
            }),
            _ => Ok(Self { dimensions, values }),
        }
    }
}

fn check_magic(path: &Path, magic: [u8; 4], rank: usize) -> Result<(), DataError> {
    let path = path.to_owned();
    match magic {
        [0, 0, UNSIGNED_BYTES, found] if usize::from(found) == rank => Ok(()),
        [0, 0, UNSIGNED_BYTES, found] => Err(DataError::Rank {
            path,
            expected: rank,
            found: usize::from(found),
        }),
        [0, 0, found, _] => Err(DataError::ElementType { path, found }),
        [a, b, ..] => Err(DataError::Magic {
            path,
            found: [a, b],
        }),
    }
}

/// A reader that knows how far it has come, so that an error can say where.
struct Counted<R> {
    from: R,
    read: u64,
}

impl<R: Read> Counted<R> {
    /// Fills `into`; `header` is how long the whole header should be.
    fn exactly(
        &mut self,
        path: &Path,
        into: &mut [u8],
        header: u64,
        failed: &impl Fn(io::Error) -> DataError,
    ) -> Result<(), DataError> {
        let mut bytes = Vec::with_capacity(into.len());
        self.rest(&mut bytes, into.len() as u64, failed)?;
        if bytes.len() < into.len() {
            return Err(DataError::Truncated {
                path: path.to_owned(),
                expected: header,
                found: self.read,
            });
        }
        into.copy_from_slice(&bytes);
        Ok(())
    }

    /// Appends what follows, at most `most` bytes.
    fn rest(
        &mut self,
        into: &mut Vec<u8>,
        most: u64,
        failed: &impl Fn(io::Error) -> DataError,
    ) -> Result<(), DataError> {
        let before = into.len();
        let result = (&mut self.from).take(most).read_to_end(into);
        self.read += (into.len() - before) as u64;
        match result.map_err(failed) {
            Ok(_) => Ok(()),
            Err(DataError::DamagedGzip { path, source, .. }) => Err(DataError::DamagedGzip {
                path,
                offset: self.read,
                source,
            }),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
