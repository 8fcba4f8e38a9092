//! The input gradient where the pool is 2×2 and the kernel 3×3: what a window reaches, 4×4 pixels, stays in registers.
//!
//! ```text
//! for some channels out, a vector of channels in, each window:
//!     patch = dx around the window
//!     for each place, each channel oc that won there:
//!         for kh, kw: patch[place + (kh, kw)] += w[oc][kh][kw] · dy[oc]
//!     dx around the window = patch
//! ```
//!
//! Nothing is sorted: the channels that won a place are the bits of a number, and they are gone through by counting the zeros
//! below the next. The weights are packed so that those of a channel out and a vector of channels in follow each other. The
//! columns that a window shares with the next one stay where they are.
//!
//! Tried and lost: half the channels out at a time, whose weights fit the first-level cache. The patch is then read and written
//! twice as often, which takes what the cache gives.

use std::num::NonZeroU64;
use std::ops::Range;

use super::{Grid, Winners};
use crate::conv::Dims;
use crate::conv::transpose::{Rows, transpose};
use crate::float::Float;
use crate::pool;
use crate::simd::{Kernel, Simd};

/// Rows and columns of the kernel.
const KERNEL: usize = 3;

/// Taps of the kernel.
const TAPS: usize = KERNEL * KERNEL;

/// Rows and columns of the pool, and from one window to the next.
const POOL: usize = 2;

/// Rows and columns of what a window reaches.
const SIDE: usize = KERNEL + POOL - 1;

/// Channels out at a time: a bit stands for each.
const CHANNELS: usize = u64::BITS as usize;

/// Windows at a time, over which the weights of these channels stay in the nearer caches.
const WINDOWS: usize = 64;

/// Registers for the patch, a factor and the columns of the next patch.
const REGISTERS: usize = 32;

/// A window's channels by place.
type Marks = [u64; POOL * POOL];

/// Whether windows reach patches of the size that this is made for, and vectors of `lanes` channels in are full but for a
/// fifth: the sums along rows of the kernel (`list`) lose less where they are not.
pub(super) fn suits(dims: &Dims, pool: &pool::Dims, lanes: usize) -> bool {
    dims.kernel == [KERNEL; 2]
        && dims.stride == [1, 1]
        && dims.dilation == [1, 1]
        && pool.kernel == [POOL; 2]
        && pool.stride == [POOL; 2]
        && pool.dilation == [1, 1]
        && 4 * dims.input[2].next_multiple_of(lanes) <= 5 * dims.input[2]
}

/// Whether this level has the registers, too.
#[inline(always)]
pub(super) fn takes<S: Simd>(dims: &Dims, pool: &pool::Dims) -> bool {
    S::REGISTERS >= REGISTERS && suits(dims, pool, S::LANES)
}

/// Elements of packed weights, with vectors of `lanes`.
pub(super) fn packed_len(dims: &Dims, lanes: usize) -> usize {
    dims.input[2].next_multiple_of(lanes) * TAPS * dims.output[2]
}

/// Packs the weight as `[vectors of ic][oc][kh][kw][lanes]`.
#[inline(always)]
pub(super) fn pack<S: Simd>(simd: S, dims: &Dims, weight: &[S::Elem], packed: &mut [S::Elem]) {
    let [inputs, outputs] = [dims.input[2], dims.output[2]];
    let stride = TAPS * S::LANES;
    packed[..packed_len(dims, S::LANES)].fill(S::Elem::ZERO);
    for (v, channel) in (0..inputs).step_by(S::LANES).enumerate() {
        let lanes = S::LANES.min(inputs - channel);
        for tap in 0..TAPS {
            let from = Rows {
                data: &weight[(tap * inputs + channel) * outputs..],
                stride: outputs,
            };
            let to = Rows {
                data: &mut packed[v * outputs * stride + tap * S::LANES..],
                stride,
            };
            transpose(simd, [lanes, outputs], from, to);
        }
    }
}

/// dx += the gradient.
pub(super) struct PatchSums<'a, T> {
    pub(super) dims: &'a Dims,
    pub(super) winners: Winners<'a, T>,
    /// As [`pack`] left it.
    pub(super) packed: &'a [T],
    pub(super) dx: &'a mut [T],
}

