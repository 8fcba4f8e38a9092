//! Asking for what the next tiles read, while this one computes.
//!
//! A tile's rows of C, and the rows of A of the group after this one, lie in cache lines that no pattern announces to the
//! hardware: a few neighbouring ones a row, then a jump. In a product that outgrows the second-level cache a tile would
//! wait for them one after the other. So each tile asks for the C of the next tile and for its share of the A of the next
//! group, a row at a time over its run of k: asked for all at once, they hold up the loads of B.
//!
//! Tiles of sixteen registers do not ask: they last too short for it.
//!
//! Tried and lost: copying A into panels (the copy waits for the same lines and gains nothing afterwards); asking for B,
//! which comes in order anyway.

use super::rows::BlockOfB;
use super::{Gemm, MatrixMut};
use crate::simd::Simd;

/// Elements of all three matrices from which a product asks: a half of a second-level cache of 1 MiB.
const FROM: usize = 1 << 17;

/// Runs of k from which a tile has the time to ask.
const MIN_K: usize = 64;

/// Elements in a cache line of 64 bytes.
const fn line<S: Simd>() -> usize {
    64 / size_of::<S::Elem>()
}

/// Whether a product asks ahead.
pub(super) fn pays<T>(gemm: &Gemm<'_, T>, k: usize) -> bool {
    let Gemm { m, n, k: whole, .. } = *gemm;
    k >= MIN_K && m * n + m * whole + whole * n >= FROM
}

/// What a tile asks for, by rows of the tile. The addresses are hints and need not be valid.
#[derive(Clone, Copy)]
pub(super) struct Ahead<T> {
    /// The first element of the next tile of C.
    c: *const T,
    c_row: usize,
    /// The first element of A that this tile asks for.
    a: *const T,
    /// Elements of A from what one row of the tile asks for to what the next one does.
    a_row: usize,
    /// Cache lines of A for a row of the tile, and the elements from one to the next.
    a_lines: usize,
    a_line: usize,
}

impl<T> Ahead<T> {
    /// Asks for a row of what comes next: `vectors` vectors of C and the share of A.
    #[inline(always)]
    pub(super) fn ask_for<S: Simd<Elem = T>>(&self, simd: S, row: usize, vectors: usize) {
        for j in 0..vectors {
            simd.prefetch(self.c.wrapping_add(row * self.c_row + j * S::LANES));
        }
        for l in 0..self.a_lines {
            simd.prefetch(self.a.wrapping_add(row * self.a_row + l * self.a_line));
        }
    }
}

/// The tiles of a group of rows, and what each of them asks for.
pub(super) struct Plan<T> {
    first: Ahead<T>,
    /// Elements of A from what a tile asks for to what the next one does.
    a_tile: usize,
    /// Columns of a tile and of all tiles.
    columns: usize,
    all_columns: usize,
    rows: usize,
}

impl<T> Plan<T> {
    /// For the tiles of `rows` rows from row `i` on, each of `columns` columns.
    #[inline(always)]
    pub(super) fn new<S: Simd<Elem = T>>(
        gemm: &Gemm<'_, T>,
        b: &BlockOfB<'_, T>,
        c: &MatrixMut<'_, T>,
        [i, rows, columns]: [usize; 3],
    ) -> Self {
        let tiles = (b.columns / columns).max(1);
        let a = &gemm.a;
        let next = (i + rows) * a.row_stride + b.p * a.column_stride;
        // Rows of contiguous elements: a share of the lines of each row. Otherwise a line at every step of k.
        let (a_lines, a_line, a_row, a_tile) = if a.column_stride == 1 {
            let lines = b.k.div_ceil(tiles * line::<S>());
            (lines, line::<S>(), a.row_stride, lines * line::<S>())
        } else {
            let lines = b.k.div_ceil(tiles * rows);
            let row = lines * a.column_stride;
            (lines, a.column_stride, row, rows * row)
        };
        let first = Ahead {
            c: c.data.as_ptr().wrapping_add(i * c.row_stride + b.j),
            c_row: c.row_stride,
            a: a.data.as_ptr().wrapping_add(next),
            a_row,
            a_lines,
            a_line,
        };
        Self {
            first,
            a_tile,
            columns,
            all_columns: tiles * columns,
            rows,
        }
    }

    /// What the tile at column `j` of the block asks for.
    #[inline(always)]
    pub(super) fn at(&self, j: usize) -> Ahead<T> {
        let next = j + self.columns;
        let c = if next < self.all_columns {
            next
        } else {
            self.rows * self.first.c_row
        };
        Ahead {
            c: self.first.c.wrapping_add(c),
            a: self.first.a.wrapping_add(j / self.columns * self.a_tile),
            ..self.first
        }
    }
}
