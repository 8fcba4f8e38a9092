//! A deep-learning framework for the CPU: networks declared with [`model!`], checked before the program exists.
//!
//! This crate re-exports the sheets that Plywood is made of, and nothing else. `use plywood::prelude::*` brings in what
//! a program that trains a network needs; each crate is also usable alone.
#![forbid(unsafe_code)]

// The expansion of `model!` names this crate by its own name, in this crate's tests and examples too.
#[allow(unused_extern_crates)]
extern crate self as plywood;

pub use plywood_autograd as autograd;
pub use plywood_data as data;
pub use plywood_formats as formats;
pub use plywood_kernels as kernels;
pub use plywood_nn as nn;
pub use plywood_shape as shape;
pub use plywood_tensor as tensor;
pub use plywood_train as train;

pub use plywood_kernels::Float;
pub use plywood_model::model;
pub use plywood_nn::{Flow, Function, Layer, Memory, Network, Pass, Seed};
pub use plywood_shape::{Fill, Plan, Shape};
pub use plywood_train::{Error, Result};

#[doc(hidden)]
pub use plywood_nn::expansion as __private;

pub mod prelude;

// The reference of the language, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/model.md")]
mod reference {}
