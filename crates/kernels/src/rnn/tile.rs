//! The register tile of a step: all gates of one vector of units, for some samples at once.
//!
//! ```text
//! for p in 0..k, r in 0..R, g in 0..G:  sums[r][g] += rows[r][p] · weights[p][g]
//! ```
//!
//! R·G sums, G vectors of weights and a broadcast number fit the registers. Every sum runs in ascending p, whatever R is, so a
//! sample's bits do not depend on the samples beside it.

use super::strips::WIDTH;
use crate::simd::Simd;

/// The most rows of a tile on any level.
pub(super) const MOST_ROWS: usize = 8;

/// Rows of numbers, `stride` apart, of which `len` are used.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) data: &'a [T],
    pub(super) stride: usize,
    pub(super) len: usize,
}

impl<'a, T> Rows<'a, T> {
    pub(super) const fn new(data: &'a [T], stride: usize, len: usize) -> Self {
        Self { data, stride, len }
    }

    #[inline(always)]
    pub(super) fn row(&self, n: usize) -> &'a [T] {
        &self.data[n * self.stride..][..self.len]
    }
}

/// The weights of a vector of units: the first G gates of rows that have `gates`, from lane `lane` of a strip on.
#[derive(Clone, Copy)]
pub(super) struct Lanes<'a, T> {
    /// `[k][gates][WIDTH]`
    pub(super) weights: &'a [T],
    pub(super) gates: usize,
    /// The first gate to be used.
    pub(super) gate: usize,
    pub(super) lane: usize,
}

/// `sums` and the products of rows `n..n + R` with the weights.
#[inline(always)]
pub(super) fn add_products<S: Simd, const R: usize, const G: usize>(
    simd: S,
    mut sums: [[S::Vector; G]; R],
    rows: Rows<'_, S::Elem>,
    n: usize,
    lanes: Lanes<'_, S::Elem>,
) -> [[S::Vector; G]; R] {
    let k = rows.len;
    if k == 0 {
        return sums;
    }
    let step = lanes.gates * WIDTH;
    let first = lanes.gate * WIDTH + lanes.lane;
    assert!(
        rows.data.len() >= (n + R - 1) * rows.stride + k,
        "rnn: a tile beyond the rows"
    );
    assert!(
        lanes.weights.len() >= (k - 1) * step + first + (G - 1) * WIDTH + S::LANES,
        "rnn: a tile beyond the weights"
    );
    let a = rows.data[n * rows.stride..].as_ptr();
    let w = lanes.weights[first..].as_ptr();
    for p in 0..k {
        let mut weights = [simd.zero(); G];
        for g in 0..G {
            // SAFETY: p < k and g < G, within the weights as just asserted.
            weights[g] = unsafe { simd.load_ptr(w.add(p * step + g * WIDTH)) };
        }
        for r in 0..R {
            // SAFETY: r < R and p < k, within the rows as just asserted.
            let x = simd.splat(unsafe { *a.add(r * rows.stride + p) });
            for g in 0..G {
                sums[r][g] = simd.mul_add(x, weights[g], sums[r][g]);
            }
        }
    }
    sums
}

/// Cuts `samples` into groups of nearly equal size, none larger than `most`.
pub(super) fn groups(samples: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = samples.div_ceil(most);
    (0..count).map(move |group| {
        let start = group * samples / count;
        (start, (group + 1) * samples / count - start)
    })
}
