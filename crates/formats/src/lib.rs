//! Reading and writing the weights of Plywood networks.
//!
//! Use this crate alone to read and write [`safetensors`] and NumPy files ([`Npy`]); with `plywood-nn`, its traits
//! [`Save`] and [`Load`] give every network `save` and `load`. A file is replaced whole or not at all, and a network that
//! cannot take a file's weights stays as it was. A [`FormatError`] names the file, the tensor, what was expected and
//! what was found.
#![forbid(unsafe_code)]

mod atomic;
mod error;
mod network;
mod npy;
pub mod safetensors;

pub use error::{FormatError, TensorFault};
pub use network::{Load, Save};
pub use npy::{Npy, NpyNumber};
