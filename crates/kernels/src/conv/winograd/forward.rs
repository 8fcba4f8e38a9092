//! The convolution of images by transformed weights: the forward pass, and with other sizes the input gradient.
//!
//! A block of tiles is transformed, multiplied and transformed back while it lies in the cache. The sixteen products of a
//! block have a row for each tile, and a row's sums do not depend on the others. Channels out come in strips, so that the
//! products of many channels do not push the patches out of the cache.

use std::ops::Range;

use super::grid::{Grid, PATCH, POINTS, Planes, STRIP, TILE};
use super::products::Products;
use super::target::Target;
use super::transform::{input_line, output_line};
use crate::elementwise::OnVectors as _;
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::simd::{Kernel, Simd};

/// Elements of scratch space: a block's patches, its products, and a pixel of zeros.
pub(super) fn scratch_len(grid: &Grid) -> usize {
    let [patches, products] = planes_of(grid, grid.block());
    patches.len() + products.len() + patches.row
}

fn planes_of(grid: &Grid, block: usize) -> [Planes; 2] {
    [
        Planes::new(block, grid.input[2]),
        Planes::new(block, grid.output[2].min(STRIP)),
    ]
}

/// Convolves all tiles of a grid.
pub(super) struct Convolve<'a, T, O> {
    pub(super) grid: Grid,
    pub(super) x: &'a [T],
    /// The packed weights of this direction.
    pub(super) panels: &'a [T],
    pub(super) epilogue: Epilogue<'a, T>,
    pub(super) target: O,
    pub(super) scratch: &'a mut [T],
}

impl<T: Float, O: Target<T>> Kernel<T> for Convolve<'_, T, O> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            grid,
            x,
            panels,
            epilogue,
            mut target,
            scratch,
        } = self;
        if grid.count() == 0 {
            return;
        }
        let blocks = grid.count().div_ceil(grid.block());
        let block = grid.count().div_ceil(blocks);
        let [patch_planes, product_planes] = planes_of(&grid, block);
        let (zeros, scratch) = scratch.split_at_mut(patch_planes.row);
        let (patches, products) = scratch.split_at_mut(patch_planes.len());
        zeros.fill(T::ZERO);
        let mut first = 0;
        while first < grid.count() {
            let tiles = block.min(grid.count() - first);
            simd.enter(TransformPatches {
                grid: &grid,
                tiles: (first, tiles),
                x,
                zeros,
                planes: patch_planes,
                patches,
            });
            for channel in (0..grid.output[2]).step_by(STRIP) {
                let channels = STRIP.min(grid.output[2] - channel);
                simd.enter(Products {
                    tiles,
                    summed: grid.input[2],
                    vectors: grid.output[2].div_ceil(S::LANES),
                    first_vector: channel / S::LANES,
                    count: channels.div_ceil(S::LANES),
                    planes: [patch_planes, product_planes],
                    patches,
                    panels,
                    products,
                });
                simd.enter(TransformBack {
                    grid: &grid,
                    tiles: (first, tiles),
                    channels: (channel, channels),
                    planes: product_planes,
                    products,
                    epilogue,
                    target: &mut target,
                });
            }
            first += tiles;
        }
    }
}

/// BᵀdB of the patches of some tiles.
pub(super) struct TransformPatches<'a, T> {
    pub(super) grid: &'a Grid,
    /// The number of the first tile, and how many there are.
    pub(super) tiles: (usize, usize),
    pub(super) x: &'a [T],
    /// What a pixel outside of the image holds.
    pub(super) zeros: &'a [T],
    pub(super) planes: Planes,
    pub(super) patches: &'a mut [T],
}

impl<T: Float> Kernel<T> for TransformPatches<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            grid,
            tiles: (first, tiles),
            x,
            zeros,
            planes,
            patches,
        } = self;
        let channels = grid.input[2];
        assert!(
            x.len() == grid.samples * grid.input[0] * grid.input[1] * channels
                && zeros.len() >= channels
                && tiles * planes.row <= planes.point
                && patches.len() >= channels.div_ceil(planes.row) * planes.len(),
            "conv: planes that do not fit their tiles"
        );
        let mut next = grid.tile(first);
        for t in 0..tiles {
            let pixels = grid.patch(next, x.as_ptr(), zeros.as_ptr());
            next = grid.next(next);
            let mut first = 0;
            while first < channels {
                let to = patches.as_mut_ptr().wrapping_add(planes.at(t, first));
                let count = planes.row.min(channels - first);
                // SAFETY: every pixel holds the channels, of x or of the zeros; the planes hold whole vectors for each tile.
                unsafe { transform_patch(simd, pixels, first..first + count, to, planes.point) };
                first += count;
            }
        }
    }
}

