//! Softmax and log-softmax of rows, forward and backward.

use super::count_rows;
use crate::float::Float;
use crate::math;
use crate::simd::{Isa, Kernel, Simd};

/// y = eˣ / Σ eˣ over each row of `columns` elements; the row's maximum is subtracted first.
///
/// # Panics
/// If the lengths differ or are not whole rows.
pub fn softmax_forward<T: Float>(x: &[T], y: &mut [T], columns: usize) {
    assert_eq!(x.len(), y.len(), "the lengths of input and output");
    count_rows(x.len(), columns);
    T::softmax(
        Isa::active(),
        Forward {
            x,
            y,
            columns,
            logarithm: false,
        },
    );
}

/// dx = y (dy − Σ y dy) over each row, from the output y.
///
/// # Panics
/// If the lengths differ or are not whole rows.
pub fn softmax_backward<T: Float>(y: &[T], dy: &[T], dx: &mut [T], columns: usize) {
    assert!(
        y.len() == dy.len() && y.len() == dx.len(),
        "softmax: slices of different lengths"
    );
    count_rows(y.len(), columns);
    T::softmax_gradient(
        Isa::active(),
        Backward {
            y,
            dy,
            dx,
            columns,
            logarithm: false,
        },
    );
}

/// y = x − ln Σ eˣ over each row of `columns` elements.
///
/// # Panics
/// If the lengths differ or are not whole rows.
pub fn log_softmax_forward<T: Float>(x: &[T], y: &mut [T], columns: usize) {
    assert_eq!(x.len(), y.len(), "the lengths of input and output");
    count_rows(x.len(), columns);
    T::softmax(
        Isa::active(),
        Forward {
            x,
            y,
            columns,
            logarithm: true,
        },
    );
}

/// dx = dy − eʸ Σ dy over each row, from the output y.
///
/// # Panics
/// If the lengths differ or are not whole rows.
pub fn log_softmax_backward<T: Float>(y: &[T], dy: &[T], dx: &mut [T], columns: usize) {
    assert!(
        y.len() == dy.len() && y.len() == dx.len(),
        "softmax: slices of different lengths"
    );
    count_rows(y.len(), columns);
    T::softmax_gradient(
        Isa::active(),
        Backward {
            y,
            dy,
            dx,
            columns,
            logarithm: true,
        },
    );
}

pub(crate) struct Forward<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
    columns: usize,
    logarithm: bool,
}

impl<T: Float> Kernel<T> for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        for (x, y) in self
            .x
            .chunks_exact(self.columns)
            .zip(self.y.chunks_exact_mut(self.columns))
        {
            let top = row_max(simd, x);
            let sum = exponentials(simd, x, top, y);
            if self.logarithm {
                let shift = simd.splat(top + ln_of(simd, sum));
                for (x, y) in x.chunks(S::LANES).zip(y.chunks_mut(S::LANES)) {
                    simd.store_partial(simd.sub(simd.load_partial(x), shift), y);
                }
            } else {
                let factor = simd.splat(T::ONE / sum);
                for y in y.chunks_mut(S::LANES) {
                    simd.store_partial(simd.mul(simd.load_partial(y), factor), y);
                }
            }
        }
    }
}

/// The largest element of a row; a NaN may be passed over.
#[inline(always)]
pub(super) fn row_max<S: Simd>(simd: S, x: &[S::Elem]) -> S::Elem {
    let mut top = simd.splat(S::Elem::NEG_INFINITY);
    for x in x.chunks(S::LANES) {
        top = simd.max(top, simd.load_partial_or(x, S::Elem::NEG_INFINITY));
    }
    simd.reduce_max(top)
}

/// y = e^(x − top); gives back the sum.
#[inline(always)]
pub(super) fn exponentials<S: Simd>(
    simd: S,
    x: &[S::Elem],
    top: S::Elem,
    y: &mut [S::Elem],
) -> S::Elem {
    let top = simd.splat(top);
    let mut sum = simd.zero();
    for (x, y) in x.chunks(S::LANES).zip(y.chunks_mut(S::LANES)) {
        let x = simd.load_partial_or(x, S::Elem::NEG_INFINITY);
        let e = math::exp(simd, simd.sub(x, top));
        simd.store_partial(e, y);
        sum = simd.add(sum, e);
    }
    simd.reduce_sum(sum)
}

/// ln of one number by the vector code, the same on every machine of a level.
#[inline(always)]
pub(super) fn ln_of<S: Simd>(simd: S, x: S::Elem) -> S::Elem {
    simd.first(math::ln(simd, simd.splat(x)))
}

pub(crate) struct Backward<'a, T> {
    y: &'a [T],
    dy: &'a [T],
    dx: &'a mut [T],
    columns: usize,
    logarithm: bool,
}

impl<T: Float> Kernel<T> for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let inputs = self
            .y
            .chunks_exact(self.columns)
            .zip(self.dy.chunks_exact(self.columns));
        for ((y, dy), dx) in inputs.zip(self.dx.chunks_exact_mut(self.columns)) {
            let mut sum = simd.zero();
            for (y, dy) in y.chunks(S::LANES).zip(dy.chunks(S::LANES)) {
                let dy = simd.load_partial(dy);
                let weight = if self.logarithm {
                    simd.splat(T::ONE)
                } else {
                    simd.load_partial(y)
                };
                sum = simd.mul_add(weight, dy, sum);
            }
            let sum = simd.splat(simd.reduce_sum(sum));
            let chunks = y.chunks(S::LANES).zip(dy.chunks(S::LANES));
            for ((y, dy), dx) in chunks.zip(dx.chunks_mut(S::LANES)) {
                let (y, dy) = (simd.load_partial(y), simd.load_partial(dy));
                let out = if self.logarithm {
                    simd.sub(dy, simd.mul(math::exp(simd, y), sum))
                } else {
                    simd.mul(y, simd.sub(dy, sum))
                };
                simd.store_partial(out, dx);
            }
        }
    }
}
