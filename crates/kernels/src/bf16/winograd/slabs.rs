//! The sums of the weight gradient: a slab of channels in by a slab of channels out over the tiles of a chunk.
//!
//! ```text
//! for each point, channel in and out:  s[point] = Σ over pairs of tiles of x[point][ic] · dy[point][oc]
//! dw[..][..][ic][oc] += Gᵀ s G
//! ```
//!
//! Some channels in of a slab meet two vectors of a slab out: point after point, their sums are made in registers and kept in the
//! first-level cache; after the last point they go back to the kernel's gradient at once. Kept through all chunks they would be
//! read and written as often, and there are more of them than of the gradient.
//!
//! Tried and lost: the sums of a column of points by one vector, as `conv::winograd::weight_gradient` makes them: they load
//! more often than they multiply, and pairs take half as many products.

use crate::bf16::level::{Body, Level};
use crate::conv::winograd::forward::{Places, load_points};
use crate::conv::winograd::grid::{Grid, Planes};
use crate::conv::winograd::transform::{KERNEL, Matrix};
use crate::simd::{MAX_LANES, Simd};

/// Channels of a slab of x and of dy: one vector and two of the widest level.
pub(super) const SLABS: [usize; 2] = [MAX_LANES, 2 * MAX_LANES];

/// Channels in whose sums at all points are kept.
const ROWS: usize = 8;

/// Where the points of x and of dy lie, of so many pairs of tiles: at each point, the pairs of a slab side by side.
pub(super) fn places(grid: &Grid, pairs: usize) -> [Places; 2] {
    SLABS.map(|slab| {
        let planes = Planes::new(grid.points(), pairs, slab);
        Places::of(&planes, grid.side())
    })
}

/// Elements of scratch space: the points of x and of dy, the sums of two slabs, and a pixel of zeros.
pub(super) fn scratch_len(grid: &Grid, places: &[Places; 2]) -> usize {
    let [points_of_x, points_of_dy] = points_len(grid, places);
    let zeros = grid.input[2]
        .max(grid.output[2])
        .next_multiple_of(MAX_LANES);
    points_of_x + points_of_dy + sums_of(grid.side()).len() + zeros
}

/// Scratch space cut into these.
pub(super) fn cut<'a, T>(
    grid: &Grid,
    places: &[Places; 2],
    scratch: &'a mut [T],
) -> [&'a mut [T]; 4] {
    let [of_x, of_dy] = points_len(grid, places);
    let (points_of_x, scratch) = scratch.split_at_mut(of_x);
    let (points_of_dy, scratch) = scratch.split_at_mut(of_dy);
    let (sums, zeros) = scratch.split_at_mut(sums_of(grid.side()).len());
    [points_of_x, points_of_dy, sums, zeros]
}

fn points_len(grid: &Grid, places: &[Places; 2]) -> [usize; 2] {
    let slabs = |channels: usize, side: usize| channels.div_ceil(SLABS[side]);
    [
        slabs(grid.input[2], 0) * places[0].slab[1],
        slabs(grid.output[2], 1) * places[1].slab[1],
    ]
}

/// The sums of some channels in by two vectors of channels out, a row a channel in.
const fn sums_of(patch: usize) -> Planes {
    Planes::new(patch * patch, ROWS, SLABS[1])
}

/// A slab in by a slab out over the tiles of a chunk: dw += Gᵀ s G.
pub(super) struct Slabs<'a, B, const PATCH: usize> {
    /// Pairs of tiles.
    pub(super) pairs: usize,
    /// Those of both operands.
    pub(super) places: [Places; 2],
    /// The points of the patches and of dy's tiles.
    pub(super) operands: [&'a [u32]; 2],
    /// Of any content.
    pub(super) sums: &'a mut [f32],
    /// Channels in and out.
    pub(super) channels: [usize; 2],
    /// The slabs' first ones.
    pub(super) first: [usize; 2],
    pub(super) dweight: &'a mut [f32],
    /// What turns points into the gradient of a kernel.
    pub(super) matrix: B,
}

impl<B: Matrix<PATCH, KERNEL>, const PATCH: usize> Body for Slabs<'_, B, PATCH> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(mut self, level: L) {
        let lanes = <L::Floats as Simd>::LANES;
        let [rows, columns] =
            [0, 1].map(|side| SLABS[side].min(self.channels[side] - self.first[side]));
        let is_long = |side: usize| {
            let places = &self.places[side];
            places.tile == SLABS[side]
                && self.operands[side].len() >= places.len(self.pairs, PATCH, 1)
        };
        assert!(
            is_long(0)
                && is_long(1)
                && self.sums.len() >= sums_of(PATCH).len()
                && self.dweight.len() >= KERNEL * KERNEL * self.channels[0] * self.channels[1],
            "conv: slabs that do not fit their planes"
        );
        for row in (0..rows).step_by(ROWS) {
            for column in (0..columns).step_by(2 * lanes) {
                let vectors = (columns - column).div_ceil(lanes).min(2);
                // SAFETY: the slabs hold `pairs` rows of these channels at each point, and the sums as many rows, as just asserted.
                unsafe {
                    if vectors == 2 {
                        self.sum::<L, 2>(level, row, column);
                    } else {
                        self.sum::<L, 1>(level, row, column);
                    }
                }
                for r in row..rows.min(row + ROWS) {
                    for v in 0..vectors {
                        let column = column + v * lanes;
                        let at = (self.first[0] + r) * self.channels[1] + self.first[1] + column;
                        let sums = self.sums[(r - row) * SLABS[1] + v * lanes..].as_ptr();
                        let present = lanes.min(columns - column);
                        // SAFETY: the sums at all points have been written; the channels present lie in the gradient of each tap,
                        // whose length is checked.
                        unsafe { self.add_back(level.floats(), sums, at, present) };
                    }
                }
            }
        }
    }
}

