//! The direct path: A and B are read where they lie, for row-major B that fits the cache.
//!
//! Rows come in blocks as even as possible (16 rows of at most 6 are 6, 5 and 5), and each block runs over all columns
//! of a stretch of k before the next one does. Fewer rows take more vectors, so that enough sums are under way at once.

use super::finish::{Block, finish};
use super::tile::{self, Operands};
use super::{Gemm, MatrixMut, Start};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// The largest k·n that goes this way: B then stays in the second-level cache.
pub(super) const MAX_B_LEN: usize = 1 << 16;

/// Rows of B in one run over the columns, so that a strip of B stays in the first-level cache.
const K_BLOCK: usize = 256;

/// A product with row-major B.
pub(super) struct Direct<'a, T> {
    pub(super) gemm: Gemm<'a, T>,
    pub(super) c: MatrixMut<'a, T>,
}

impl<T: Float> Kernel<T> for Direct<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { gemm, mut c } = self;
        let max_rows = match (S::REGISTERS, S::LANES) {
            (32.., _) => 8,
            (_, 8..) => 6,
            _ => 4,
        };
        let mut p = 0;
        loop {
            let k = K_BLOCK.min(gemm.k - p);
            let is_last = p + k == gemm.k;
            let (mut i, mut blocks) = (0, gemm.m.div_ceil(max_rows));
            while blocks > 0 {
                let rows = (gemm.m - i).div_ceil(blocks);
                let strip = Strip {
                    gemm: &gemm,
                    i,
                    p,
                    k,
                };
                run_rows(simd, strip, &mut c, rows);
                if is_last && !gemm.epilogue.is_none() {
                    finish(
                        simd,
                        &gemm.epilogue,
                        &mut c,
                        Block {
                            i,
                            rows,
                            j: 0,
                            columns: gemm.n,
                        },
                    );
                }
                i += rows;
                blocks -= 1;
            }
            p += k;
            if is_last {
                break;
            }
        }
    }
}

/// Some rows of A from row `i` and a stretch of k from `p`.
#[derive(Clone, Copy)]
struct Strip<'a, T> {
    gemm: &'a Gemm<'a, T>,
    i: usize,
    p: usize,
    k: usize,
}

/// All columns of a block of 1 to 8 rows.
#[inline(always)]
fn run_rows<S: Simd>(
    simd: S,
    strip: Strip<'_, S::Elem>,
    c: &mut MatrixMut<'_, S::Elem>,
    rows: usize,
) {
    if S::REGISTERS >= 32 {
        match rows {
            1 => run_block::<S, 1, 8>(simd, strip, c),
            2 => run_block::<S, 2, 8>(simd, strip, c),
            3 => run_block::<S, 3, 4>(simd, strip, c),
            4 => run_block::<S, 4, 4>(simd, strip, c),
            5 => run_block::<S, 5, 4>(simd, strip, c),
            6 => run_block::<S, 6, 4>(simd, strip, c),
            7 => run_block::<S, 7, 2>(simd, strip, c),
            _ => run_block::<S, 8, 3>(simd, strip, c),
        }
    } else {
        match rows {
            1 => run_block::<S, 1, 8>(simd, strip, c),
            2 => run_block::<S, 2, 4>(simd, strip, c),
            3 => run_block::<S, 3, 3>(simd, strip, c),
            4 => run_block::<S, 4, 2>(simd, strip, c),
            5 => run_block::<S, 5, 2>(simd, strip, c),
            _ => run_block::<S, 6, 2>(simd, strip, c),
        }
    }
}

/// All columns of R rows: tiles of V vectors, then of two, one and a part of one.
#[inline(always)]
fn run_block<S: Simd, const R: usize, const V: usize>(
    simd: S,
    strip: Strip<'_, S::Elem>,
    c: &mut MatrixMut<'_, S::Elem>,
) {
    let Strip { gemm, i, p, k } = strip;
    // The checks on entry bound every index below; with k = 0 nothing of A and B is read.
    let at = |j: usize| Operands {
        k,
        a: gemm
            .a
            .data
            .as_ptr()
            .wrapping_add(i * gemm.a.row_stride + p * gemm.a.column_stride),
        a_row: gemm.a.row_stride,
        a_column: gemm.a.column_stride,
        b: gemm.b.data.as_ptr().wrapping_add(p * gemm.b.row_stride + j),
        b_row: gemm.b.row_stride,
        c: std::ptr::null_mut(),
        c_row: c.row_stride,
        load_c: p > 0 || gemm.start == Start::Accumulate,
    };
    let c_row = c.data.as_mut_ptr().wrapping_add(i * c.row_stride);
    let mut j = 0;
    while j + V * S::LANES <= gemm.n {
        // SAFETY: rows i..i+R, p..p+k and columns j..j+V·LANES lie within the operands, whose extents were checked; C is
        // borrowed exclusively.
        unsafe {
            tile::full::<S, R, V>(
                simd,
                Operands {
                    c: c_row.add(j),
                    ..at(j)
                },
            )
        };
        j += V * S::LANES;
    }
    if V > 2 {
        while j + 2 * S::LANES <= gemm.n {
            // SAFETY: as above, with two vectors.
            unsafe {
                tile::full::<S, R, 2>(
                    simd,
                    Operands {
                        c: c_row.add(j),
                        ..at(j)
                    },
                )
            };
            j += 2 * S::LANES;
        }
    }
    if j + S::LANES <= gemm.n {
        // SAFETY: as above, with one vector.
        unsafe {
            tile::full::<S, R, 1>(
                simd,
                Operands {
                    c: c_row.add(j),
                    ..at(j)
                },
            )
        };
        j += S::LANES;
    }
    if j < gemm.n {
        // SAFETY: as above, with the n − j < LANES columns that are left.
        unsafe {
            tile::partial::<S, R>(
                simd,
                gemm.n - j,
                Operands {
                    c: c_row.add(j),
                    ..at(j)
                },
            )
        };
    }
}
