//! The convolution of images by transformed weights: the forward pass, and with other sizes the input gradient.
//!
//! A block of tiles is transformed, multiplied and transformed back while it lies in the cache. The products of a
//! block have a row for each tile, and a row's sums do not depend on the others. Channels out come in strips, so that the
//! products of many channels do not push the patches out of the cache.

use super::grid::{Grid, Planes, STRIP};
use super::products::Products;
use super::target::Target;
use super::transform::{Lines, Matrix};
use crate::elementwise::{Activation, OnVectors as _};
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::simd::{Kernel, Simd};

/// Elements of scratch space: a block's patches, its products, and a pixel of zeros.
pub(super) fn scratch_len(grid: &Grid) -> usize {
    let [patches, products] = planes_of(grid, grid.block());
    patches.len() + products.len() + patches.row
}

fn planes_of(grid: &Grid, block: usize) -> [Planes; 2] {
    let channels = [grid.input[2], grid.output[2].min(STRIP)];
    channels.map(|channels| Planes::new(grid.points(), block, channels))
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

impl<T, O> Convolve<'_, T, O> {
    /// By what turns `FROM` pixels a line that are read into points, and points into `TO` pixels that are written.
    pub(super) fn by<I, B, const FROM: usize, const PATCH: usize, const TO: usize>(
        self,
        into: I,
        back: B,
    ) -> By<Self, (I, B), FROM, PATCH, TO>
    where
        I: Matrix<FROM, PATCH>,
        B: Matrix<PATCH, TO>,
    {
        By {
            work: self,
            matrices: (into, back),
        }
    }
}

/// Some work by some matrices.
pub(crate) struct By<W, M, const FROM: usize, const PATCH: usize, const TO: usize> {
    pub(crate) work: W,
    pub(crate) matrices: M,
}

impl<T, O, I, B, const FROM: usize, const PATCH: usize, const TO: usize> Kernel<T>
    for By<Convolve<'_, T, O>, (I, B), FROM, PATCH, TO>
where
    T: Float,
    O: Target<T, TO>,
    I: Matrix<FROM, PATCH>,
    B: Matrix<PATCH, TO>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { work, matrices } = self;
        let Convolve {
            grid,
            x,
            panels,
            epilogue,
            mut target,
            scratch,
        } = work;
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
                places: Places::of(&patch_planes, PATCH),
                patches,
                matrix: matrices.0,
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
                    matrix: matrices.1,
                });
            }
            first += tiles;
        }
    }
}

/// Where the points of tiles and channels lie.
#[derive(Clone, Copy)]
pub(crate) struct Places {
    /// Elements from one tile to the next.
    pub(crate) tile: usize,
    /// Elements from one row and one column of points to the next.
    pub(crate) point: [usize; 2],
    /// Channels side by side, whole vectors of every level, and elements from the first of them to those that follow.
    pub(crate) slab: [usize; 2],
}

impl Places {
    /// Those of planes, `side` × `side` points of them.
    pub(crate) const fn of(planes: &Planes, side: usize) -> Self {
        Self {
            tile: planes.row,
            point: [side * planes.point, planes.point],
            slab: [planes.row, planes.len()],
        }
    }

    /// Elements of so many tiles of `side` × `side` points and slabs.
    pub(crate) const fn len(&self, tiles: usize, side: usize, slabs: usize) -> usize {
        let last = (side - 1) * (self.point[0] + self.point[1]);
        (slabs - 1) * self.slab[1] + last + (tiles - 1) * self.tile + self.slab[0]
    }
}

/// The points of what some tiles take of images: their patches of the images read, or their pixels of those written.
pub(super) struct TransformPatches<'a, T, M, const FROM: usize, const PATCH: usize> {
    pub(super) grid: &'a Grid,
    /// The number of the first tile, and how many there are.
    pub(super) tiles: (usize, usize),
    pub(super) x: &'a [T],
    /// What a pixel outside of the image holds.
    pub(super) zeros: &'a [T],
    pub(super) places: Places,
    pub(super) patches: &'a mut [T],
    pub(super) matrix: M,
}

impl<T, M, const FROM: usize, const PATCH: usize> Kernel<T>
    for TransformPatches<'_, T, M, FROM, PATCH>
