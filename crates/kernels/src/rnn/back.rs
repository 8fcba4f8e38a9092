//! The tile of a step on the way back: what comes back to some states from the gradients of the gates of the step read after.
//!
//! ```text
//! for each pair of vectors of units, for each tile of samples:
//!     sums d = what goes straight back + [gradients of the gates]·Uᵀ      in the register tile
//!     the cell turns d and the saved gates of this step into their gradients
//! ```
//!
//! While the sums are under way, a tile asks for the saved numbers that its finish reads. U is transposed once a pass.

use super::ahead::{Ahead, add_products_ahead};
use super::column::{Column, Place};
use super::strips::WIDTH;
use super::tile::{Lanes, MOST_ROWS, OnRows, Rows, Spot, Spots, add_products, on_rows};
use crate::float::Float;
use crate::simd::Simd;

/// Vectors of units of a tile: with those of weights and a number, the sums then fit the registers on every level.
pub(super) const PAIR: usize = 2;

/// d of a tile.
pub(super) type Sums<V> = [[V; PAIR]; MOST_ROWS];

/// Uᵀ in strips of a pair of vectors of units, the last perhaps of one: `[G·U][1 or 2][WIDTH]` each. Units that the last
/// vector lacks are zero.
#[derive(Clone, Copy)]
pub(super) struct Transposed {
    pub(super) units: usize,
    pub(super) gates: usize,
}

/// Some samples and a pair of vectors of units.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a, T> {
    /// The samples, and the units of the first vector. Those of the second are WIDTH further, and perhaps past the end.
    pub(super) place: Place,
    /// `[G·U][vectors][WIDTH]`, of which lanes from `lane` on are used.
    weights: &'a [T],
    pub(super) vectors: usize,
    lane: usize,
}

/// What the sums of a tile are made of.
#[derive(Clone, Copy)]
pub(super) struct Incoming<'a, T> {
    /// `[N][U]`, what the sums begin with; zero without.
    pub(super) start: Option<&'a [T]>,
    /// Gradients of gates, and the row of Uᵀ that belongs to the first of them. Rows without numbers add nothing.
    pub(super) gates: [Rows<'a, T>; 2],
    pub(super) first: usize,
}

impl Transposed {
    /// Numbers of all strips.
    pub(super) const fn len(&self) -> usize {
        self.gates * self.units * self.units.next_multiple_of(WIDTH)
    }

    /// Brings U, `[U][G·U]`, into strips.
    ///
    /// # Panics
    /// If a slice is too short.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(&self, simd: S, recurrent: &[S::Elem], strips: &mut [S::Elem]) {
        let Self { units, gates } = *self;
        let columns = gates * units;
        for first in (0..units).step_by(PAIR * WIDTH) {
            let vectors = PAIR.min((units - first).div_ceil(WIDTH));
            let strip = &mut strips[first * columns..][..vectors * WIDTH * columns];
            for unit in (0..vectors * WIDTH).step_by(S::LANES) {
                let source = &recurrent[((first + unit) * columns).min(recurrent.len())..];
                let rows = units.saturating_sub(first + unit).min(S::LANES);
                let target = &mut strip[unit..];
                transpose(simd, source, [rows, columns], target, vectors * WIDTH);
            }
        }
    }

    /// The tiles of a step of `samples` samples.
    pub(super) const fn spots<S: Simd>(&self, samples: usize) -> Spots {
        Spots::new::<S>(self.units, PAIR * WIDTH, samples, most_rows::<S>())
    }

    /// The tile at a spot.
    #[inline(always)]
    pub(super) fn tile<'a, T>(&self, strips: &'a [T], spot: Spot) -> Tile<'a, T> {
        let Self { units, gates } = *self;
        let columns = gates * units;
        let vectors = PAIR.min((units - spot.strip).div_ceil(WIDTH));
        Tile {
            place: spot.place,
            weights: &strips[spot.strip * columns..][..vectors * WIDTH * columns],
            vectors,
            lane: spot.lane,
        }
    }
}

/// Rows of a tile: a pair of sums each, a pair of vectors of weights and a number have to fit the registers.
const fn most_rows<S: Simd>() -> usize {
    match (S::REGISTERS, S::LANES) {
        (32.., _) => 8,
        (_, 8..) => 6,
        _ => 4,
    }
}

