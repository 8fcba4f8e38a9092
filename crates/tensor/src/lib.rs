//! N-dimensional tensors and typed batches of Plywood.
//!
//! Use this crate alone for array arithmetic in the manner of NumPy: [`Tensor`] owns its elements, [`TensorView`]
//! borrows them with any strides, and both share every method that only reads. Shapes are run-time values here; misuse
//! panics with the shapes and the caller's location. [`Batch`] and [`Examples`] are what networks are fed with: their
//! kind of sample is a type, and tokens and classes are checked where they come in.
//!
//! ```
//! use plywood_tensor::Tensor;
//!
//! let a = Tensor::from_vec([2, 3], vec![1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
//! let centred = &a - a.mean([0]);
//! assert_eq!(centred.to_vec(), [-1.5, -1.5, -1.5, 1.5, 1.5, 1.5]);
//! assert_eq!(a.matmul(&a.transpose()).shape(), [2, 2]);
//! ```
#![forbid(unsafe_code)]

mod arithmetic;
mod batch;
mod display;
mod error;
mod examples;
mod join;
mod layout;
mod matmul;
mod reduce;
mod side;
mod tensor;
mod view;

pub use batch::Batch;
pub use error::BatchError;
pub use examples::Examples;
pub use layout::{Slice, broadcast_shape};
pub use tensor::{Storage, Tensor, TensorBase, TensorView, TensorViewMut};
