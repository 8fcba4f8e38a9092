//! Naive references, golden values and tolerances for the tests of Plywood.
//!
//! The crate serves tests alone and depends on no other crate of the workspace, so that every one of them can use it.
//! Everything here is `f64` and written to be read: plain loops straight from the formulas, no speed.
//!
//! - [`random`]: reproducible inputs.
//! - [`close`]: comparisons that name the first wrong number.
//! - [`oracle`]: one naive reference an operation.
//! - [`golden`]: values that PyTorch and Keras computed, read from committed files.

#![forbid(unsafe_code)]

pub mod close;
pub mod golden;
pub mod oracle;
pub mod random;

pub use close::{assert_close, assert_same_bits};
pub use golden::{Case, Golden};
