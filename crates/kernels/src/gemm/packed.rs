//! The packed path: blocks of A and B are copied into panels that a tile reads straight through.
//!
//! ```text
//! for columns in blocks of N_BLOCK, for k in blocks of K_BLOCK:        pack B into panels of V vectors
//!     for rows in blocks of M_BLOCK:                                   pack A into panels of R rows
//!         for each panel of B, for each panel of A: one register tile, which continues the sums in C
//! ```
//!
//! The loops are those of Goto and van de Geijn, *Anatomy of high-performance matrix multiplication* (2008). Panels are
//! padded with zeros to full tiles, whose surplus sums are dropped; an edge tile goes through a buffer.

use super::finish::{Block, finish};
use super::tile::{self, Operands};
use super::{Gemm, MatrixMut, MatrixRef, Start};
use crate::float::Float;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// A panel of B of this depth stays in the first-level cache, a block of A in the second-level one.
const K_BLOCK: usize = 256;
/// Rows of A packed at once, rounded down to whole panels.
const M_BLOCK: usize = 112;
/// Columns of B packed at once.
const N_BLOCK: usize = 256;
/// The largest tile of any level, in rows and columns.
const MAX_TILE: (usize, usize) = (14, 2 * MAX_LANES);

/// Elements that hold the panels of any level.
pub(super) const fn scratch_len(m: usize, n: usize, k: usize) -> usize {
    let k = min(k, K_BLOCK);
    let rows = min(m, M_BLOCK) + MAX_TILE.0;
    let columns = min(n, N_BLOCK) + MAX_TILE.1;
    (rows + columns) * k
}

const fn min(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// A product of any strides and the space for its panels.
pub(super) struct Packed<'a, T> {
    pub(super) gemm: Gemm<'a, T>,
    pub(super) c: MatrixMut<'a, T>,
    pub(super) scratch: &'a mut [T],
}

impl<T: Float> Kernel<T> for Packed<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        match (S::REGISTERS, S::LANES) {
            (32.., _) => run_blocks::<S, 14>(simd, self),
            (_, 8..) => run_blocks::<S, 6>(simd, self),
            _ => run_blocks::<S, 4>(simd, self),
        }
    }
}

/// Vectors in a tile of every level.
const V: usize = 2;

#[inline(always)]
fn run_blocks<S: Simd, const R: usize>(simd: S, packed: Packed<'_, S::Elem>) {
    let Packed {
        gemm,
        mut c,
        scratch,
    } = packed;
    assert!(
        scratch.len() >= scratch_len(gemm.m, gemm.n, gemm.k),
        "gemm: not enough scratch"
    );
    let width = V * S::LANES;
    let m_block = M_BLOCK / R * R;
    let b_len = (gemm.n.min(N_BLOCK)).next_multiple_of(width) * gemm.k.min(K_BLOCK);
    let (b_panels, a_panels) = scratch.split_at_mut(b_len);
    for j in (0..gemm.n).step_by(N_BLOCK) {
        let columns = N_BLOCK.min(gemm.n - j);
        let mut p = 0;
        loop {
            let k = K_BLOCK.min(gemm.k - p);
            let is_last = p + k == gemm.k;
            pack(
                b_panels,
                width,
                Part {
                    matrix: gemm.b.transposed(),
                    i: j,
                    rows: columns,
                    p,
                    k,
                },
            );
            for i in (0..gemm.m).step_by(m_block) {
                let rows = m_block.min(gemm.m - i);
                pack(
                    a_panels,
                    R,
                    Part {
                        matrix: gemm.a,
                        i,
                        rows,
                        p,
                        k,
                    },
                );
                let block = Block {
                    i,
                    rows,
                    j,
                    columns,
                };
                let load_c = p > 0 || gemm.start == Start::Accumulate;
                run_panels::<S, R>(
                    simd,
                    Panels {
                        a: a_panels,
                        b: b_panels,
                        k,
                        load_c,
                    },
                    &mut c,
                    block,
                );
                if is_last && !gemm.epilogue.is_none() {
                    finish(simd, &gemm.epilogue, &mut c, block);
                }
            }
            p += k;
            if is_last {
                break;
            }
        }
    }
}

