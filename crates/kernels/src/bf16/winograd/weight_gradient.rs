//! The weight gradient, F(3×3, 2×2), with pairs of tiles.
//!
//! ```text
//! for each chunk of tiles, channel in and out:
//!     s[point] = Σ over pairs of tiles of (Bᵀ d B)[point][ic] · (A dy Aᵀ)[point][oc]
//!     dw[..][..][ic][oc] += Gᵀ s G
//! ```
//!
//! As in `conv::winograd::weight_gradient`, the sums of a slab of channels in by one of channels out are made for all points and
//! go back to the kernel's gradient at once. A slab out is a strip of the register tile; chunks have twice the tiles, since the
//! sums take half the time and their way back takes all of it.

use super::{POINTS, patch};
use crate::bf16::level::{Body, Level};
use crate::bf16::pack::{MAX_STRIP, as_words_mut, strip_width};
use crate::bf16::tile::{Finish, Rows, Sums};
use crate::conv::winograd::grid::{Grid, Planes};
use crate::conv::winograd::transform::two::{KernelGradient, PATCH, TILE};
use crate::conv::winograd::transform::{KERNEL, Matrix};
use crate::simd::{MAX_LANES, Simd};

/// Channels in and out of a slab.
const SLAB: [usize; 2] = [MAX_LANES, MAX_STRIP];

/// The most tiles of a chunk.
const MOST_TILES: usize = 128;

/// The sums of a slab in, a row each, by a slab out.
const SUMS: Planes = Planes::new(POINTS, SLAB[0], SLAB[1]);

/// Elements of scratch space: what a chunk's x and dy become, the sums of two slabs, and a pixel of zeros.
pub(crate) fn scratch_len(grid: &Grid) -> usize {
    let chunk = chunk_of(grid).min(grid.count());
    let words = |side: usize| slabs(grid, side) * planes(chunk, side).len();
    words(0) + words(1) + SUMS.len() + zeros_len(grid)
}

fn zeros_len(grid: &Grid) -> usize {
    grid.input[2]
        .max(grid.output[2])
        .next_multiple_of(MAX_LANES)
}

/// Slabs of channels in or out.
fn slabs(grid: &Grid, side: usize) -> usize {
    [grid.input[2], grid.output[2]][side].div_ceil(SLAB[side])
}

/// Those of a slab of a chunk: a row for each pair of tiles.
fn planes(chunk: usize, side: usize) -> Planes {
    Planes::new(POINTS, chunk.div_ceil(2), SLAB[side])
}

/// Tiles of a chunk: some whole samples, or a part of one.
pub(crate) fn chunk_of(grid: &Grid) -> usize {
    let tiles = grid.per_sample().max(1);
    if tiles <= MOST_TILES {
        MOST_TILES / tiles * tiles
    } else {
        tiles.div_ceil(tiles.div_ceil(MOST_TILES))
    }
}

/// Adds the weight gradient of all tiles of a forward grid.
pub(crate) struct Accumulate<'a> {
    pub(crate) grid: Grid,
    pub(crate) x: &'a [f32],
    pub(crate) dy: &'a [f32],
    pub(crate) dweight: &'a mut [f32],
    pub(crate) scratch: &'a mut [f32],
}

impl Body for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Self {
            grid,
            x,
            dy,
            dweight,
            scratch,
        } = self;
        let chunk = chunk_of(&grid);
        let planes = [0, 1].map(|side| planes(chunk.min(grid.count()), side));
        let (patches, scratch) = scratch.split_at_mut(slabs(&grid, 0) * planes[0].len());
        let (gradients, scratch) = scratch.split_at_mut(slabs(&grid, 1) * planes[1].len());
        let (sums, zeros) = scratch.split_at_mut(SUMS.len());
        let [patches, gradients] = [patches, gradients].map(as_words_mut);
        zeros.fill(0.0);
        let mut first = 0;
        while first < grid.count() {
            let left = if chunk < grid.per_sample() {
                grid.per_sample() - first % grid.per_sample()
            } else {
                grid.count() - first
            };
            let tiles = (first, chunk.min(left));
            let transform = Transform {
                grid: &grid,
                tiles,
                zeros,
                planes,
            };
            level.enter(Patches(transform, x, patches));
            level.enter(Gradients(transform, dy, gradients));
            for ic in (0..grid.input[2]).step_by(SLAB[0]) {
                let patches = &patches[ic / SLAB[0] * planes[0].len()..];
                for oc in (0..grid.output[2]).step_by(SLAB[1]) {
                    let gradients = &gradients[oc / SLAB[1] * planes[1].len()..];
                    let slab_sums = SlabSums {
                        tiles: tiles.1,
                        channels: [grid.input[2] - ic, grid.output[2] - oc],
                        planes,
                    };
                    slab_sums.run(level, patches, gradients, sums);
                    level.enter(AddBack {
                        channels: [grid.input[2], grid.output[2]],
                        first: [ic, oc],
                        sums,
                        dweight,
                    });
                }
            }
            first += tiles.1;
        }
    }
}

