//! Sample kinds, layer declarations and the shape rules of Plywood.
//!
//! Every rule about sizes exists once, here, as a `const fn` over shape *values*. The `model!` macro evaluates the rules
//! while it expands, the code it generates evaluates them again as constants, and the layers of `plywood-nn` read their
//! geometry from the [`Plan`] that the rule yields. Nothing in this crate computes on numbers of a network.
//!
//! ```
//! use plywood_shape::{Shape, layers::{Conv2d, MaxPool2d}};
//!
//! const CONV: plywood_shape::Plan = Conv2d::new(32).kernel([3, 3]).plan(Shape::image(28, 28, 1));
//! const POOL: plywood_shape::Plan = MaxPool2d::new([2, 2]).plan(CONV.output);
//! assert_eq!(POOL.output, Shape::image(13, 13, 32));
//! assert_eq!(CONV.parameter_count(), 320);
//! ```
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod activation;
pub mod chain;
mod fault;
pub mod layers;
mod part;
mod plan;
mod precision;
mod sample;
mod shape;
mod size;
pub mod table;
mod text;
mod window;

pub use activation::Activation;
pub use fault::{Fault, Rule};
pub use part::PartAt;
pub use plan::{Extent, Fill, Parameter, Plan, Rows};
pub use precision::Precision;
pub use sample::{
    Class, Element, Image, Logits, Probabilities, Real, Sample, Sequence, SequenceItem, Side,
    SideAt, Sides, Token, Vector,
};
pub use shape::{Item, Shape};
pub use size::Size;
pub use table::{Inputs, LayerInfo, Name};
pub use text::Text;
pub use window::{Axis, Padding, Window};
