//! Asking for what the finish of a tile reads, while its sums are under way.
//!
//! What was saved for the way back lies in lines far apart, long since out of the cache. No pattern announces them to the
//! hardware, and the finish would wait for them one after the other. Asked for all at once they would hold up the weights, so
//! a tile asks for a row at a time, between runs of its products. Tiles of sixteen registers do not: they last too short.
//!
//! Tried and lost: asking on the way forth for the lines that a finish writes.

use super::strips::WIDTH;
use super::tile::{Lanes, Rows, add_products};
use crate::simd::Simd;

/// What a tile reads once its sums are finished: rows of N buffers. The addresses are hints and need not be valid.
#[derive(Clone, Copy)]
pub(super) struct Ahead<T, const N: usize> {
    /// The first number of the tile in a buffer, and what lies from one row to the next.
    rows: [(*const T, usize); N],
    /// Vectors of units of a row.
    vectors: usize,
}

impl<T, const N: usize> Ahead<T, N> {
    /// Of each buffer, from its first number on, `vectors` vectors of units of rows so far apart.
    #[inline(always)]
    pub(super) fn new(buffers: [(&[T], usize); N], vectors: usize) -> Self {
        let mut ahead = Self::none();
        ahead.vectors = vectors;
        for i in 0..N {
            let (buffer, stride) = buffers[i];
            ahead.rows[i] = (buffer.as_ptr(), stride);
        }
        ahead
    }

    /// Nothing.
    pub(super) const fn none() -> Self {
        Self {
            rows: [(std::ptr::null(), 0); N],
            vectors: 0,
        }
    }

    /// Asks for row `row`.
    #[inline(always)]
    fn ask_for<S: Simd<Elem = T>>(&self, simd: S, row: usize) {
        for v in 0..self.vectors {
            for (first, stride) in self.rows {
                simd.prefetch(first.wrapping_add(row * stride + v * WIDTH));
            }
        }
    }
}

/// Products between two rows that are asked for: shorter runs cost more than what they ask for would have.
const RUN: usize = 16;

/// [`add_products`], asking meanwhile for the rows of `ahead` one after the other.
#[inline(always)]
pub(super) fn add_products_ahead<S: Simd, const R: usize, const G: usize, const N: usize>(
    simd: S,
    mut sums: [[S::Vector; G]; R],
    rows: Rows<'_, S::Elem>,
    n: usize,
    lanes: Lanes<'_, S::Elem>,
    ahead: Ahead<S::Elem, N>,
) -> [[S::Vector; G]; R] {
    if S::REGISTERS < 32 || ahead.vectors == 0 {
        return add_products(simd, sums, rows, n, lanes);
    }
    let runs = R.min(rows.len / RUN).max(1);
    let (mut run, mut row, mut first) = (0, 0, 0);
    while run < runs {
        run += 1;
        while row < R * run / runs {
            ahead.ask_for(simd, row);
            row += 1;
        }
        let end = rows.len * run / runs;
        let part = rows.part(first, end - first);
        sums = add_products(simd, sums, part, n, lanes.from(first));
        first = end;
    }
    sums
}