/// Some tiles of a grid, and the planes that they go to.
#[derive(Clone, Copy)]
struct Transform<'a> {
    grid: &'a Grid,
    /// The number of the first tile, and how many there are.
    tiles: (usize, usize),
    /// What a pixel outside of the image holds.
    zeros: &'a [f32],
    planes: [Planes; 2],
}

impl Transform<'_> {
    /// Panics unless images of such sizes and their planes are as long as the tiles ask for.
    fn check(
        &self,
        [height, width, channels]: [usize; 3],
        images: &[f32],
        words: &[u32],
        side: usize,
    ) {
        let planes = self.planes[side];
        assert!(
            images.len() == self.grid.samples * height * width * channels
                && self.zeros.len() >= channels
                && planes.row == SLAB[side]
                && self.tiles.1.div_ceil(2) * planes.row <= planes.point
                && words.len() >= slabs(self.grid, side) * planes.len(),
            "bf16: planes that do not fit their tiles"
        );
    }
}

/// BᵀdB of the patches of x, two tiles a pair, as rows of a slab.
struct Patches<'a>(Transform<'a>, &'a [f32], &'a mut [u32]);

impl Body for Patches<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Self(transform, x, words) = self;
        let (grid, planes) = (transform.grid, transform.planes[0]);
        transform.check(grid.input, x, words, 0);
        let (first, tiles) = transform.tiles;
        let (simd, lanes) = (level.floats(), <L::Floats as Simd>::LANES);
        let outside = [[transform.zeros.as_ptr(); PATCH]; PATCH];
        let mut next = grid.tile(first);
        for t in (0..tiles).step_by(2) {
            let mut pixels = [outside; 2];
            for pixels in &mut pixels[..2.min(tiles - t)] {
                *pixels = grid.patch(next, x.as_ptr(), outside[0][0]);
                next = grid.next(next);
            }
            for c in (0..grid.input[2]).step_by(lanes) {
                let left = grid.input[2] - c;
                // SAFETY: every pixel holds the channels, of x or of the zeros.
                let (low, high) = unsafe {
                    (
                        patch::of_input(simd, &pixels[0], c, left),
                        patch::of_input(simd, &pixels[1], c, left),
                    )
                };
                let at = c / SLAB[0] * planes.len() + t / 2 * planes.row + c % SLAB[0];
                store_points(level, [&low, &high], &mut words[at..], planes.point);
            }
        }
    }
}

/// A·dy·Aᵀ of the tiles of dy, two tiles a pair, as strips of a slab.
struct Gradients<'a>(Transform<'a>, &'a [f32], &'a mut [u32]);

impl Body for Gradients<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Self(transform, dy, words) = self;
        let (grid, planes) = (transform.grid, transform.planes[1]);
        transform.check(grid.output, dy, words, 1);
        let (first, tiles) = transform.tiles;
        let pairs = tiles.div_ceil(2);
        let (simd, lanes) = (level.floats(), <L::Floats as Simd>::LANES);
        let width = strip_width::<L>();
        let outside = [[transform.zeros.as_ptr(); TILE]; TILE];
        let mut next = grid.tile(first);
        for t in (0..tiles).step_by(2) {
            let mut pixels = [outside; 2];
            for pixels in &mut pixels[..2.min(tiles - t)] {
                *pixels = grid.pixels(next, dy.as_ptr(), outside[0][0]);
                next = grid.next(next);
            }
            for c in (0..grid.output[2]).step_by(lanes) {
                let left = grid.output[2] - c;
                // SAFETY: every pixel holds the channels, of dy or of the zeros.
                let (low, high) = unsafe {
                    (
                        patch::of_gradient(simd, &pixels[0], c, left),
                        patch::of_gradient(simd, &pixels[1], c, left),
                    )
                };
                let strip = c % SLAB[1] / width * pairs + t / 2;
                let at = c / SLAB[1] * planes.len() + strip * width + c % width;
                store_points(level, [&low, &high], &mut words[at..], planes.point);
            }
        }
    }
}

