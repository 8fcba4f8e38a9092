//! The input gradient: for each window the channels are binned by their winner, and a piece of a row of the patch stays in
//! registers over a bin.

use std::ops::Range;

use super::list::{List, Target, add_rows};
use super::{MOST_PLACES, Winners};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// Windows of a sample at a time, so that a piece of the weights stays in the first-level cache over all of them.
const BATCH: usize = 16;

/// The most channels at a time.
const CHANNELS: usize = 64;

/// Room for the channels of all bins of a window: each could hold them all.
const ENTRIES: usize = 4 * CHANNELS;

/// Numbers of a row at a time: those of all the channels stay in the first-level cache.
const PIECE: usize = 96;

/// dx += the gradient.
pub(super) struct InputSums<'a, T> {
    pub(super) winners: Winners<'a, T>,
    /// `[oc][kh][kw][ic]`
    pub(super) weight: &'a [T],
    pub(super) dx: &'a mut [T],
}

impl<T: Float> Kernel<T> for InputSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            winners,
            weight,
            dx,
        } = self;
        let grid = winners.grid;
        let room = room_of(grid.places);
        let mut batch: [Bins<T>; BATCH] = [const { Bins::EMPTY }; BATCH];
        for sample in (0..grid.windows).step_by(grid.per_sample[0].max(1)) {
            let mut first = sample;
            while first < sample + grid.per_sample[0] {
                let windows = first..(first + BATCH).min(sample + grid.per_sample[0]);
                for oc in (0..grid.outputs).step_by(room) {
                    let outputs = oc..(oc + room).min(grid.outputs);
                    for (bins, window) in batch.iter_mut().zip(windows.clone()) {
                        bins.fill(&winners, window, outputs.clone());
                    }
                    spread(simd, winners, (&batch, windows.clone()), weight, dx);
                }
                first = windows.end;
            }
        }
    }
}

/// The channels that a bin has room for.
fn room_of(places: usize) -> usize {
    (ENTRIES / places.next_power_of_two()).min(CHANNELS)
}

/// Some channels of a window, grouped by the place that won, those without gradient left out.
struct Bins<T> {
    /// Where each channel's weights begin, bin by bin.
    at: [u32; ENTRIES],
    factors: [T; ENTRIES],
    /// The channels in each bin.
    counts: [u8; MOST_PLACES],
}

impl<T: Float> Bins<T> {
    const EMPTY: Self = Self {
        at: [0; ENTRIES],
        factors: [T::ZERO; ENTRIES],
        counts: [0; MOST_PLACES],
    };

    #[inline(always)]
    fn fill(&mut self, winners: &Winners<'_, T>, window: usize, outputs: Range<usize>) {
        let Winners { grid, dy, places } = winners;
        let range = window * grid.outputs + outputs.start..window * grid.outputs + outputs.end;
        let (dy, places) = (&dy[range.clone()], &places[range]);
        let room = room_of(grid.places);
        let terms = (grid.rows * grid.len) as u32;
        let mut at = outputs.start as u32 * terms;
        // A byte a bin, in registers: in memory an addition would wait for the one before.
        let mut counts = 0_u128;
        for (dy, place) in dy.iter().zip(places) {
            let place = usize::from(*place) % MOST_PLACES;
            let entry = place * room + usize::from((counts >> (8 * place)) as u8);
            // A channel without gradient is written and then forgotten, since which ones have none shows no pattern.
            self.at[entry % ENTRIES] = at;
            self.factors[entry % ENTRIES] = *dy;
            counts += u128::from(dy.to_bits_u64() != 0) << (8 * place);
            at = at.wrapping_add(terms);
        }
        self.counts = counts.to_le_bytes();
    }
}

/// Spreads the binned channels of some windows over dx, a piece of a row of the kernel after the other.
#[inline(always)]
fn spread<S: Simd>(
    simd: S,
    winners: Winners<'_, S::Elem>,
    (batch, windows): (&[Bins<S::Elem>; BATCH], Range<usize>),
    weight: &[S::Elem],
    dx: &mut [S::Elem],
) {
    let grid = winners.grid;
    let room = room_of(grid.places);
    for row in 0..grid.rows {
        for piece in (0..grid.len).step_by(PIECE) {
            let len = PIECE.min(grid.len - piece);
            for (bins, window) in batch.iter().zip(windows.clone()) {
                let start = grid.window(window) + row * grid.x_row + piece;
                for (place, pixel) in grid.pixels[..grid.places].iter().enumerate() {
                    let bin = place * room..place * room + usize::from(bins.counts[place]);
                    let list = List {
                        at: &bins.at[bin.clone()],
                        factors: &bins.factors[bin],
                    };
                    let patch = &mut dx[start + *pixel as usize..][..len];
                    let target = Target {
                        from: weight[row * grid.len + piece..].as_ptr(),
                        from_step: 0,
                        sums: patch.as_mut_ptr(),
                        sums_step: 0,
                        rows: 1,
                        len,
                    };
                    // SAFETY: the entries are rows of the transposed weight, of which this piece is a part.
                    unsafe { add_rows(simd, list, &target) };
                }
            }
        }
    }
}
