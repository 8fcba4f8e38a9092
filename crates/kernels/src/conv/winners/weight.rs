//! The weight gradient: for each channel out the winners of some windows become a list, and rows of the kernel stay in registers
//! over the list.
//!
//! Tried and lost: to go through windows by the bits of a number, as the input gradient does with channels (`patch`). It is faster
//! where most gradients are 0, slower where few are or where a list is gone through several times.

use super::Winners;
use super::list::{List, Target, add_rows};
use super::{Grid, MOST_PLACES};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// What of x is gone over again and again.
const FIRST_LEVEL_BYTES: usize = 22 << 10;

/// The same for sums that outgrow the second-level cache: then it is worth more to go over them seldom.
const SECOND_LEVEL_BYTES: usize = 192 << 10;

/// Sums of so many bytes stay in the second-level cache.
const SMALL_SUMS_BYTES: usize = 256 << 10;

/// Entries of a list on the stack.
const LIST: usize = 128;

/// dwᵀ += the gradient.
pub(super) struct WeightSums<'a, T> {
    pub(super) winners: Winners<'a, T>,
    pub(super) x: &'a [T],
    /// `[oc][kh][kw][ic]`
    pub(super) sums: &'a mut [T],
}

/// As many windows as have their x in a cache, over which every channel goes.
fn windows_at_once<T: Float>(grid: &Grid, sums: usize) -> usize {
    let bytes = grid.steps[0] * T::BYTES / grid.per_sample[0];
    let level = if sums * T::BYTES <= SMALL_SUMS_BYTES {
        FIRST_LEVEL_BYTES
    } else {
        SECOND_LEVEL_BYTES
    };
    // A list needs room for one entry more than there are windows.
    (level / bytes.max(1)).clamp(8, LIST - 1)
}

impl<T: Float> Kernel<T> for WeightSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            winners: Winners { grid, dy, places },
            x,
            sums,
        } = self;
        let terms = grid.rows * grid.len;
        let at_once = windows_at_once::<T>(grid, sums.len());
        let mut at = [0; LIST];
        let mut factors = [T::ZERO; LIST];
        let mut starts = [0; LIST];
        let pixels = grid.pixels;
        let mut first = 0;
        while first < grid.windows {
            let count = (grid.windows - first).min(at_once);
            let base = grid.window(first);
            for (start, window) in starts[..count].iter_mut().zip(first..) {
                *start = (grid.window(window) - base) as u32;
            }
            let range = first * grid.outputs..(first + count) * grid.outputs;
            let (dy, places) = (&dy[range.clone()], &places[range]);
            for (oc, sums) in sums.chunks_exact_mut(terms).enumerate() {
                let (dy, places) = (&dy[oc..], &places[oc..]);
                let mut len = 0;
                for (i, start) in starts[..count].iter().enumerate() {
                    // SAFETY: element oc of the chunk's window i.
                    let (dy, place) = unsafe {
                        let i = i * grid.outputs;
                        (*dy.get_unchecked(i), *places.get_unchecked(i))
                    };
                    // An entry without gradient is written and then forgotten, since which ones have none shows no pattern.
                    at[len % LIST] = start + pixels[usize::from(place) % MOST_PLACES];
                    factors[len % LIST] = dy;
                    len += usize::from(dy.to_bits_u64() != 0);
                }
                let list = List {
                    at: &at[..len],
                    factors: &factors[..len],
                };
                let target = Target {
                    from: x[base..].as_ptr(),
                    from_step: grid.x_row,
                    sums: sums.as_mut_ptr(),
                    sums_step: grid.len,
                    rows: grid.rows,
                    len: grid.len,
                };
                // SAFETY: all taps of a winner lie in x, which the sizes and the check of the places ensure.
                unsafe { add_rows(simd, list, &target) };
            }
            first += count;
        }
    }
}
