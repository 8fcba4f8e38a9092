//! The safetensors format: named tensors in one file, little endian, row-major.
//!
//! A file is the length of its header as a little-endian `u64`, the header as JSON padded with spaces to a multiple of
//! eight bytes, and the tensors' bytes without gaps (<https://huggingface.co/docs/safetensors>). Reading rests on the
//! `safetensors` crate, and also notices two tensors of one name, which that crate does not. Writing is done here: the
//! crate writes metadata in an order that changes from run to run, and equal networks should give equal files.
//!
//! ```
//! use plywood_formats::safetensors::{Archive, Entry, write};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("x.safetensors");
//!
//! let weight = Entry { name: "weight".into(), sizes: &[2, 1], values: &[1.5_f32, -2.0] };
//! write(&path, &[weight], &Default::default())?;
//! let mut values = [0.0_f32; 2];
//! Archive::read(&path)?.copy("weight", &[2, 1], &mut values)?;
//! assert_eq!(values, [1.5, -2.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod names;
#[cfg(test)]
mod tests;

use crate::atomic;
use crate::{FormatError, TensorFault};
use ::safetensors::tensor::{Dtype, SafeTensors};
use names::first_duplicate;
use plywood_kernels::Float;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The key in the header under which the metadata lies.
const METADATA: &str = "__metadata__";
/// Bytes before the header: its length.
const LENGTH: usize = 8;

/// A tensor to be written.
#[derive(Clone, Debug)]
pub struct Entry<'a, T> {
    /// Its name in the file.
    pub name: String,
    /// Its sizes, outermost first.
    pub sizes: &'a [usize],
    /// Its numbers, row-major.
    pub values: &'a [T],
}

/// Writes tensors and metadata to a file, replacing an old one whole or not at all.
///
/// To the metadata, `format: pt` is added, which some loaders expect. The bytes of the file follow from the arguments.
///
/// # Errors
/// If two tensors have one name, or the file cannot be written.
///
/// # Panics
/// If a tensor has another number of values than its sizes say, or is named `__metadata__`.
pub fn write<T: Float>(
    path: impl AsRef<Path>,
    tensors: &[Entry<'_, T>],
    metadata: &BTreeMap<String, String>,
) -> Result<(), FormatError> {
    let path = path.as_ref();
    // All tensors are of one type, so sorting by falling alignment leaves sorting by name.
    let mut sorted: Vec<_> = tensors.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(FormatError::Duplicate {
            path: path.to_owned(),
            tensor: pair[0].name.clone(),
        });
    }
    let header = header(&sorted, metadata);
    atomic::replace(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        sorted
            .iter()
            .try_for_each(|tensor| write_values(file, tensor.values))
    })
}