/// BᵀdB of one patch and some channels.
///
/// # Safety
/// Every pixel is valid for reading these channels, and `to` for writing as many, filled up to whole vectors, in each of the
/// sixteen planes `point` apart.
#[inline(always)]
unsafe fn transform_patch<S: Simd>(
    simd: S,
    pixels: [*const S::Elem; POINTS],
    channels: Range<usize>,
    to: *mut S::Elem,
    point: usize,
) {
    for c in channels.clone().step_by(S::LANES) {
        let lanes = channels.end - c;
        let mut lines = [[simd.zero(); PATCH]; PATCH];
        for r in 0..PATCH {
            let mut d = [simd.zero(); PATCH];
            for s in 0..PATCH {
                let from = pixels[r * PATCH + s].wrapping_add(c);
                d[s] = if lanes >= S::LANES {
                    // SAFETY: a full vector of the pixel, as the caller vouches.
                    unsafe { simd.load_ptr(from) }
                } else {
                    // SAFETY: the channels that the pixel has left, as the caller vouches.
                    unsafe { simd.load_ptr_partial(from, lanes) }
                };
            }
            lines[r] = input_line(simd, d);
        }
        for s in 0..PATCH {
            let column = input_line(simd, [lines[0][s], lines[1][s], lines[2][s], lines[3][s]]);
            for r in 0..PATCH {
                let at = (r * PATCH + s) * point + c - channels.start;
                // SAFETY: a vector of the plane, as the caller vouches.
                unsafe { simd.store_ptr(column[r], to.add(at)) };
            }
        }
    }
}

/// Aᵀ·m·A of the products of some tiles and channels, finished and given to the target.
pub(crate) struct TransformBack<'a, T, O> {
    pub(crate) grid: &'a Grid,
    /// The number of the first tile, and how many there are.
    pub(crate) tiles: (usize, usize),
    /// The first channel, and how many there are.
    pub(crate) channels: (usize, usize),
    pub(crate) planes: Planes,
    pub(crate) products: &'a [T],
    pub(crate) epilogue: Epilogue<'a, T>,
    pub(crate) target: &'a mut O,
}

impl<T: Float, O: Target<T>> Kernel<T> for TransformBack<'_, T, O> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            grid,
            tiles: (first, tiles),
            channels: (channel, channels),
            planes,
            products,
            epilogue,
            target,
        } = self;
        assert!(
            channels <= planes.row
                && tiles * planes.row <= planes.point
                && products.len() >= planes.len(),
            "conv: planes that do not fit their tiles"
        );
        let mut next = grid.tile(first);
        for t in 0..tiles {
            let tile = next;
            next = grid.next(tile);
            let m = products.as_ptr().wrapping_add(t * planes.row);
            for c in (0..channels).step_by(S::LANES) {
                let lanes = S::LANES.min(channels - c);
                // SAFETY: the planes hold a row of whole vectors for each tile.
                let mut values = unsafe { transform_back(simd, m.add(c), planes.point) };
                if let Some(bias) = epilogue.bias {
                    let bias = simd.load_partial(&bias[channel + c..][..lanes]);
                    for p in 0..TILE * TILE {
                        let value = &mut values[p / TILE][p % TILE];
                        *value = simd.add(*value, bias);
                    }
                }
                for p in 0..TILE * TILE {
                    let value = &mut values[p / TILE][p % TILE];
                    *value = epilogue.activation.forward(simd, *value);
                }
                target.put(simd, tile, channel + c, lanes, values);
            }
        }
    }
}

/// Aᵀ·m·A of one tile and vector of channels.
///
/// # Safety
/// `m` is valid for reading a vector in each of the sixteen planes `point` apart.
#[inline(always)]
unsafe fn transform_back<S: Simd>(
    simd: S,
    m: *const S::Elem,
    point: usize,
) -> [[S::Vector; TILE]; TILE] {
    let mut lines = [[simd.zero(); TILE]; PATCH];
    for r in 0..PATCH {
        let mut line = [simd.zero(); PATCH];
        for s in 0..PATCH {
            // SAFETY: a vector of the plane, as the caller vouches.
            line[s] = unsafe { simd.load_ptr(m.add((r * PATCH + s) * point)) };
        }
        lines[r] = output_line(simd, line);
    }
    let mut values = [[simd.zero(); TILE]; TILE];
    for s in 0..TILE {
        let column = output_line(simd, [lines[0][s], lines[1][s], lines[2][s], lines[3][s]]);
        for r in 0..TILE {
            values[r][s] = column[r];
        }
    }
    values
}
