//! The activations that a matrix product or a convolution can end with.
//!
//! Their derivatives follow from their outputs alone, so a fused layer saves nothing but its output.

use super::map::{Binary, Map, MapInPlace, Unary, Zip, ZipInPlace};
use crate::float::Float;
use crate::math::{self, constant};
use crate::simd::{Isa, Simd};

pub use plywood_shape::Activation;

/// An activation on vectors of any level.
pub(crate) trait OnVectors: Copy {
    /// y from x, lane by lane.
    fn forward<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector;

    /// dL/dx from the output y and dL/dy, lane by lane.
    fn backward<S: Simd>(self, simd: S, y: S::Vector, dy: S::Vector) -> S::Vector;
}

impl OnVectors for Activation {
    #[inline(always)]
    fn forward<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        match self {
            Self::Identity => x,
            Self::Relu => relu(simd, x),
            Self::LeakyRelu(slope) => {
                let is_positive = simd.lt(simd.zero(), x);
                simd.select(is_positive, x, simd.mul(x, constant(simd, slope)))
            }
            Self::Sigmoid => math::sigmoid(simd, x),
            Self::Tanh => math::tanh(simd, x),
        }
    }

    #[inline(always)]
    fn backward<S: Simd>(self, simd: S, y: S::Vector, dy: S::Vector) -> S::Vector {
        let one = simd.splat(S::Elem::ONE);
        match self {
            Self::Identity => dy,
            Self::Relu => simd.select(simd.lt(simd.zero(), y), dy, simd.zero()),
            Self::LeakyRelu(slope) => {
                let is_positive = simd.lt(simd.zero(), y);
                simd.select(is_positive, dy, simd.mul(dy, constant(simd, slope)))
            }
            Self::Sigmoid => simd.mul(dy, simd.mul(y, simd.sub(one, y))),
            Self::Tanh => simd.mul(dy, simd.sub(one, simd.mul(y, y))),
        }
    }
}

/// max(x, 0); a NaN stays one.
#[inline(always)]
fn relu<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    simd.max(simd.zero(), x)
}

/// y = activation(x), equal to the bit to the epilogue of the operation that made x.
///
/// # Panics
/// If the lengths differ.
pub fn activation_forward<T: Float>(activation: Activation, x: &[T], y: &mut [T]) {
    T::activate(Isa::active(), Map::new(Forward(activation), x, y));
}

/// [`activation_forward`] in place.
pub fn activation_forward_in_place<T: Float>(activation: Activation, values: &mut [T]) {
    let function = Forward(activation);
    T::activate_in_place(Isa::active(), MapInPlace { function, values });
}

/// dx = dL/dx from the output y and dy = dL/dy.
///
/// # Panics
/// If the lengths differ.
pub fn activation_backward<T: Float>(activation: Activation, y: &[T], dy: &[T], dx: &mut [T]) {
    let kernel = Zip::new(Backward(activation), [dy, y], dx);
    T::activation_gradient(Isa::active(), kernel);
}

/// [`activation_backward`] in place: `gradient` holds dL/dy and becomes dL/dx.
///
/// # Panics
/// If the lengths differ.
pub fn activation_backward_in_place<T: Float>(activation: Activation, y: &[T], gradient: &mut [T]) {
    let kernel = ZipInPlace::new(Backward(activation), gradient, y);
    T::activation_gradient_in_place(Isa::active(), kernel);
}

/// y from x.
#[derive(Clone, Copy)]
pub(crate) struct Forward(pub(crate) Activation);

impl<T: Float> Unary<T> for Forward {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, x: S::Vector) -> S::Vector {
        self.0.forward(simd, x)
    }
}

/// dx from dy and y.
#[derive(Clone, Copy)]
pub(crate) struct Backward(Activation);

impl<T: Float> Binary<T> for Backward {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, dy: S::Vector, y: S::Vector) -> S::Vector {
        self.0.backward(simd, y, dy)
    }
}
