//! An activation over values in memory, for the epilogues that are not applied in registers.

use crate::elementwise::{Activation, OnVectors as _};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// Applies an activation in place.
pub(super) struct Activate<'a, T> {
    pub(super) activation: Activation,
    pub(super) values: &'a mut [T],
}

impl<T: Float> Kernel<T> for Activate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        if self.activation == Activation::Identity {
            return;
        }
        for chunk in self.values.chunks_mut(S::LANES) {
            let y = self.activation.forward(simd, simd.load_partial(chunk));
            simd.store_partial(y, chunk);
        }
    }
}
