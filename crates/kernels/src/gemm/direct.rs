//! The direct path: A and B are read where they lie, for row-major B whose rows are not too wide.
//!
//! ```text
//! for k in blocks of K_BLOCK:
//!     all rows of A against the block of B
//! ```

use super::rows::{BlockOfB, Rows};
use super::{Gemm, MatrixMut};
use crate::float::Float;
use crate::simd::{Isa, Kernel, MAX_LANES, Simd};

/// The largest k·n that goes this way for any m: B then stays in the second-level cache.
const MAX_B_LEN: usize = 1 << 16;

/// The most columns of a larger B that goes this way for up to [`MAX_ROWS`] rows, and for more if its rows begin at a cache
/// line as the first one does: K_BLOCK rows stay in the cache, and a copy would be read too few times to pay.
const MAX_COLUMNS: usize = 512;
const MAX_ROWS: usize = 256;

/// Up to this m, B goes this way whatever its size.
const FEW_ROWS: usize = 16;

/// Whether a product with row-major B goes this way. Narrow tiles read rows of a wide B worse than they copy them.
pub(super) fn pays<T>(gemm: &Gemm<'_, T>, isa: Isa) -> bool {
    let Gemm { m, n, k, .. } = *gemm;
    let is_aligned = gemm.b.row_stride.is_multiple_of(MAX_LANES);
    let stays = isa == Isa::Avx512 && n <= MAX_COLUMNS && (m <= MAX_ROWS || is_aligned);
    k * n <= MAX_B_LEN || m <= FEW_ROWS || stays
}

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
