//! The register tile of a step: all gates of one vector of units, for some samples at once.
//!
//! ```text
//! for p in 0..k, r in 0..R, g in 0..G:  sums[r][g] += rows[r][p] · weights[p][g]
//! ```
//!
//! R·G sums, G vectors of weights and a broadcast number fit the registers. Every sum runs in ascending p, whatever R is, so a
//! sample's bits do not depend on the samples beside it.

use super::column::Place;
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
    /// Rows without numbers.
    pub(super) const NONE: Self = Self::new(&[], 0, 0);

    pub(super) const fn new(data: &'a [T], stride: usize, len: usize) -> Self {
        Self { data, stride, len }
    }

    #[inline(always)]
    pub(super) fn row(&self, n: usize) -> &'a [T] {
        &self.data[n * self.stride..][..self.len]
    }

    /// `len` numbers of every row, from number `first` on.
    #[inline(always)]
    pub(super) fn part(&self, first: usize, len: usize) -> Self {
        Self::new(&self.data[first.min(self.data.len())..], self.stride, len)
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

impl<'a, T> Lanes<'a, T> {
    /// The weights from row `first` on.
    #[inline(always)]
    pub(super) fn from(self, first: usize) -> Self {
        Self {
            weights: &self.weights[first * self.gates * WIDTH..],
            ..self
        }
    }
}

/// A part of a tile's work that is compiled for every number of its rows.
pub(super) trait OnRows<S: Simd> {
    /// The work on R rows. Implementations are `#[inline(always)]`.
    fn run<const R: usize>(self, simd: S);
}

/// `work` on 1 to `most` rows; with `most` a constant of the level, what it excludes is not compiled.
#[inline(always)]
pub(super) fn on_rows<S: Simd>(simd: S, rows: usize, most: usize, work: impl OnRows<S>) {
    assert!((1..=most).contains(&rows), "rnn: a tile of {rows} rows");
    match rows {
        1 => work.run::<1>(simd),
        2 => work.run::<2>(simd),
        3 => work.run::<3>(simd),
        4 => work.run::<4>(simd),
        5 => work.run::<5>(simd),
        6 => work.run::<6>(simd),
        7 => work.run::<7>(simd),
        _ => work.run::<8>(simd),
    }
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

/// Where a tile lies: in the strip that begins with unit `strip`, from lane `lane` on.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) strip: usize,
    pub(super) lane: usize,
    pub(super) place: Place,
}

/// The tiles of a step: strip after strip of units, vector after vector of its first WIDTH, group after group of samples.
///
/// Adapters of the standard library would do, but for a call a tile.
pub(super) struct Spots {
    units: usize,
    /// Units of a strip.
    width: usize,
    lanes: usize,
    samples: usize,
    /// Groups of nearly equal size.
    groups: usize,
    strip: usize,
    lane: usize,
    group: usize,
}

impl Spots {
    /// Of strips of `width` units and tiles of `most` samples at most.
    pub(super) const fn new<S: Simd>(
        units: usize,
        width: usize,
        samples: usize,
        most: usize,
    ) -> Self {
        Self {
            units: if samples == 0 { 0 } else { units },
            width,
            lanes: S::LANES,
            samples,
            groups: samples.div_ceil(most),
            strip: 0,
            lane: 0,
            group: 0,
        }
    }
}

impl Iterator for Spots {
    type Item = Spot;

    #[inline(always)]
    fn next(&mut self) -> Option<Spot> {
        if self.strip >= self.units {
            return None;
        }
        let n = self.group * self.samples / self.groups;
        let end = (self.group + 1) * self.samples / self.groups;
        let place = Place {
            n,
            rows: end - n,
            unit: self.strip + self.lane,
            units: self.units,
        };
        let spot = Spot {
            strip: self.strip,
            lane: self.lane,
            place,
        };
        self.group += 1;
        if self.group == self.groups {
            (self.group, self.lane) = (0, self.lane + self.lanes);
            if self.lane >= WIDTH.min(self.units - self.strip) {
                (self.lane, self.strip) = (0, self.strip + self.width);
            }
        }
        Some(spot)
    }
}