impl<T: Float> Kernel<T> for PatchSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(mut self, simd: S) {
        let (inputs, grid) = (self.dims.input[2], self.winners.grid);
        assert!(self.packed.len() >= packed_len(self.dims, S::LANES));
        assert!(self.dx.len() >= self.dims.input_len());
        let mut marks = [[0; POOL * POOL]; WINDOWS];
        let mut first = 0;
        while first < grid.windows {
            let windows = first..first + windows_at_once(grid, first);
            for oc in (0..grid.outputs).step_by(CHANNELS) {
                let outputs = oc..(oc + CHANNELS).min(grid.outputs);
                for (marks, window) in marks.iter_mut().zip(windows.clone()) {
                    *marks = marks_of(simd, &self.winners, window, outputs.clone());
                }
                for channel in (0..inputs).step_by(S::LANES) {
                    self.spread(simd, &marks, windows.clone(), [oc, channel]);
                }
            }
            first = windows.end;
        }
    }
}

/// As many samples as have their windows' marks in the room for them, or a part of one: which of a sample's windows come
/// together does not depend on other samples.
#[inline(always)]
fn windows_at_once(grid: &Grid, first: usize) -> usize {
    let per_sample = grid.per_sample[0];
    if per_sample <= WINDOWS {
        (WINDOWS / per_sample * per_sample).min(grid.windows - first)
    } else {
        WINDOWS.min(per_sample - first % per_sample)
    }
}

/// For each place the channels of a window that won it, those without gradient left out.
#[inline(always)]
fn marks_of<S: Simd>(
    simd: S,
    winners: &Winners<'_, S::Elem>,
    window: usize,
    outputs: Range<usize>,
) -> Marks {
    let start = window * winners.grid.outputs;
    let range = start + outputs.start..start + outputs.end;
    let (dy, places) = (&winners.dy[range.clone()], &winners.places[range]);
    let mut marks = [0; POOL * POOL];
    for i in (0..dy.len()).step_by(S::LANES) {
        // Lanes past the last channel are 0 and left out, too.
        let none = simd.eq(simd.load_partial(&dy[i..]), simd.zero());
        let some = !simd.mask_bits(none) & ((1 << S::LANES) - 1);
        let places = simd.load_bytes(&places[i..]);
        for (place, marks) in marks.iter_mut().enumerate() {
            let is_place = simd.eq(places, simd.splat(S::Elem::from_usize(place)));
            *marks |= u64::from(simd.mask_bits(is_place) & some) << i;
        }
    }
    marks
}

impl<T: Float> PatchSums<'_, T> {
    /// Spreads the marked channels out, from `oc` on, of some windows over a vector of channels in, from `channel` on.
    #[inline(always)]
    fn spread<S: Simd<Elem = T>>(
        &mut self,
        simd: S,
        marks: &[Marks; WINDOWS],
        windows: Range<usize>,
        [oc, channel]: [usize; 2],
    ) {
        let Winners { grid, dy, .. } = self.winners;
        let [_, width, inputs] = self.dims.input;
        let panel = (channel / S::LANES * grid.outputs + oc) * TAPS * S::LANES;
        let mut first = windows.start;
        while first < windows.end {
            let len = (windows.end - first).min(grid.per_sample[1] - first % grid.per_sample[1]);
            let run = Run {
                marks: &marks[first - windows.start..][..len],
                dy: dy[first * grid.outputs + oc..].as_ptr(),
                dy_step: grid.outputs,
                weights: self.packed[panel..].as_ptr(),
                dx: self.dx[grid.window(first) + channel..].as_mut_ptr(),
                row: width * inputs,
                column: inputs,
                lanes: S::LANES.min(inputs - channel),
            };
            // SAFETY: the windows lie next to each other in a row, what they reach lies in dx, since all taps of their pixels
            // lie in x, and the packed weights hold the panel of these channels.
            unsafe {
                if run.lanes == S::LANES {
                    run.add::<S, true>(simd);
                } else {
                    run.add::<S, false>(simd);
                }
            }
            first += len;
        }
    }
}

/// Neighbouring windows of a row.
struct Run<'a, T> {
    marks: &'a [Marks],
    /// The gradients of the first window's channels out, and the elements from one window's to the next.
    dy: *const T,
    dy_step: usize,
    /// The weights of these channels.
    weights: *const T,
    /// The first pixel that the first window reaches.
    dx: *mut T,
    /// Elements of dx from one row and pixel to the next.
    row: usize,
    column: usize,
    /// Of a vector of channels in.
    lanes: usize,
}

/// What a window reaches, a vector of channels in of each pixel.
type Patch<S> = [[<S as Simd>::Vector; SIDE]; SIDE];

