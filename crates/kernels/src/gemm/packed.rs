//! The packed path: a block of B at a time is copied into rows side by side, for transposed B and for B that outgrows
//! the cache.
//!
//! ```text
//! for columns in blocks of N_BLOCK, for k in blocks of K_BLOCK:
//!     copy the block of B into rows
//!     all rows of A against it
//! ```
//!
//! A is read where it lies: in blocks of K_BLOCK its rows are runs long enough to load well. Panels of A, as in Goto and
//! van de Geijn's *Anatomy of high-performance matrix multiplication* (2008), cost more than they gain below some
//! thousand rows.

use super::direct::K_BLOCK;
use super::rows::{BlockOfB, Rows};
use super::{Gemm, MatrixMut, MatrixRef};
use crate::float::Float;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// Columns of B copied at once; with K_BLOCK rows they fit the second-level cache beside A.
const N_BLOCK: usize = 128;

/// Elements that hold a block of B.
pub(super) const fn scratch_len(n: usize, k: usize) -> usize {
    min(k, K_BLOCK) * min(n, N_BLOCK).next_multiple_of(MAX_LANES)
}

const fn min(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// A product of any strides and the space for a block of B.
pub(super) struct Packed<'a, T> {
    pub(super) gemm: Gemm<'a, T>,
    pub(super) c: MatrixMut<'a, T>,
    pub(super) scratch: &'a mut [T],
}

impl<T: Float> Kernel<T> for Packed<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            gemm,
            mut c,
            scratch,
        } = self;
        assert!(
            scratch.len() >= scratch_len(gemm.n, gemm.k),
            "gemm: not enough scratch"
        );
        for j in (0..gemm.n).step_by(N_BLOCK) {
            let columns = N_BLOCK.min(gemm.n - j);
            let row_stride = columns.next_multiple_of(S::LANES);
            let mut p = 0;
            // Runs once for k = 0 too: the sums are then their start.
            loop {
                let k = K_BLOCK.min(gemm.k - p);
                copy_block(simd, gemm.b, Part { p, k, j, columns }, scratch, row_stride);
                let b = BlockOfB {
                    data: scratch,
                    row_stride,
                    p,
                    k,
                    j,
                    columns,
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
}

/// Rows `p..p + k` and columns `j..j + columns` of B.
#[derive(Clone, Copy)]
struct Part {
    p: usize,
    k: usize,
    j: usize,
    columns: usize,
}

/// Copies a part of B into rows `row_stride` apart.
#[inline(always)]
fn copy_block<S: Simd>(
    simd: S,
    b: MatrixRef<'_, S::Elem>,
    part: Part,
    target: &mut [S::Elem],
    row_stride: usize,
) {
    if part.k == 0 || part.columns == 0 {
        return;
    }
    let source = &b.data[part.p * b.row_stride + part.j * b.column_stride..];
    if b.column_stride == 1 {
        for p in 0..part.k {
            let row = &mut target[p * row_stride..][..part.columns];
            row.copy_from_slice(&source[p * b.row_stride..][..part.columns]);
        }
    } else if b.row_stride == 1 {
        transpose(simd, source, b.column_stride, part, target, row_stride);
    } else {
        for p in 0..part.k {
            for j in 0..part.columns {
                target[p * row_stride + j] = source[p * b.row_stride + j * b.column_stride];
            }
        }
    }
}

/// Copies columns of contiguous elements into rows: squares of LANES in registers, the edges one by one.
#[inline(always)]
fn transpose<S: Simd>(
    simd: S,
    source: &[S::Elem],
    column_stride: usize,
    part: Part,
    target: &mut [S::Elem],
    row_stride: usize,
) {
    let Part { k, columns, .. } = part;
    assert!(
        source.len() >= (columns - 1) * column_stride + k,
        "gemm: B shorter than its extent"
    );
    assert!(
        target.len() >= (k - 1) * row_stride + columns,
        "gemm: not enough scratch"
    );
    let (square_k, square_columns) = (k / S::LANES * S::LANES, columns / S::LANES * S::LANES);
    for j in (0..square_columns).step_by(S::LANES) {
        for p in (0..square_k).step_by(S::LANES) {
            let from = source.as_ptr().wrapping_add(j * column_stride + p);
            let to = target.as_mut_ptr().wrapping_add(p * row_stride + j);
            // SAFETY: columns j..j+LANES and elements p..p+LANES of each lie within both slices, as asserted.
            unsafe { simd.transpose_square(from, column_stride, to, row_stride) };
        }
    }
    for j in 0..columns {
        let first = if j < square_columns { square_k } else { 0 };
        for p in first..k {
            target[p * row_stride + j] = source[j * column_stride + p];
        }
    }
}
