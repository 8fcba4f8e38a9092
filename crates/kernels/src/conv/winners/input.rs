//! The input gradient: for each window the channels are binned by their winner, and a piece of a row of the patch stays in
//! registers over a bin.

use std::ops::Range;

use super::list::{List, Target, add_rows};
use super::{MOST_PLACES, Winners};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// Windows of a sample at a time, so that a piece of the weights stays in the first-level cache over all of them.
const BATCH: usize = 32;

/// Channels at a time.
const CHANNELS: usize = 64;

/// Numbers of a row at a time: those of all the channels stay in the first-level cache.
const PIECE: usize = 96;

/// Channels of a bin that are copied at a time, wanted or not.
const STEP: usize = 8;

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
        let mut sorted = [[0; CHANNELS + STEP]; MOST_PLACES];
        let mut batch: [Bins<T>; BATCH] = [const { Bins::EMPTY }; BATCH];
        for sample in (0..grid.windows).step_by(grid.per_sample[0].max(1)) {
            let mut first = sample;
            while first < sample + grid.per_sample[0] {
                let windows = first..(first + BATCH).min(sample + grid.per_sample[0]);
                for oc in (0..grid.outputs).step_by(CHANNELS) {
                    let outputs = oc..(oc + CHANNELS).min(grid.outputs);
                    for (bins, window) in batch.iter_mut().zip(windows.clone()) {
                        bins.fill(&winners, window, outputs.clone(), &mut sorted);
                    }
                    spread(simd, winners, (&batch, windows.clone()), weight, dx);
                }
                first = windows.end;
            }
        }
    }
}

/// Some channels of a window, grouped by the place that won, those without gradient left out.
struct Bins<T> {
    /// Where each channel's weights begin.
    at: [u32; CHANNELS],
    factors: [T; CHANNELS],
    /// Where each place's channels end.
    ends: [u8; MOST_PLACES],
}

impl<T: Float> Bins<T> {
    const EMPTY: Self = Self {
        at: [0; CHANNELS],
        factors: [T::ZERO; CHANNELS],
        ends: [0; MOST_PLACES],
    };

    #[inline(always)]
    fn fill(
        &mut self,
        winners: &Winners<'_, T>,
        window: usize,
        outputs: Range<usize>,
        sorted: &mut [[u8; CHANNELS + STEP]; MOST_PLACES],
    ) {
        let Winners { grid, dy, places } = winners;
        let range = window * grid.outputs + outputs.start..window * grid.outputs + outputs.end;
        let (dy, places) = (&dy[range.clone()], &places[range]);
        let mut counts = [0; MOST_PLACES];
        for (oc, (dy, place)) in dy.iter().zip(places).enumerate() {
            // A channel without gradient is written and then forgotten, since which ones have none shows no pattern.
            let place = usize::from(*place) % MOST_PLACES;
            sorted[place][counts[place] % CHANNELS] = oc as u8;
            counts[place] += usize::from(*dy != T::ZERO);
        }
        let mut channels = [0; CHANNELS + STEP];
        let mut end = 0;
        for place in 0..grid.places {
            for i in (0..counts[place]).step_by(STEP) {
                channels[end + i..][..STEP].copy_from_slice(&sorted[place][i..][..STEP]);
            }
            end += counts[place];
            self.ends[place] = end as u8;
        }
        let terms = (grid.rows * grid.len) as u32;
        let entries = self.at.iter_mut().zip(&mut self.factors);
        for ((at, factor), channel) in entries.zip(&channels[..end]) {
            *at = (outputs.start as u32 + u32::from(*channel)) * terms;
            *factor = dy[usize::from(*channel) % CHANNELS];
        }
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
    for row in 0..grid.rows {
        for piece in (0..grid.len).step_by(PIECE) {
            let len = PIECE.min(grid.len - piece);
            for (bins, window) in batch.iter().zip(windows.clone()) {
                let start = grid.window(window) + row * grid.x_row + piece;
                let mut next = 0;
                for (end, pixel) in bins.ends.iter().zip(grid.pixels).take(grid.places) {
                    let end = usize::from(*end);
                    let list = List {
                        at: &bins.at[next..end],
                        factors: &bins.factors[next..end],
                    };
                    next = end;
                    let patch = &mut dx[start + pixel as usize..][..len];
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