where
    T: Float,
    M: Matrix<FROM, PATCH>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            grid,
            tiles: (first, tiles),
            x,
            zeros,
            places,
            patches,
            matrix,
        } = self;
        let [height, width, channels] = grid.input;
        let slab = places.slab[0];
        assert!(
            x.len() == grid.samples * height * width * channels
                && zeros.len() >= channels
                && slab.is_multiple_of(S::LANES)
                && patches.len() >= places.len(tiles, PATCH, channels.div_ceil(slab)),
            "conv: planes that do not fit their tiles"
        );
        let mut next = grid.tile(first);
        for t in 0..tiles {
            let pixels: Lines<_, FROM> = grid.patch(next, x.as_ptr(), zeros.as_ptr());
            next = grid.next(next);
            for c in (0..channels).step_by(S::LANES) {
                let at = c / slab * places.slab[1] + t * places.tile + c % slab;
                let to = patches.as_mut_ptr().wrapping_add(at);
                // SAFETY: every pixel holds the channels, of x or of the zeros.
                let d = unsafe { load_square(simd, &pixels, c, channels - c) };
                let points = matrix.square(simd, d);
                for r in 0..PATCH {
                    for s in 0..PATCH {
                        let to = to.wrapping_add(r * places.point[0] + s * places.point[1]);
                        // SAFETY: a vector of this tile and these channels at each point, as just asserted.
                        unsafe { simd.store_ptr(points[r][s], to) };
                    }
                }
            }
        }
    }
}

/// A vector of channels from `c` on, of which there are `lanes` or more, of every pixel of a square; other lanes are 0.
///
/// # Safety
/// Every pixel is valid for reading these channels.
#[inline(always)]
pub(crate) unsafe fn load_square<S: Simd, const SIDE: usize>(
    simd: S,
    pixels: &Lines<*const S::Elem, SIDE>,
    c: usize,
    lanes: usize,
) -> Lines<S::Vector, SIDE> {
    let mut d = [[simd.zero(); SIDE]; SIDE];
    for r in 0..SIDE {
        for s in 0..SIDE {
            let from = pixels[r][s].wrapping_add(c);
            d[r][s] = if lanes >= S::LANES {
                // SAFETY: a full vector of the pixel, as the caller vouches.
                unsafe { simd.load_ptr(from) }
            } else {
                // SAFETY: the channels that the pixel has left, as the caller vouches.
                unsafe { simd.load_ptr_partial(from, lanes) }
            };
        }
    }
    d
}

/// Pixels of the products of some tiles and channels, finished and given to the target.
pub(crate) struct TransformBack<'a, T, O, M, const PATCH: usize, const TO: usize> {
    /// The number of the first tile, and how many there are.
    pub(crate) tiles: (usize, usize),
    /// The first channel, and how many there are.
    pub(crate) channels: (usize, usize),
    pub(crate) grid: &'a Grid,
    pub(crate) planes: Planes,
    pub(crate) products: &'a [T],
    pub(crate) epilogue: Epilogue<'a, T>,
    pub(crate) target: &'a mut O,
    pub(crate) matrix: M,
}

impl<T, O, M, const PATCH: usize, const TO: usize> Kernel<T>
    for TransformBack<'_, T, O, M, PATCH, TO>
where
    T: Float,
    O: Target<T, TO>,
    M: Matrix<PATCH, TO>,
{
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
            matrix,
        } = self;
        assert!(
            channels <= planes.row
                && tiles * planes.row <= planes.point
                && planes.points == PATCH * PATCH
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
                let points = unsafe { load_points(simd, m.wrapping_add(c), planes.point) };
                let mut values = matrix.square(simd, points);
                if let Some(bias) = epilogue.bias {
                    let bias = simd.load_partial(&bias[channel + c..][..lanes]);
                    for r in 0..TO {
                        for s in 0..TO {
                            values[r][s] = simd.add(values[r][s], bias);
                        }
                    }
                }
                values = activate(simd, epilogue.activation, values);
                target.put(simd, tile, channel + c, lanes, values);
            }
        }
    }
}

/// The activation of every pixel. Those that take an instruction or two stay in registers; the code of others is there once.
#[inline(always)]
fn activate<S: Simd, const TO: usize>(
    simd: S,
    activation: Activation,
    mut values: Lines<S::Vector, TO>,
) -> Lines<S::Vector, TO> {
    match activation {
        Activation::Identity => values,
        Activation::Relu => {
            for r in 0..TO {
                for s in 0..TO {
                    values[r][s] = Activation::Relu.forward(simd, values[r][s]);
                }
            }
            values
        }
        _ => {
            let mut in_memory = values;
            for value in in_memory.as_flattened_mut() {
                *value = activation.forward(simd, *value);
            }
            in_memory
        }
    }
}

/// A vector of each plane.
///
/// # Safety
/// `m` is valid for reading a vector in each of the planes `point` apart.
#[inline(always)]
pub(crate) unsafe fn load_points<S: Simd, const PATCH: usize>(
    simd: S,
    m: *const S::Elem,
    point: usize,
) -> Lines<S::Vector, PATCH> {
    let mut points = [[simd.zero(); PATCH]; PATCH];
    for r in 0..PATCH {
        for s in 0..PATCH {
            // SAFETY: a vector of the plane, as the caller vouches.
            points[r][s] = unsafe { simd.load_ptr(m.add((r * PATCH + s) * point)) };
        }
    }
    points
}
