//! The activations that a matrix product or a convolution can end with.
//!
//! Their derivatives follow from their outputs alone, so a fused layer saves nothing but its output.

use crate::float::Float;
use crate::math::{self, constant};
use crate::simd::{Kernel, Simd};

/// A pointwise function whose derivative follows from its output y.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Activation {
    /// y = x
    #[default]
    Identity,
    /// y = max(x, 0); the derivative at 0 is 0.
    Relu,
    /// y = x for positive x, else slope · x; the slope is positive.
    LeakyRelu(f64),
    /// y = 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// y = tanh x
    Tanh,
}

impl Activation {
    /// y from x, lane by lane.
    #[inline(always)]
    pub fn forward<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
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

    /// dL/dx from the output y and dL/dy, lane by lane.
    #[inline(always)]
    pub fn backward<S: Simd>(self, simd: S, y: S::Vector, dy: S::Vector) -> S::Vector {
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

/// y = activation(x) in place, equal to the bit to the epilogue of the operation that made x.
pub fn activation_forward<T: Float>(activation: Activation, values: &mut [T]) {
    T::dispatch(ActivationForward { activation, values });
}

/// Applies an activation to a slice in place.
pub(crate) struct ActivationForward<'a, T> {
    pub(crate) activation: Activation,
    pub(crate) values: &'a mut [T],
}

impl<T: Float> Kernel<T> for ActivationForward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        for chunk in self.values.chunks_mut(S::LANES) {
            let y = self.activation.forward(simd, simd.load_partial(chunk));
            simd.store_partial(y, chunk);
        }
    }
}