impl<B: Matrix<PATCH, KERNEL>, const PATCH: usize> Slabs<'_, B, PATCH> {
    /// The sums of ROWS channels in from `row` on by V vectors of channels out from `column` on, at all points.
    ///
    /// # Safety
    /// The operands hold `pairs` rows of these channels at each point, and the sums fit.
    #[inline(always)]
    unsafe fn sum<L: Level, const V: usize>(&mut self, level: L, row: usize, column: usize) {
        for r in 0..PATCH {
            for s in 0..PATCH {
                let [patches, gradients] = [0, 1].map(|side| {
                    let point = self.places[side].point;
                    let channel = [row, column][side];
                    self.operands[side]
                        .as_ptr()
                        .wrapping_add(r * point[0] + s * point[1] + channel)
                });
                let point = (r * PATCH + s) * sums_of(PATCH).point;
                let job = Point {
                    pairs: self.pairs,
                    patches,
                    gradients,
                    sums: self.sums.as_mut_ptr().wrapping_add(point),
                };
                // SAFETY: as the caller vouches.
                unsafe {
                    if <L::Floats as Simd>::REGISTERS >= 32 {
                        job.run::<L, ROWS, V>(level);
                    } else {
                        job.run::<L, { ROWS / 2 }, V>(level);
                    }
                }
            }
        }
    }

    /// Adds the sums at `sums` to the gradients of `lanes` kernels, from element `at` of a tap on. All are read before any is
    /// written: taps are often a multiple of 4 KiB apart, and a read waits for a write that looks like one to the same place.
    ///
    /// # Safety
    /// The sums are valid for reading a vector at each point; `lanes` elements from `at` on lie in the weight of every tap.
    #[inline(always)]
    unsafe fn add_back<S: Simd<Elem = f32>>(
        &mut self,
        simd: S,
        sums: *const f32,
        at: usize,
        lanes: usize,
    ) {
        let tap = self.channels[0] * self.channels[1];
        let dw = self.dweight.as_mut_ptr().wrapping_add(at);
        // SAFETY: a vector at each point, as the caller vouches.
        let points = unsafe { load_points(simd, sums, sums_of(PATCH).point) };
        let gradient = self.matrix.square(simd, points);
        let mut results = gradient;
        for k in 0..KERNEL * KERNEL {
            let from = dw.wrapping_add(k * tap);
            // SAFETY: `lanes` elements of the tap's gradient, as the caller vouches.
            let before = unsafe {
                if lanes == S::LANES {
                    simd.load_ptr(from)
                } else {
                    simd.load_ptr_partial(from, lanes)
                }
            };
            let (r, s) = (k / KERNEL, k % KERNEL);
            results[r][s] = simd.add(before, gradient[r][s]);
        }
        for k in 0..KERNEL * KERNEL {
            let to = dw.wrapping_add(k * tap);
            let result = results[k / KERNEL][k % KERNEL];
            // SAFETY: as above.
            unsafe {
                if lanes == S::LANES {
                    simd.store_ptr(result, to);
                } else {
                    simd.store_ptr_partial(result, to, lanes);
                }
            }
        }
    }
}

/// A point of ROWS channels in by some vectors of channels out.
#[derive(Clone, Copy)]
struct Point {
    pairs: usize,
    patches: *const u32,
    gradients: *const u32,
    sums: *mut f32,
}

impl Point {
    /// Sums over the pairs, R channels in at a time.
    ///
    /// # Safety
    /// Patches are valid for reading ROWS words, gradients V vectors in each of `pairs` rows of their slabs; the sums are valid for
    /// writing V vectors in each of ROWS rows.
    #[inline(always)]
    unsafe fn run<L: Level, const R: usize, const V: usize>(self, level: L) {
        let simd = level.floats();
        let lanes = <L::Floats as Simd>::LANES;
        for row in (0..ROWS).step_by(R) {
            let mut sums = [[simd.zero(); V]; R];
            let (mut x, mut dy) = (self.patches.wrapping_add(row), self.gradients);
            for _ in 0..self.pairs {
                // SAFETY: a vector of this pair, as the caller vouches; so below.
                let mut vectors = [unsafe { level.load_pairs(dy) }; V];
                for v in 1..V {
                    // SAFETY: as above.
                    vectors[v] = unsafe { level.load_pairs(dy.wrapping_add(v * lanes)) };
                }
                for r in 0..R {
                    // SAFETY: a channel of this pair, as the caller vouches.
                    let x = level.splat_pair(unsafe { *x.wrapping_add(r) });
                    for v in 0..V {
                        sums[r][v] = level.dot(sums[r][v], x, vectors[v]);
                    }
                }
                x = x.wrapping_add(SLABS[0]);
                dy = dy.wrapping_add(SLABS[1]);
            }
            for r in 0..R {
                for v in 0..V {
                    let to = (row + r) * SLABS[1] + v * lanes;
                    // SAFETY: a vector of this row, as the caller vouches.
                    unsafe { simd.store_ptr(sums[r][v], self.sums.wrapping_add(to)) };
                }
            }
        }
    }
}
