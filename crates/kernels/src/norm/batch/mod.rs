//! Batch normalisation with what follows it: an activation, and a max-pool whose windows tile the image.
//!
//! ```text
//! z[r][c] = (x[r][c] − mean[c]) · weight[c] / √(var[c] + epsilon) + bias[c]         (Ioffe and Szegedy, 2015)
//! y = the largest activation(z) of a window
//! ```
//!
//! A batch comes in blocks, whose statistics (count, mean and M2) are [merged](super::merge); var is M2 / count. The
//! gradients take two sums over all rows first, of dz, the gradient of z, which is 0 but at a window's maximum:
//!
//! ```text
//! dbias = Σ dz            dweight = Σ dz · x̂            x̂ = (x − mean) / √(var + epsilon)
//! dx = weight / √(var + epsilon) · (dz − dbias / count − x̂ · dweight / count)
//! ```
//!
//! Nothing is kept from forward to backward but x: z, and which place of a window was the largest, are computed again
//! from it with the same bits, which costs less than to store and load them. Rows are the places of all images, or the
//! samples; sums run over them in ascending order, window by window.

use std::ops::Range;

mod forward;
mod input_gradient;
mod sums;

pub(super) use forward::Normalise;
pub use forward::normalise;
pub use input_gradient::{BatchSums, fixed_input_gradient, input_gradient};
pub(super) use input_gradient::{FixedInputGradient, InputGradient};
pub(super) use sums::GradientSums;
pub use sums::gradient_sums;

use super::check_len;
use super::walk::{GROUP, OfGroup, Strip, V, load};
use crate::elementwise::{Activation, OnVectors as _};
use crate::float::Float;
use crate::simd::Simd;

/// What a channel is shifted and scaled by.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a, T> {
    /// `[channels]`
    pub mean: &'a [T],
    /// `[channels]`, M2: the variance times the count.
    pub m2: &'a [T],
    /// Rows that mean and M2 were taken over; 1 where M2 is a variance already.
    pub count: T,
    /// Added to the variance.
    pub epsilon: f64,
    /// `[channels]`
    pub weight: &'a [T],
    /// `[channels]`
    pub bias: &'a [T],
}

impl<T: Float> Norm<'_, T> {
    fn check(&self) {
        check_len("M2", self.m2.len(), self.mean.len());
        check_len("the weight", self.weight.len(), self.mean.len());
        check_len("the bias", self.bias.len(), self.mean.len());
    }

    /// 1 / √(var + epsilon) of the channels from `c` on.
    #[inline(always)]
    fn rstd<S: Simd<Elem = T>>(&self, simd: S, c: usize) -> S::Vector {
        let epsilon = simd.splat(T::from_f64(self.epsilon));
        let var = simd.div(simd.load_partial(&self.m2[c..]), simd.splat(self.count));
        let deviation = simd.sqrt(simd.add(var, epsilon));
        simd.div(simd.splat(T::ONE), deviation)
    }
}

/// What makes z of x, for a group of channels.
struct Affine<T> {
    mean: OfGroup<T>,
    scale: OfGroup<T>,
    bias: OfGroup<T>,
}

impl<T: Float> Affine<T> {
    const fn new() -> Self {
        let zeros = [T::ZERO; GROUP];
        Self {
            mean: zeros,
            scale: zeros,
            bias: zeros,
        }
    }

    #[inline(always)]
    fn begin<S: Simd<Elem = T>>(&mut self, simd: S, norm: &Norm<'_, T>, channels: Range<usize>) {
        let count = channels.len();
        self.mean[..count].copy_from_slice(&norm.mean[channels.clone()]);
        self.bias[..count].copy_from_slice(&norm.bias[channels.clone()]);
        for c in (0..count).step_by(S::LANES) {
            let weight = simd.load_partial(&norm.weight[channels.start + c..]);
            let scale = simd.mul(weight, norm.rstd(simd, channels.start + c));
            simd.store_partial(scale, &mut self.scale[c..]);
        }
    }

    /// The coefficients of a strip, in registers.
    #[inline(always)]
    fn of<S: Simd<Elem = T>>(&self, simd: S, strip: &Strip) -> Line<S> {
        let full = V * S::LANES;
        Line {
            mean: load(simd, &self.mean, strip.channel, full),
            scale: load(simd, &self.scale, strip.channel, full),
            bias: load(simd, &self.bias, strip.channel, full),
        }
    }
}

/// [`Affine`] of a strip.
struct Line<S: Simd> {
    mean: [S::Vector; V],
    scale: [S::Vector; V],
    bias: [S::Vector; V],
}

impl<S: Simd> Line<S> {
    /// x − mean, and activation(z).
    #[inline(always)]
    fn at(&self, simd: S, v: usize, x: S::Vector, activation: Activation) -> [S::Vector; 2] {
        let centred = simd.sub(x, self.mean[v]);
        let z = simd.mul_add(centred, self.scale[v], self.bias[v]);
        [centred, activation.forward(simd, z)]
    }
}

/// The largest activated number of a window so far, and what marks its place.
///
/// Of equal ones the first stays. A NaN need not win here as it does forward: it makes all statistics of its channel NaN.
#[derive(Clone, Copy)]
struct Winner<S: Simd> {
    y: S::Vector,
    mark: S::Vector,
}

impl<S: Simd> Winner<S> {
    #[inline(always)]
    fn none(simd: S) -> Self {
        let (y, mark) = (simd.zero(), simd.zero());
        Self { y, mark }
    }

    /// Takes the first place of a window, or the lanes of a further one that are larger.
    #[inline(always)]
    fn meet(&mut self, simd: S, is_first: bool, y: S::Vector, mark: S::Vector) {
        if is_first {
            *self = Self { y, mark };
            return;
        }
        let is_larger = simd.lt(self.y, y);
        self.y = simd.select(is_larger, y, self.y);
        self.mark = simd.select(is_larger, mark, self.mark);
    }
}
