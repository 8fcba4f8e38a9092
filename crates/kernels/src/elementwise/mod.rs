//! Operations that treat each element alone, and the two that go along with a dense layer's bias.
//!
//! Every pass runs full vectors and one partial one through the same vector code, so an element's bits do not depend on
//! where a slice is cut.

mod activation;
mod arithmetic;
mod bias;
mod dropout;
mod gated;
mod map;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use activation::Forward;
pub(crate) use activation::OnVectors;
pub use activation::{
    Activation, activation_backward, activation_backward_in_place, activation_forward,
    activation_forward_in_place,
};
pub use arithmetic::{add, add_assign, axpy, multiply, multiply_assign, scale, subtract};
pub use bias::{add_bias, column_sums};
pub use dropout::Dropout;
pub use gated::{gelu_backward, gelu_forward, silu_backward, silu_forward};
#[cfg(test)]
pub(crate) use map::MapInPlace;

use crate::once::compiled_once;
use map::{Map, Zip, ZipInPlace};

compiled_once! {
    /// The operations that are more than one instruction.
    PointElement {
        activate: Map<'_, Self, activation::Forward>,
        activate_in_place: map::MapInPlace<'_, Self, activation::Forward>,
        activation_gradient: Zip<'_, Self, activation::Backward>,
        activation_gradient_in_place: ZipInPlace<'_, Self, activation::Backward>,
        gelu: Map<'_, Self, gated::Gelu>,
        gelu_gradient: Zip<'_, Self, gated::Gelu>,
        silu: Map<'_, Self, gated::Silu>,
        silu_gradient: Zip<'_, Self, gated::Silu>,
        drop_out: dropout::Apply<'_, Self>,
        add_bias: bias::AddBias<'_, Self>,
        column_sums: bias::ColumnSums<'_, Self>,
    }
}
