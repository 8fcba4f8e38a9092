//! A bias added to every row, and its gradient: the sums of the columns.

use crate::float::Float;
use crate::gemm::Start;
use crate::simd::{Isa, Kernel, Simd};

/// values\[i\]\[j\] += bias\[j\], for rows as long as the bias.
///
/// # Panics
/// If `values` is not whole rows.
pub fn add_bias<T: Float>(values: &mut [T], bias: &[T]) {
    check(values.len(), bias.len());
    T::add_bias(Isa::active(), AddBias { values, bias });
}

/// sums\[j\] = (sums\[j\] +) Σᵢ values\[i\]\[j\], rows in ascending order, for rows as long as `sums`.
///
/// # Panics
/// If `values` is not whole rows.
pub fn column_sums<T: Float>(values: &[T], sums: &mut [T], start: Start) {
    check(values.len(), sums.len());
    let kernel = ColumnSums {
        values,
        sums,
        start,
    };
    T::column_sums(Isa::active(), kernel);
}

fn check(len: usize, columns: usize) {
    let is_whole = if columns == 0 {
        len == 0
    } else {
        len.is_multiple_of(columns)
    };
    assert!(is_whole, "{len} elements are not whole rows of {columns}");
}

pub(crate) struct AddBias<'a, T> {
    values: &'a mut [T],
    bias: &'a [T],
}

impl<T: Float> Kernel<T> for AddBias<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        for row in self.values.chunks_mut(self.bias.len().max(1)) {
            for (x, bias) in row.chunks_mut(S::LANES).zip(self.bias.chunks(S::LANES)) {
                simd.store_partial(simd.add(simd.load_partial(x), simd.load_partial(bias)), x);
            }
        }
    }
}

pub(crate) struct ColumnSums<'a, T> {
    values: &'a [T],
    sums: &'a mut [T],
    start: Start,
}

/// Vectors summed side by side, enough to hide the latency of an addition.
const V: usize = 4;

impl<T: Float> Kernel<T> for ColumnSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let columns = self.sums.len();
        for (strip, sums) in self.sums.chunks_mut(V * S::LANES).enumerate() {
            let j = strip * V * S::LANES;
            let width = sums.len();
            let mut totals = [simd.zero(); V];
            if self.start == Start::Accumulate {
                for v in 0..V {
                    totals[v] = simd.load_partial(&sums[width.min(v * S::LANES)..]);
                }
            }
            for row in self.values.chunks_exact(columns) {
                let row = &row[j..][..width];
                for v in 0..V {
                    let x = simd.load_partial(&row[width.min(v * S::LANES)..]);
                    totals[v] = simd.add(totals[v], x);
                }
            }
            for v in 0..V {
                simd.store_partial(totals[v], &mut sums[width.min(v * S::LANES)..]);
            }
        }
    }
}
