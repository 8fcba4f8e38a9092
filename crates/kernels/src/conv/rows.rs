//! Some rows of one image's convolution, so that several threads can share it.
//!
//! ```text
//! rows r₀..r₁ of y  =  the convolution of the rows of x that their windows reach
//! ```
//!
//! An element of y is one sum whatever else is computed, so the bits are those of the whole. The kernel is chosen by the sizes of
//! the whole, never by those of a part. Winograd's tiles are two to four rows high, and parts begin where tiles do.

use std::ops::Range;

use super::pooled::way_of;
use super::winograd::Scheme;
use super::{Dims, Forward, ForwardPool, Implementation, Pass, check_len, windows, winograd};
use crate::float::Float;
use crate::pool;
use crate::simd::Isa;

/// Parts of a pool's output begin at multiples of this many rows: those of the highest tile.
pub const POOL_ROWS_TOGETHER: usize = 2;

/// Parts of a convolution's output that goes through no pool begin at multiples of this many rows.
pub fn rows_together<T: Float>(dims: &Dims) -> usize {
    winograd::choose::<T>(dims, Pass::Forward).map_or(EVEN, Scheme::tile)
}

/// Two rows fill a register tile better than one.
const EVEN: usize = 2;

impl Dims {
    /// The convolution of one sample that yields `rows` alone, and the rows of x that it reads.
    fn of_rows(&self, rows: &Range<usize>) -> (Self, Range<usize>) {
        let (first, before) = (rows.start * self.stride[0], self.before[0]);
        let past = (rows.end - 1) * self.stride[0] + (self.kernel[0] - 1) * self.dilation[0] + 1;
        let end = past.saturating_sub(before).min(self.input[0]);
        let start = first.saturating_sub(before).min(end);
        let dims = Self {
            samples: 1,
            input: [end - start, self.input[1], self.input[2]],
            output: [rows.len(), self.output[1], self.output[2]],
            before: [before.saturating_sub(first), self.before[1]],
            ..*self
        };
        (dims, start..end)
    }

    /// Those rows of an image.
    fn input_rows<'a, T>(&self, x: &'a [T], rows: Range<usize>) -> &'a [T] {
        let row = self.input[1] * self.input[2];
        &x[rows.start * row..rows.end * row]
    }
}

/// Panics unless parts of one sample, `together` rows or several times as many each, may begin and end like that.
fn check_rows(samples: usize, rows: &Range<usize>, all: usize, together: usize) {
    assert!(samples == 1, "conv: rows of {samples} samples");
    assert!(
        rows.start < rows.end && rows.end <= all && rows.start.is_multiple_of(together),
        "conv: rows {rows:?} of {all}; parts begin at multiples of {together}"
    );
}

/// Computes `rows` of y at the active level; `y` holds them alone, everything else is that of the whole sample.
///
/// # Panics
/// As [`forward`](super::forward); if there is not one sample, or the rows are none or begin elsewhere than [`rows_together`] says.
pub fn forward_rows<T: Float>(pass: Forward<'_, T>, rows: Range<usize>) {
    let whole = pass.dims;
    whole.check();
    check_rows(
        whole.samples,
        &rows,
        whole.output[0],
        rows_together::<T>(whole),
    );
    check_len("x", pass.x.len(), whole.input_len());
    let (dims, read) = whole.of_rows(&rows);
    let x = whole.input_rows(pass.x, read);
    let best = Implementation::best(Isa::active(), whole, Pass::Forward);
    best.forward(Forward {
        dims: &dims,
        x,
        ..pass
    });
}

/// Whether [`forward_pool_rows`] takes these sizes: windows of 2×2 of their own.
pub fn has_pool_rows<T: Float>(dims: &Dims, pool: &pool::Dims) -> bool {
    let is_winograd = winograd::choose::<T>(dims, Pass::Forward).is_some();
    winograd::choose_in_windows::<T>(dims, pool).is_some()
        || (!is_winograd && windows::takes(dims, pool))
}

/// Computes `rows` of the pool's output at the active level; `y` and `places` hold them alone, everything else is that of
/// the whole sample.
///
/// # Panics
/// As [`forward_pool`](super::forward_pool); if there is not one sample, the sizes are not taken, or the rows are none or begin at an
/// odd one.
pub fn forward_pool_rows<T: Float>(pass: ForwardPool<'_, T>, rows: Range<usize>) {
    let (whole, pool) = (pass.dims, pass.pool);
    whole.check();
    assert!(
        has_pool_rows::<T>(whole, pool),
        "conv: windows that have no rows of their own"
    );
    check_rows(pool.samples, &rows, pool.output[0], POOL_ROWS_TOGETHER);
    check_len("x", pass.x.len(), whole.input_len());
    // The last tile of a part reads what it reads as a tile of the whole.
    let tile = winograd::choose_in_windows::<T>(whole, pool).map_or(EVEN, Scheme::tile);
    let end = (2 * rows.end).next_multiple_of(tile).min(whole.output[0]);
    let (dims, read) = whole.of_rows(&(2 * rows.start..end));
    let x = whole.input_rows(pass.x, read);
    let part = pool::Dims {
        input: dims.output,
        output: [rows.len(), pool.output[1]],
        ..*pool
    };
    let way = way_of(&pass);
    let pass = ForwardPool {
        dims: &dims,
        pool: &part,
        x,
        ..pass
    };
    pass.check(Implementation::best_before_pool(Isa::active(), whole, pool));
    way(Isa::active(), pass);
}
