//! The direct path: A and B are read where they lie, for row-major B that fits the cache.

use super::rows::{BlockOfB, Rows};
use super::{Gemm, MatrixMut};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// The most columns of a B that goes this way: K_BLOCK rows of them stay in the second-level cache.
pub(super) const MAX_COLUMNS: usize = 512;

/// Up to this m, B goes this way whatever its size: a copy would be read too few times to pay.
pub(super) const MAX_ROWS: usize = 16;

/// Rows of B in one run over the columns, so that what a tile reads of A and B stays in the first-level cache.
pub(super) const K_BLOCK: usize = 128;

/// A product with row-major B.
pub(super) struct Direct<'a, T> {
    pub(super) gemm: Gemm<'a, T>,
    pub(super) c: MatrixMut<'a, T>,
}

impl<T: Float> Kernel<T> for Direct<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, _simd: S) {
        let Self { gemm, mut c } = self;
        let row_stride = gemm.b.row_stride;
        let mut p = 0;
        // Runs once for k = 0 too: the sums are then their start.
        loop {
            let k = K_BLOCK.min(gemm.k - p);
            let data = gemm.b.data.get(p * row_stride..).unwrap_or(&[]);
            let b = BlockOfB {
                data,
                row_stride,
                vector_stride: S::LANES,
                p,
                k,
                j: 0,
                columns: gemm.n,
            };
            T::run_rows(
                S::ISA,
                Rows {
                    gemm: &gemm,
                    b,
                    c: &mut c,
                },
            );
            p += k;
            if p == gemm.k {
                break;
            }
        }
    }
}
