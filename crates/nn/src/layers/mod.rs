//! The built-in layers: their declarations, from `plywood-shape`, and what they compute.
//!
//! A file here says what a layer keeps and which operation it uses, and holds no formula.

mod bidirectional;
mod conv;
mod dense;
mod embedding;
mod function;
mod norm;
mod pointwise;
mod pool;
mod recurrent;
mod side;

pub use function::Function;
pub use plywood_shape::layers::*;