impl<T: Float> Run<'_, T> {
    /// Adds the gradient of all windows; `FULL` says that vectors have all their lanes.
    ///
    /// # Safety
    /// Every bit of a window's marks stands for an element of dy and its weights; what the windows reach is valid for reading
    /// and writing.
    #[inline(always)]
    unsafe fn add<S: Simd<Elem = T>, const FULL: bool>(&self, simd: S) {
        let mut patch = [[simd.zero(); SIDE]; SIDE];
        // SAFETY: the first window's columns, as the caller vouches.
        unsafe { self.load::<S, FULL>(simd, 0, 0, &mut patch) };
        for (i, marks) in self.marks.iter().enumerate() {
            let dy = self.dy.wrapping_add(i * self.dy_step);
            // SAFETY: window i's columns, marks and gradients, as the caller vouches.
            unsafe {
                self.load::<S, FULL>(simd, i, POOL, &mut patch);
                add_place::<S, 0, 0>(simd, marks[0], dy, self.weights, &mut patch);
                add_place::<S, 0, 1>(simd, marks[1], dy, self.weights, &mut patch);
                add_place::<S, 1, 0>(simd, marks[2], dy, self.weights, &mut patch);
                add_place::<S, 1, 1>(simd, marks[3], dy, self.weights, &mut patch);
                self.store::<S, FULL>(simd, i, &patch);
            }
            for row in &mut patch {
                row.copy_within(POOL.., 0);
            }
        }
        // SAFETY: the last window's columns from POOL on, as the caller vouches.
        unsafe { self.store::<S, FULL>(simd, self.marks.len(), &patch) };
    }

    /// Reads the columns `first` and one more of what window `i` reaches.
    ///
    /// # Safety
    /// They are valid for reading.
    #[inline(always)]
    unsafe fn load<S: Simd<Elem = T>, const FULL: bool>(
        &self,
        simd: S,
        i: usize,
        first: usize,
        patch: &mut Patch<S>,
    ) {
        for row in 0..SIDE {
            for column in first..first + POOL {
                let at = row * self.row + (POOL * i + column) * self.column;
                let from = self.dx.wrapping_add(at).cast_const();
                patch[row][column] = if FULL {
                    // SAFETY: all lanes, as the caller vouches.
                    unsafe { simd.load_ptr(from) }
                } else {
                    // SAFETY: as many lanes as there are channels, as the caller vouches.
                    unsafe { simd.load_ptr_partial(from, self.lanes) }
                };
            }
        }
    }

    /// Writes the first two columns to those that window `i` reaches first.
    ///
    /// # Safety
    /// They are valid for writing.
    #[inline(always)]
    unsafe fn store<S: Simd<Elem = T>, const FULL: bool>(
        &self,
        simd: S,
        i: usize,
        patch: &Patch<S>,
    ) {
        for row in 0..SIDE {
            for column in 0..POOL {
                let at = row * self.row + (POOL * i + column) * self.column;
                let to = self.dx.wrapping_add(at);
                if FULL {
                    // SAFETY: all lanes, as the caller vouches.
                    unsafe { simd.store_ptr(patch[row][column], to) };
                } else {
                    // SAFETY: as many lanes as there are channels, as the caller vouches.
                    unsafe { simd.store_ptr_partial(patch[row][column], to, self.lanes) };
                }
            }
        }
    }
}

/// Adds the products of the channels that won the place in row R and column C of the window.
///
/// # Safety
/// Every bit of the marks stands for an element of dy and its weights, valid for reading.
#[inline(always)]
unsafe fn add_place<S: Simd, const R: usize, const C: usize>(
    simd: S,
    mut marks: u64,
    dy: *const S::Elem,
    weights: *const S::Elem,
    patch: &mut Patch<S>,
) {
    while let Some(left) = NonZeroU64::new(marks) {
        let oc = left.trailing_zeros() as usize;
        // SAFETY: a marked channel's gradient, as the caller vouches.
        let factor = simd.splat(unsafe { *dy.wrapping_add(oc) });
        let weights = weights.wrapping_add(oc * TAPS * S::LANES);
        for kh in 0..KERNEL {
            for kw in 0..KERNEL {
                let tap = weights.wrapping_add((kh * KERNEL + kw) * S::LANES);
                // SAFETY: a marked channel's weights, as the caller vouches.
                let weight = unsafe { simd.load_ptr(tap) };
                patch[R + kh][C + kw] = simd.mul_add(weight, factor, patch[R + kh][C + kw]);
            }
        }
        marks &= marks - 1;
    }
}