/// `target[j][i] = source[i][j]` for the first LANES rows of a matrix, of which `rows` exist and the others count as zero; rows
/// of the target are `stride` apart.
#[inline(always)]
fn transpose<S: Simd>(
    simd: S,
    source: &[S::Elem],
    [rows, columns]: [usize; 2],
    target: &mut [S::Elem],
    stride: usize,
) {
    let mut j = 0;
    if rows == S::LANES {
        assert!(source.len() >= S::LANES * columns, "rnn: U is too short");
        while j + S::LANES <= columns {
            let to = &mut target[j * stride..][..(S::LANES - 1) * stride + S::LANES];
            // SAFETY: rows of `columns` numbers lie in the source, as asserted, and columns j..j + LANES in each of them; as many
            // rows of LANES numbers lie in the slice just cut.
            unsafe {
                let from = source.as_ptr().add(j);
                simd.transpose_square(from, columns, to.as_mut_ptr(), stride);
            }
            j += S::LANES;
        }
    }
    for j in j..columns {
        for (i, target) in target[j * stride..][..S::LANES].iter_mut().enumerate() {
            *target = if i < rows {
                source[i * columns + j]
            } else {
                S::Elem::ZERO
            };
        }
    }
}

impl<T: Float> Tile<'_, T> {
    /// Where the units of vector `v` are, if there are any.
    #[inline(always)]
    pub(super) fn vector(&self, v: usize) -> Option<Place> {
        let unit = self.place.unit + v * WIDTH;
        (unit < self.place.units).then_some(Place { unit, ..self.place })
    }

    /// d of the tile, asking for `ahead` meanwhile.
    #[inline(always)]
    pub(super) fn gather<S: Simd<Elem = T>, const N: usize>(
        &self,
        simd: S,
        incoming: Incoming<'_, T>,
        ahead: Ahead<T, N>,
        into: &mut Sums<S::Vector>,
    ) {
        let work = Gather {
            tile: *self,
            incoming,
            ahead,
            into,
        };
        on_rows(simd, self.place.rows, most_rows::<S>(), work);
    }
}

struct Gather<'a, 't, S: Simd, const N: usize> {
    tile: Tile<'t, S::Elem>,
    incoming: Incoming<'a, S::Elem>,
    ahead: Ahead<S::Elem, N>,
    into: &'a mut Sums<S::Vector>,
}

impl<S: Simd, const N: usize> OnRows<S> for Gather<'_, '_, S, N> {
    #[inline(always)]
    fn run<const R: usize>(self, simd: S) {
        if self.tile.vectors == PAIR {
            let sums = self.sums::<R, PAIR>(simd);
            self.into[..R].copy_from_slice(&sums);
        } else {
            let sums = self.sums::<R, 1>(simd);
            for r in 0..R {
                self.into[r][0] = sums[r][0];
            }
        }
    }
}

impl<S: Simd, const N: usize> Gather<'_, '_, S, N> {
    #[inline(always)]
    fn sums<const R: usize, const V: usize>(&self, simd: S) -> [[S::Vector; V]; R] {
        let Self { tile, incoming, .. } = self;
        let Place { n, unit, units, .. } = tile.place;
        let mut sums = [[simd.zero(); V]; R];
        if let Some(start) = incoming.start {
            for r in 0..R {
                let row = &start[(n + r) * units..][..units];
                for v in 0..V {
                    sums[r][v] = simd.load_partial(&row[units.min(unit + v * WIDTH)..]);
                }
            }
        }
        let [one, other] = incoming.gates;
        let lanes = Lanes {
            weights: tile.weights,
            gates: V,
            gate: 0,
            lane: tile.lane,
        };
        let first = lanes.from(incoming.first);
        let sums = add_products_ahead(simd, sums, one, n, first, self.ahead);
        add_products(simd, sums, other, n, first.from(one.len))
    }
}

/// d and, where there is one, the state's own gradient.
#[inline(always)]
pub(super) fn add_own<S: Simd, const FULL: bool>(
    simd: S,
    d: S::Vector,
    own: Option<Column<'_, S, FULL>>,
    row: usize,
) -> S::Vector {
    match own {
        Some(own) => simd.add(d, own.load(row, 0)),
        None => d,
    }
}
