//! Average pooling.
//!
//! ```text
//! y[n][oh][ow][c] = the mean of x[n][oh·stride + kh − before][ow·stride + kw − before][c] inside the image
//! ```
//!
//! Padding counts neither in the sum nor in the number, as in Keras. The sum runs in ascending (kh, kw) and is multiplied
//! by one over the number. The mean of a whole image is a window as large as the image.

use super::window::{Place, Windows};
use super::{Dims, check_len};
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// Computes the means of x into y at the active level.
///
/// # Panics
/// If an operand's length does not fit the sizes.
pub fn average_forward<T: Float>(dims: &Dims, x: &[T], y: &mut [T]) {
    average_forward_on(Isa::active(), dims, x, y);
}

/// Computes the means of x into y at the level `isa`.
///
/// # Panics
/// As [`average_forward`], and if this machine lacks `isa`.
pub fn average_forward_on<T: Float>(isa: Isa, dims: &Dims, x: &[T], y: &mut [T]) {
    dims.check();
    check_len("x", x.len(), dims.input_len());
    check_len("y", y.len(), dims.output_len());
    if dims.output_len() > 0 {
        T::average_forward(isa, AverageForward { dims, x, y });
    }
}

pub(crate) struct AverageForward<'a, T> {
    dims: &'a Dims,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Float> Kernel<T> for AverageForward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { dims, x, y } = self;
        for (y, place) in y.chunks_mut(dims.input[2]).zip(Windows::of(dims)) {
            let factor = simd.splat(share(&place));
            for (i, y) in y.chunks_mut(S::LANES).enumerate() {
                let mut sum = simd.zero();
                for kh in place.taps[0].clone() {
                    for kw in place.taps[1].clone() {
                        let x = &x[place.element([kh, kw]) + i * S::LANES..][..y.len()];
                        sum = simd.add(sum, simd.load_partial(x));
                    }
                }
                simd.store_partial(simd.mul(sum, factor), y);
            }
        }
    }
}

/// Computes the gradient of x from that of y into dx at the active level.
///
/// # Panics
/// If an operand's length does not fit the sizes.
pub fn average_backward<T: Float>(dims: &Dims, dy: &[T], dx: &mut [T]) {
    average_backward_on(Isa::active(), dims, dy, dx);
}

/// Computes the gradient of x from that of y into dx at the level `isa`.
///
/// # Panics
/// As [`average_backward`], and if this machine lacks `isa`.
pub fn average_backward_on<T: Float>(isa: Isa, dims: &Dims, dy: &[T], dx: &mut [T]) {
    dims.check();
    check_len("dy", dy.len(), dims.output_len());
    check_len("dx", dx.len(), dims.input_len());
    dx.fill(T::ZERO);
    if dims.output_len() > 0 {
        T::average_backward(isa, AverageBackward { dims, dy, dx });
    }
}

pub(crate) struct AverageBackward<'a, T> {
    dims: &'a Dims,
    dy: &'a [T],
    dx: &'a mut [T],
}

impl<T: Float> Kernel<T> for AverageBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { dims, dy, dx } = self;
        let channels = dims.input[2];
        for (dy, place) in dy.chunks(channels).zip(Windows::of(dims)) {
            let factor = simd.splat(share(&place));
            for kh in place.taps[0].clone() {
                for kw in place.taps[1].clone() {
                    let dx = &mut dx[place.element([kh, kw])..][..channels];
                    for (dx, dy) in dx.chunks_mut(S::LANES).zip(dy.chunks(S::LANES)) {
                        let part = simd.mul(simd.load_partial(dy), factor);
                        simd.store_partial(simd.add(simd.load_partial(dx), part), dx);
                    }
                }
            }
        }
    }
}

/// One over the number of places inside; 0 where there is none.
#[inline(always)]
fn share<T: Float>(place: &Place) -> T {
    match place.count() {
        0 => T::ZERO,
        count => T::ONE / T::from_usize(count),
    }
}
