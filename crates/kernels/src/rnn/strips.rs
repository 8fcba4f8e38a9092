//! The weights of a cell in the order in which its steps read them: strip after strip of units, all gates of a unit together.
//!
//! ```text
//! for each strip of 16 units:
//!     the biases                      [biases][16]
//!     the weight of the inputs        [F][gates][16]
//!     the weight of the state         [U][gates][16]
//! ```
//!
//! A register tile then holds all gates of its units and may finish their states while it has them, and every cache line is
//! read in one order, forward. The width is that of the widest vector on any level: narrower vectors take a strip in parts, so
//! the order does not depend on the machine. Units that the last strip lacks are zero.

use super::column::Place;
use super::tile::{Lanes, Spot, Spots};
use super::{Sequence, Weights};
use crate::float::Float;
use crate::simd::{MAX_LANES, Simd};

/// Units of a strip.
pub(super) const WIDTH: usize = MAX_LANES;

/// How the strips of a cell are made up.
#[derive(Clone, Copy)]
pub(super) struct Strips {
    pub(super) features: usize,
    pub(super) units: usize,
    pub(super) gates: usize,
    /// Rows of biases.
    pub(super) biases: usize,
}

/// Some samples and one vector of units of a strip.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a, T> {
    /// `[biases][16]`
    biases: &'a [T],
    /// `[F][gates][16]`
    pub(super) weight: &'a [T],
    /// `[U][gates][16]`
    pub(super) recurrent: &'a [T],
    /// The samples, and the units: one vector, perhaps cut.
    pub(super) place: Place,
    /// The first unit within the strip.
    lane: usize,
    /// Gates of a row of weights.
    pub(super) gates: usize,
}

impl<'a, T: Float> Tile<'a, T> {
    /// The weights of these units, from gate `gate` on, among `weights` of the strip.
    pub(super) const fn lanes(&self, weights: &'a [T], gate: usize) -> Lanes<'a, T> {
        Lanes {
            weights,
            gates: self.gates,
            gate,
            lane: self.lane,
        }
    }

    /// Where the products of a gate and these units lie among those of a row of inputs, `[strips][gates][16]`.
    pub(super) const fn product(&self, gate: usize) -> usize {
        (self.place.unit - self.lane) * self.gates + gate * WIDTH + self.lane
    }

    /// A row of biases.
    #[inline(always)]
    pub(super) fn bias<S: Simd<Elem = T>>(&self, simd: S, row: usize) -> S::Vector {
        simd.load(&self.biases[row * WIDTH + self.lane..])
    }
}

impl Strips {
    /// The strips of a cell with so many gates, for the sizes of a block.
    pub(super) const fn of(sequence: &Sequence, gates: usize, biases: usize) -> Self {
        Self {
            features: sequence.features,
            units: sequence.units,
            gates,
            biases,
        }
    }

    const fn strip_len(&self) -> usize {
        WIDTH * (self.biases + self.gates * (self.features + self.units))
    }

    /// Numbers of all strips.
    pub(super) const fn len(&self) -> usize {
        self.units.div_ceil(WIDTH) * self.strip_len()
    }

    /// The tiles of a step of `samples` samples, each of `most` of them at most.
    pub(super) const fn spots<S: Simd>(&self, samples: usize, most: usize) -> Spots {
        Spots::new::<S>(self.units, WIDTH, samples, most)
    }

    /// The tile at a spot.
    #[inline(always)]
    pub(super) fn tile<'a, T>(&self, prepared: &'a [T], spot: Spot) -> Tile<'a, T> {
        let (biases, weight) = (WIDTH * self.biases, WIDTH * self.gates * self.features);
        let len = self.strip_len();
        let strip = &prepared[spot.strip / WIDTH * len..][..len];
        let (biases, rest) = strip.split_at(biases);
        let (weight, recurrent) = rest.split_at(weight);
        Tile {
            biases,
            weight,
            recurrent,
            place: spot.place,
            lane: spot.lane,
            gates: self.gates,
        }
    }

    /// Brings `weights` into strips; `bias` gives those of a row and a unit.
    ///
    /// # Panics
    /// If `prepared` has another length.
    pub(super) fn fill<T: Float>(
        &self,
        weights: &Weights<'_, T>,
        bias: impl Fn(usize, usize) -> T,
        prepared: &mut [T],
    ) {
        assert!(
            prepared.len() == self.len(),
            "rnn: {} numbers to prepare, expected {}",
            prepared.len(),
            self.len()
        );
        let columns = self.gates * self.units;
        let strips = prepared.chunks_exact_mut(self.strip_len().max(1));
        for (index, strip) in strips.enumerate() {
            let unit = index * WIDTH;
            let width = WIDTH.min(self.units - unit);
            let (biases, rest) = strip.split_at_mut(WIDTH * self.biases);
            for (row, target) in biases.chunks_exact_mut(WIDTH).enumerate() {
                for (i, target) in target.iter_mut().enumerate() {
                    *target = if i < width {
                        bias(row, unit + i)
                    } else {
                        T::ZERO
                    };
                }
            }
            let matrices = weights.weight.chunks_exact(columns);
            let rows = matrices.chain(weights.recurrent.chunks_exact(columns));
            let parts = rows.flat_map(|row| row.chunks_exact(self.units));
            for (target, part) in rest.chunks_exact_mut(WIDTH).zip(parts) {
                target[..width].copy_from_slice(&part[unit..][..width]);
                target[width..].fill(T::ZERO);
            }
        }
    }
}