fn header<T: Float>(sorted: &[&Entry<'_, T>], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let mut map = Map::new();
    let mut about = metadata.clone();
    about.insert("format".into(), "pt".into());
    map.insert(METADATA.into(), json!(about));
    let mut start = 0;
    for tensor in sorted {
        let (name, sizes, values) = (&tensor.name, tensor.sizes, tensor.values);
        assert!(name != METADATA, "a tensor cannot be named {METADATA}");
        assert_eq!(
            sizes.iter().product::<usize>(),
            values.len(),
            "`{name}` has sizes {sizes:?} and {} numbers",
            values.len()
        );
        let end = start + values.len() * T::BYTES;
        let entry =
            json!({"dtype": type_name::<T>(), "shape": sizes, "data_offsets": [start, end]});
        map.insert(name.clone(), entry);
        start = end;
    }
    let mut header = Value::Object(map).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    header
}

fn write_values<T: Float>(file: &mut dyn Write, values: &[T]) -> io::Result<()> {
    for value in values {
        let bits = value.to_bits_u64().to_le_bytes();
        file.write_all(&bits[..T::BYTES])?;
    }
    Ok(())
}

/// What the format calls `f32` or `f64`.
fn type_name<T: Float>() -> String {
    T::NAME.to_uppercase()
}

/// The content of a safetensors file.
#[derive(Clone, Debug)]
pub struct Archive {
    path: PathBuf,
    bytes: Vec<u8>,
    tensors: BTreeMap<String, Tensor>,
    metadata: BTreeMap<String, String>,
}

/// A tensor in an archive.
#[derive(Clone, Debug)]
struct Tensor {
    dtype: Dtype,
    sizes: Vec<usize>,
    /// Where in the file its bytes are.
    range: Range<usize>,
}

impl Archive {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is not safetensors, is cut short or goes on after its tensors, or if two tensors have one
    /// name.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FormatError> {
        let path = path.as_ref().to_owned();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(FormatError::Read { path, source }),
        };
        let (len, header) = match SafeTensors::read_metadata(&bytes) {
            Ok(header) => header,
            Err(source) => return Err(FormatError::Safetensors { path, source }),
        };
        let start = LENGTH + len;
        if let Some(tensor) = first_duplicate(&bytes[LENGTH..start]) {
            return Err(FormatError::Duplicate { path, tensor });
        }
        let tensors = header.tensors().into_iter().map(|(name, info)| {
            let tensor = Tensor {
                dtype: info.dtype,
                sizes: info.shape.clone(),
                range: start + info.data_offsets.0..start + info.data_offsets.1,
            };
            (name, tensor)
        });
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self {
            tensors: tensors.collect(),
            metadata: metadata.into_iter().collect(),
            path,
            bytes,
        })
    }

    /// The names of the tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// What else the file says.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The sizes of a tensor, outermost first.
    #[must_use]
    pub fn sizes(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|tensor| tensor.sizes.as_slice())
    }

    /// What keeps a tensor from being read as one of `sizes` and of type `T`.
    pub(crate) fn fault<T: Float>(&self, name: &str, sizes: &[usize]) -> Option<TensorFault> {
        let Some(tensor) = self.tensors.get(name) else {
            return Some(TensorFault::Missing {
                tensor: name.to_owned(),
                expected: sizes.to_vec(),
            });
        };
        if tensor.sizes != sizes {
            return Some(TensorFault::Sizes {
                tensor: name.to_owned(),
                expected: sizes.to_vec(),
                found: tensor.sizes.clone(),
            });
        }
        let (expected, found) = (type_name::<T>(), format!("{:?}", tensor.dtype));
        (expected != found).then(|| TensorFault::Type {
            tensor: name.to_owned(),
            expected,
            found,
        })
    }

    /// Copies the numbers of a tensor of `sizes` to `into`.
    ///
    /// # Errors
    /// If there is no such tensor, or it has other sizes or numbers of another type.
    ///
    /// # Panics
    /// If `into` has another length than `sizes` say.
    pub fn copy<T: Float>(
        &self,
        name: &str,
        sizes: &[usize],
        into: &mut [T],
    ) -> Result<(), FormatError> {
        if let Some(fault) = self.fault::<T>(name, sizes) {
            return Err(FormatError::Tensor {
                path: self.path.clone(),
                fault,
            });
        }
        let bytes = &self.bytes[self.tensors[name].range.clone()];
        assert_eq!(bytes.len(), into.len() * T::BYTES, "room for {sizes:?}");
        for (value, bytes) in into.iter_mut().zip(bytes.chunks_exact(T::BYTES)) {
            *value = float(bytes);
        }
        Ok(())
    }
}

/// The number of four or eight little-endian bytes.
fn float<T: Float>(bytes: &[u8]) -> T {
    let mut bits = [0; 8];
    bits[..bytes.len()].copy_from_slice(bytes);
    let bits = u64::from_le_bytes(bits);
    T::from_f64(if bytes.len() == 4 {
        f64::from(f32::from_bits(bits as u32))
    } else {
        f64::from_bits(bits)
    })
}
