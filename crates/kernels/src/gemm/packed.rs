//! The packed path: a block of B at a time is copied into columns of vectors, for transposed B and for B whose rows are
//! too wide to be read where they lie.
//!
//! ```text
//! for columns in blocks of N_BLOCK, for k in blocks of K_BLOCK:
//!     copy the block of B: for each vector of columns, its rows one behind the other
//!     all rows of A against it
//! ```
//!
//! A is read where it lies; a tile asks ahead for it ([`ahead`](super::ahead)). The copy of B comes in order, so the
//! hardware fetches it from the second-level cache by itself.
//!
//! Tried and lost: panels of A, as in Goto and van de Geijn's *Anatomy of high-performance matrix multiplication* (2008);
//! longer blocks of k, whose tiles of B drive A out of the first-level cache; smaller blocks of transposed B for few rows
//! of A; transposition by 512-bit pieces and by masked loads, because it waits for B and not for its shuffles.

use super::direct::K_BLOCK;
use super::rows::{BlockOfB, Rows};
use super::{Gemm, MatrixMut, MatrixRef};
use crate::float::Float;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// Columns of B copied at once; with K_BLOCK rows they fit the second-level cache, and each row of A is read against
/// many of them.
const N_BLOCK: usize = 512;

/// Vectors between the last of one column of vectors and the first of the next: without it, those of a row of B would
/// meet in a few sets of the first-level cache while they are copied.
const PAD: usize = 1;

/// How many rows of B ahead the copy asks for: what a row takes to copy times this is longer than a line takes to come.
const COPY_AHEAD: usize = 4;

/// Elements that hold a block of B.
pub(super) const fn scratch_len(n: usize, k: usize) -> usize {
    (min(k, K_BLOCK) + PAD) * min(n, N_BLOCK).next_multiple_of(MAX_LANES)
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
            let mut p = 0;
            // Runs once for k = 0 too: the sums are then their start.
            loop {
                let k = K_BLOCK.min(gemm.k - p);
                let vector_stride = (k + PAD) * S::LANES;
                copy_block(
                    simd,
                    gemm.b,
                    Part { p, k, j, columns },
                    scratch,
                    vector_stride,
                );
                let b = BlockOfB {
                    data: scratch,
                    row_stride: S::LANES,
                    vector_stride,
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

/// Copies a part of B into columns of vectors, `vector_stride` apart.
#[inline(always)]
fn copy_block<S: Simd>(
    simd: S,
    b: MatrixRef<'_, S::Elem>,
    part: Part,
    target: &mut [S::Elem],
    vector_stride: usize,
) {
    let Part { p, k, j, columns } = part;
    if k == 0 || columns == 0 {
        return;
    }
    let source = MatrixRef {
        data: &b.data[p * b.row_stride + j * b.column_stride..],
        ..b
    };
    if b.column_stride == 1 {
        copy_rows(simd, source, [k, columns], target, vector_stride);
        return;
    }
    let is_transposed = b.row_stride == 1;
    for (v, target) in target.chunks_mut(vector_stride).enumerate() {
        let j = v * S::LANES;
        if j >= columns {
            break;
        }
        let columns = S::LANES.min(columns - j);
        let mut first = 0;
        if is_transposed && columns == S::LANES {
            first = k / S::LANES * S::LANES;
            transpose(
                simd,
                &source.data[j * b.column_stride..],
                b.column_stride,
                first,
                target,
            );
        }
        for p in first..k {
            for lane in 0..columns {
                target[p * S::LANES + lane] = source.at(p, j + lane);
            }
        }
    }
}

/// Copies rows of contiguous elements.
#[inline(always)]
fn copy_rows<S: Simd>(
    simd: S,
    source: MatrixRef<'_, S::Elem>,
    [k, columns]: [usize; 2],
    target: &mut [S::Elem],
    vector_stride: usize,
) {
    for p in 0..k {
        let row = &source.data[p * source.row_stride..][..columns];
        let ahead = row.as_ptr().wrapping_add(COPY_AHEAD * source.row_stride);
        for (v, from) in row.chunks(S::LANES).enumerate() {
            simd.prefetch(ahead.wrapping_add(v * S::LANES));
            let to = &mut target[v * vector_stride + p * S::LANES..];
            if from.len() == S::LANES {
                simd.store(simd.load(from), to);
            } else {
                to[..from.len()].copy_from_slice(from);
            }
        }
    }
}

/// Copies LANES columns of `k` contiguous elements into rows one behind the other, in squares of LANES.
#[inline(always)]
fn transpose<S: Simd>(
    simd: S,
    source: &[S::Elem],
    column_stride: usize,
    k: usize,
    target: &mut [S::Elem],
) {
    assert!(
        k == 0 || source.len() >= (S::LANES - 1) * column_stride + k,
        "gemm: B shorter than its extent"
    );
    assert!(target.len() >= k * S::LANES, "gemm: not enough scratch");
    for p in (0..k).step_by(S::LANES) {
        let from = source.as_ptr().wrapping_add(p);
        let to = target.as_mut_ptr().wrapping_add(p * S::LANES);
        // SAFETY: elements p..p + LANES of LANES columns lie within the source and as many rows within the target, as
        // asserted, for k is a multiple of LANES.
        unsafe { simd.transpose_square(from, column_stride, to, S::LANES) };
    }
}
