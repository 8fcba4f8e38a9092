//! NumPy's `.npy`: one array in a file.
//!
//! A file is `\x93NUMPY`, two bytes of version, the length of the header (two bytes in version 1, four after it, little
//! endian), the header as a Python dictionary of `descr`, `fortran_order` and `shape`, and the numbers (NEP 1).

#[cfg(test)]
mod tests;

use crate::{FormatError, atomic};
use std::path::Path;

/// What every file begins with.
const MAGIC: [u8; 6] = *b"\x93NUMPY";
/// The header is padded so that the numbers start at a multiple of it.
const ALIGNMENT: usize = 64;

/// An array: sizes, outermost first, and numbers, last axis fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Npy<E> {
    /// The sizes.
    pub sizes: Vec<usize>,
    /// The numbers.
    pub values: Vec<E>,
}

/// A number that `.npy` files are read and written of: `f32`, `f64`, `u8` or `i64`.
pub trait NpyNumber: Copy {
    /// NumPy's name of the type, little endian.
    const TYPE: &'static str;
    /// Bytes of a number.
    const BYTES: usize = size_of::<Self>();

    /// Appends its bytes.
    fn put(self, bytes: &mut Vec<u8>);
    /// The number of [`NpyNumber::BYTES`] bytes.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($number:ty: $name:literal),*) => {$(
        impl NpyNumber for $number {
            const TYPE: &'static str = $name;

            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }

            fn get(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("as many bytes as a number has"))
            }
        }
    )*};
}

numbers!(f32: "<f4", f64: "<f8", u8: "|u1", i64: "<i8");

impl<E: NpyNumber> Npy<E> {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is not `.npy`, has numbers of another type or in Fortran order, or more or fewer of them than
    /// its header says.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FormatError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| FormatError::Read {
            path: path.to_owned(),
            source,
        })?;
        let (header, numbers) = split(path, &bytes)?;
        let sizes = check_header::<E>(path, &header)?;
        let expected = sizes
            .iter()
            .try_fold(E::BYTES, |product, &size| product.checked_mul(size))
            .unwrap_or(usize::MAX);
        if numbers.len() != expected {
            return Err(FormatError::NpyLength {
                path: path.to_owned(),
                expected,
                found: numbers.len(),
            });
        }
        Ok(Self {
            sizes,
            values: numbers.chunks_exact(E::BYTES).map(E::get).collect(),
        })
    }

    /// Writes a file, replacing an old one whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    ///
    /// # Panics
    /// If there are more or fewer values than the sizes say, or so many axes that their list exceeds 64 KiB.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), FormatError> {
        assert_eq!(
            self.sizes.iter().product::<usize>(),
            self.values.len(),
            "sizes {:?} and {} numbers",
            self.sizes,
            self.values.len()
        );
        let mut bytes = self.header();
        self.values.iter().for_each(|value| value.put(&mut bytes));
        atomic::replace(path.as_ref(), |file| file.write_all(&bytes))
    }

    fn header(&self) -> Vec<u8> {
        let sizes: String = self.sizes.iter().map(|size| format!("{size}, ")).collect();
        // One axis is written `(3,)`, two `(3, 4)`.
        let sizes = match self.sizes.len() {
            1 => sizes.trim_end(),
            _ => sizes.trim_end_matches(", "),
        };
        let name = E::TYPE;
        let mut text =
            format!("{{'descr': '{name}', 'fortran_order': False, 'shape': ({sizes}), }}");
        let before = MAGIC.len() + 4;
        let len = (before + text.len() + 1).next_multiple_of(ALIGNMENT) - before;
        text.push_str(&" ".repeat(len - 1 - text.len()));
        text.push('\n');
        let len = u16::try_from(len).expect("the list of sizes is short");
        [&MAGIC[..], &[1, 0], &len.to_le_bytes(), text.as_bytes()].concat()
    }
}

/// The header's text and the bytes after it.
fn split<'a>(path: &Path, bytes: &'a [u8]) -> Result<(String, &'a [u8]), FormatError> {
    let not_npy = || FormatError::NotNpy {
        path: path.to_owned(),
        found: bytes[..bytes.len().min(MAGIC.len())].to_vec(),
    };
    let rest = bytes.strip_prefix(&MAGIC).ok_or_else(not_npy)?;
    let short = |expected| FormatError::NpyLength {
        path: path.to_owned(),
        expected,
        found: rest.len(),
    };
    let (len, rest) = match *rest {
        [1, _, a, b, ref rest @ ..] => (u32::from_le_bytes([a, b, 0, 0]), rest),
        [2 | 3, _, a, b, c, d, ref rest @ ..] => (u32::from_le_bytes([a, b, c, d]), rest),
        [1..=3, ..] | [] => return Err(short(ALIGNMENT)),
        [found, ..] => {
            return Err(FormatError::NpyVersion {
                path: path.to_owned(),
                found,
            });
        }
    };
    let len = len as usize;
    let (header, numbers) = rest.split_at_checked(len).ok_or_else(|| short(len))?;
    Ok((String::from_utf8_lossy(header).into_owned(), numbers))
}

/// The sizes, if the header is one of `E` in C order.
fn check_header<E: NpyNumber>(path: &Path, header: &str) -> Result<Vec<usize>, FormatError> {
    let unreadable = |entry| FormatError::NpyHeader {
        path: path.to_owned(),
        entry,
        header: header.trim_end().to_owned(),
    };
    let descr = value(header, "descr").and_then(|text| text.strip_prefix('\'')?.split_once('\''));
    let (found, _) = descr.ok_or_else(|| unreadable("descr"))?;
    if found != E::TYPE {
        return Err(FormatError::NpyType {
            path: path.to_owned(),
            expected: E::TYPE,
            found: found.to_owned(),
        });
    }
    let order = value(header, "fortran_order").ok_or_else(|| unreadable("fortran_order"))?;
    let shape = value(header, "shape").and_then(|text| text.strip_prefix('(')?.split_once(')'));
    let (list, _) = shape.ok_or_else(|| unreadable("shape"))?;
    let sizes = list
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty());
    let sizes: Result<Vec<usize>, _> = sizes.map(str::parse).collect();
    let sizes = sizes.map_err(|_| unreadable("shape"))?;
    if order.starts_with("True") && sizes.len() > 1 {
        return Err(FormatError::NpyFortran {
            path: path.to_owned(),
        });
    }
    Ok(sizes)
}

/// What follows `'key':` in a header.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}':"))?;
    Some(rest.trim_start())
}
