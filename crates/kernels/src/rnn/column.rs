//! One vector of units in the rows of a tile, within a buffer that holds all units of all samples.
//!
//! The finish of a tile reads and writes many such columns, a few instructions for each vector. So bounds are checked once a
//! column, and whether the last units fill the vector is known when the finish is compiled.

use super::tile::Rows;
use crate::simd::Simd;

/// Rows of a tile and the units of one vector.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The first sample, and the number of samples.
    pub(super) n: usize,
    pub(super) rows: usize,
    /// The first unit, and the units of a row: at least one more.
    pub(super) unit: usize,
    pub(super) units: usize,
}

impl Place {
    /// The same units of the first row alone.
    pub(super) const fn one_row(self) -> Self {
        Self {
            n: 0,
            rows: 1,
            ..self
        }
    }

    /// Whether a vector of units lies within the row.
    pub(super) const fn is_full<S: Simd>(&self) -> bool {
        self.unit + S::LANES <= self.units
    }

    /// Lanes of the vector that exist.
    const fn lanes<S: Simd>(&self) -> usize {
        if self.is_full::<S>() {
            S::LANES
        } else {
            self.units - self.unit
        }
    }

    /// Where a column begins in a buffer of `len` numbers whose rows lie `stride` apart and hold `gates` times the units.
    ///
    /// # Panics
    /// If the column does not lie within the buffer, or is as full as `FULL` says it is not.
    #[inline(always)]
    fn within<S: Simd, const FULL: bool>(&self, len: usize, gates: usize, stride: usize) -> usize {
        let Self {
            n,
            rows,
            unit,
            units,
        } = *self;
        assert!(
            FULL == self.is_full::<S>(),
            "rnn: a vector of units that is cut"
        );
        assert!(
            rows > 0 && gates > 0 && unit < units,
            "rnn: a column without numbers"
        );
        let last = (n + rows - 1) * stride + (gates - 1) * units + unit;
        assert!(
            last + self.lanes::<S>() <= len,
            "rnn: a column beyond the rows"
        );
        n * stride + unit
    }
}

/// A column to be read; of several gates side by side, one for each.
#[derive(Clone, Copy)]
pub(super) struct Column<'a, S: Simd, const FULL: bool> {
    simd: S,
    /// From the first number on.
    data: &'a [S::Elem],
    place: Place,
    gates: usize,
    stride: usize,
}

impl<'a, S: Simd, const FULL: bool> Column<'a, S, FULL> {
    /// In rows of the units alone, one after the other.
    ///
    /// # Panics
    /// If the column does not lie within the buffer, or `FULL` is wrong.
    #[inline(always)]
    pub(super) fn new(simd: S, place: Place, data: &'a [S::Elem]) -> Self {
        Self::of(simd, place, Rows::new(data, place.units, place.units))
    }

    /// In rows of the units alone.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[inline(always)]
    pub(super) fn of(simd: S, place: Place, rows: Rows<'a, S::Elem>) -> Self {
        let first = place.within::<S, FULL>(rows.data.len(), 1, rows.stride);
        Self {
            simd,
            data: &rows.data[first..],
            place,
            gates: 1,
            stride: rows.stride,
        }
    }

    /// The vector of a row and a gate.
    #[inline(always)]
    pub(super) fn load(&self, row: usize, gate: usize) -> S::Vector {
        let Self { simd, place, .. } = *self;
        assert!(
            row < place.rows && gate < self.gates,
            "rnn: beyond a column"
        );
        let at = row * self.stride + gate * place.units;
        // SAFETY: the lanes of this row and gate lie within the data, as `within` asserted: LANES of them if FULL.
        unsafe {
            let source = self.data.as_ptr().add(at);
            if FULL {
                simd.load_ptr(source)
            } else {
                simd.load_ptr_partial(source, place.lanes::<S>())
            }
        }
    }
}

/// A column to be read and written.
pub(super) struct ColumnMut<'a, S: Simd, const FULL: bool> {
    simd: S,
    data: &'a mut [S::Elem],
    place: Place,
    gates: usize,
    stride: usize,
}

impl<'a, S: Simd, const FULL: bool> ColumnMut<'a, S, FULL> {
    /// In rows of `gates` times the units, one after the other.
    ///
    /// # Panics
    /// If the column does not lie within the buffer, or `FULL` is wrong.
    #[inline(always)]
    pub(super) fn new(simd: S, place: Place, data: &'a mut [S::Elem], gates: usize) -> Self {
        let stride = gates * place.units;
        let first = place.within::<S, FULL>(data.len(), gates, stride);
        Self {
            simd,
            data: &mut data[first..],
            place,
            gates,
            stride,
        }
    }

    /// In rows of the units alone that lie `stride` apart.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[inline(always)]
    pub(super) fn strided(simd: S, place: Place, data: &'a mut [S::Elem], stride: usize) -> Self {
        let first = place.within::<S, FULL>(data.len(), 1, stride);
        Self {
            simd,
            data: &mut data[first..],
            place,
            gates: 1,
            stride,
        }
    }

    /// The same column, to read.
    #[inline(always)]
    fn shared(&self) -> Column<'_, S, FULL> {
        Column {
            simd: self.simd,
            data: self.data,
            place: self.place,
            gates: self.gates,
            stride: self.stride,
        }
    }

    /// The vector of a row and a gate.
    #[inline(always)]
    pub(super) fn load(&self, row: usize, gate: usize) -> S::Vector {
        self.shared().load(row, gate)
    }

    /// Writes the vector of a row and a gate.
    #[inline(always)]
    pub(super) fn store(&mut self, row: usize, gate: usize, v: S::Vector) {
        let Self { simd, place, .. } = *self;
        assert!(
            row < place.rows && gate < self.gates,
            "rnn: beyond a column"
        );
        let at = row * self.stride + gate * place.units;
        // SAFETY: as for `Column::load`.
        unsafe {
            let target = self.data.as_mut_ptr().add(at);
            if FULL {
                simd.store_ptr(v, target);
            } else {
                simd.store_ptr_partial(v, target, place.lanes::<S>());
            }
        }
    }
}