/// Writes two tiles' vectors as pairs, one for each of sixteen planes.
#[inline(always)]
fn store_points<L: Level>(
    level: L,
    [low, high]: [&patch::Points<<L::Floats as Simd>::Vector>; 2],
    words: &mut [u32],
    plane: usize,
) {
    let lanes = <L::Floats as Simd>::LANES;
    assert!(
        words.len() >= (POINTS - 1) * plane + lanes,
        "bf16: planes that do not fit their tiles"
    );
    for point in 0..POINTS {
        let (r, s) = (point / PATCH, point % PATCH);
        let to = words.as_mut_ptr().wrapping_add(point * plane);
        // SAFETY: a vector in each plane lies in the words, as just asserted.
        unsafe { level.store_pairs(level.pair(low[r][s], high[r][s]), to) };
    }
}

/// The sums of a slab in by a slab out over the tiles of a chunk, at all points.
struct SlabSums {
    tiles: usize,
    /// Channels in and out that are left.
    channels: [usize; 2],
    planes: [Planes; 2],
}

impl SlabSums {
    #[inline(always)]
    fn run<L: Level>(&self, level: L, patches: &[u32], gradients: &[u32], sums: &mut [f32]) {
        for point in 0..POINTS {
            let of_point = Sums {
                a: &patches[point * self.planes[0].point..],
                extent: [1, 1, self.tiles.div_ceil(2)],
                a_strides: [0, 0, SLAB[0]],
                rows: Rows::of_matrix(SLAB[0].min(self.channels[0]), 1),
                b: &gradients[point * self.planes[1].point..],
                columns: SLAB[1].min(self.channels[1]),
                c_row: SUMS.row,
                finish: Finish::STORE,
            };
            of_point.run(level, &mut sums[point * SUMS.point..]);
        }
    }
}

/// dw += Gᵀ s G for the sums of two slabs.
struct AddBack<'a> {
    /// Channels in and out.
    channels: [usize; 2],
    /// The slabs' first ones.
    first: [usize; 2],
    sums: &'a [f32],
    dweight: &'a mut [f32],
}

impl Body for AddBack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let (simd, lanes) = (level.floats(), <L::Floats as Simd>::LANES);
        let [inputs, outputs] = self.channels;
        let [ic, oc] = self.first;
        for row in 0..SLAB[0].min(inputs - ic) {
            let (taps, at) = (inputs * outputs, (ic + row) * outputs + oc);
            for column in (0..SLAB[1].min(outputs - oc)).step_by(lanes) {
                let gradient = transform_back(simd, &self.sums[row * SUMS.row + column..]);
                let present = lanes.min(outputs - oc - column);
                for tap in 0..KERNEL * KERNEL {
                    let dw = &mut self.dweight[tap * taps + at + column..][..present];
                    let sum = simd.add(simd.load_partial(dw), gradient[tap / KERNEL][tap % KERNEL]);
                    simd.store_partial(sum, dw);
                }
            }
        }
    }
}

/// Gᵀ s G of a vector of sums.
#[inline(always)]
fn transform_back<S: Simd<Elem = f32>>(simd: S, sums: &[f32]) -> [[S::Vector; KERNEL]; KERNEL] {
    let mut points = [[simd.zero(); PATCH]; PATCH];
    for r in 0..PATCH {
        for s in 0..PATCH {
            points[r][s] = simd.load(&sums[(r * PATCH + s) * SUMS.point..]);
        }
    }
    KernelGradient.square(simd, points)
}