/// Rows `i..i + rows` and columns `p..p + k` of a matrix.
struct Part<'a, T> {
    matrix: MatrixRef<'a, T>,
    i: usize,
    rows: usize,
    p: usize,
    k: usize,
}

/// Copies a part into panels of `width` rows: within a panel, element (row, p) lies at `p * width + row`. The last
/// panel is filled up with zeros.
#[inline(always)]
fn pack<T: Float>(panels: &mut [T], width: usize, part: Part<'_, T>) {
    if part.k == 0 {
        return;
    }
    let Part { matrix, .. } = part;
    for (panel, first) in panels
        .chunks_exact_mut(width * part.k)
        .zip((0..part.rows).step_by(width))
    {
        let rows = width.min(part.rows - first);
        if rows < width {
            panel.fill(T::ZERO);
        }
        let source =
            &matrix.data[(part.i + first) * matrix.row_stride + part.p * matrix.column_stride..];
        if matrix.row_stride == 1 {
            for (p, target) in panel.chunks_exact_mut(width).enumerate() {
                target[..rows].copy_from_slice(&source[p * matrix.column_stride..][..rows]);
            }
        } else {
            for row in 0..rows {
                for p in 0..part.k {
                    panel[p * width + row] =
                        source[row * matrix.row_stride + p * matrix.column_stride];
                }
            }
        }
    }
}

/// Packed panels of depth k.
struct Panels<'a, T> {
    a: &'a [T],
    b: &'a [T],
    k: usize,
    load_c: bool,
}

/// Every tile of a block of C.
#[inline(always)]
fn run_panels<S: Simd, const R: usize>(
    simd: S,
    panels: Panels<'_, S::Elem>,
    c: &mut MatrixMut<'_, S::Elem>,
    block: Block,
) {
    let width = V * S::LANES;
    let mut edge = [S::Elem::ZERO; MAX_TILE.0 * MAX_TILE.1];
    for (jt, j) in (0..block.columns).step_by(width).enumerate() {
        let b = &panels.b[jt * width * panels.k..][..width * panels.k];
        let columns = width.min(block.columns - j);
        for (it, i) in (0..block.rows).step_by(R).enumerate() {
            let a = &panels.a[it * R * panels.k..][..R * panels.k];
            let rows = R.min(block.rows - i);
            let start = (block.i + i) * c.row_stride + block.j + j;
            let is_full = rows == R && columns == width;
            if !is_full && panels.load_c {
                for r in 0..rows {
                    edge[r * width..][..columns]
                        .copy_from_slice(&c.data[start + r * c.row_stride..][..columns]);
                }
            }
            let (target, c_row) = if is_full {
                (&mut c.data[start..], c.row_stride)
            } else {
                (&mut edge[..], width)
            };
            assert!(
                target.len() >= (R - 1) * c_row + width,
                "gemm: a tile lies within C"
            );
            let operands = Operands {
                k: panels.k,
                a: a.as_ptr(),
                a_row: 1,
                a_column: R,
                b: b.as_ptr(),
                b_row: width,
                c: target.as_mut_ptr(),
                c_row,
                load_c: panels.load_c,
            };
            // SAFETY: the slices of A and B hold R·k and V·LANES·k elements, the target R rows of V·LANES, as asserted;
            // it is borrowed exclusively.
            unsafe { tile::full::<S, R, V>(simd, operands) };
            if !is_full {
                for r in 0..rows {
                    c.data[start + r * c.row_stride..][..columns]
                        .copy_from_slice(&edge[r * width..][..columns]);
                }
            }
        }
    }
}
