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
//! // Gradient descent on the distance of a·x from y.
//! let (x, y) = (Tensor::from_vec([3, 1], vec![1.0_f64, 2.0, 3.0]), Tensor::from_vec([3, 1], vec![2.0, 4.0, 6.0]));
//! let mut a = Tensor::zeros([1, 1]);
//! for _ in 0..50 {
//!     let tape = Tape::new();
//!     let slope = tape.leaf(a.clone());
//!     let loss = tape.constant(x.clone()).matmul(slope).mse(tape.constant(y.clone()));
//!     a -= &(loss.backward().of(slope) * 0.1);
//! }
//! assert!((a.item() - 2.0).abs() < 1e-6);
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
