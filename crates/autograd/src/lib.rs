//! Differentiable operations, the tape and the gradient checker of Plywood.
//!
//! Use this crate alone for gradients of any computation written by hand: a [`Tape`] records what is done to its
//! [`Var`]s, and [`Var::backward`] gives the derivative of one number with respect to all of them. [`ops`] holds the
//! operations, each in a file with its forward pass, its backward pass and its gradient check; compiled networks call
//! the very same functions. [`gradcheck`] compares the gradients of an operation of your own with finite differences.
//!
//! ```
//! use plywood_autograd::Tape;
//! use plywood_tensor::Tensor;
//!
//! let tape = Tape::new();
//! let x = tape.leaf(Tensor::from_vec([3], vec![1.0_f64, 2.0, 3.0]));
//! let square = tape.record(
//!     &[x],
//!     Tensor::scalar(x.value().iter().map(|x| x * x).sum()),
//!     |step| {
//!         let dy = step.output_gradient()[0];
//!         let dx = step.input(0).iter().map(|x| 2.0 * x * dy).collect();
//!         step.add(0, dx);
//!     },
//! );
//! assert_eq!(square.backward().of(x).data(), [2.0, 4.0, 6.0]);
//! ```
#![forbid(unsafe_code)]

mod gradcheck;
mod gradients;
pub mod ops;
mod tape;
mod var;

pub use gradcheck::{Gradcheck, GradcheckError, gradcheck};
pub use gradients::{Adjoint, Gradients};
pub use tape::Tape;
pub use var::Var;
