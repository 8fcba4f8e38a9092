//! The convolution of images by transformed weights: the forward pass, and with other sizes the input gradient.
//!
//! As in `conv::winograd::forward`, a block of tiles is transformed, multiplied and transformed back while it lies in the cache;
//! its patches take half the room.

use super::weights::point_len;
use crate::bf16::level::{Body, Level};
use crate::bf16::pack::as_words_mut;
use crate::bf16::tile::{Finish, Rows, Sums};
use crate::conv::winograd::forward::{By, TransformBack, load_square};
use crate::conv::winograd::grid::{Grid, Planes, STRIP};
use crate::conv::winograd::target::Target;
use crate::conv::winograd::transform::{Lines, Matrix};
use crate::gemm::Epilogue;
use crate::simd::{MAX_LANES, Simd};

/// Words and elements that a block's patches and products may take, as for the products of `f32`.
const BLOCK_LEN: usize = 80 << 10;

/// With fewer tiles at a time, too little is done with a weight each time that it is loaded.
const SMALLEST_BLOCK: usize = 24;

/// Elements of scratch space: a block's patches, its products, and a pixel of zeros.
pub(crate) fn scratch_len(grid: &Grid) -> usize {
    let [patches, products] = planes_of(grid, block_of(grid));
    patches.len() + products.len() + zeros_len(grid)
}

/// The most tiles of a block.
fn block_of(grid: &Grid) -> usize {
    let words = grid.input[2].div_ceil(2) + grid.output[2].min(STRIP);
    let fitting = BLOCK_LEN / (grid.points() * words);
    fitting.max(SMALLEST_BLOCK).min(grid.count())
}

fn planes_of(grid: &Grid, block: usize) -> [Planes; 2] {
    [
        Planes::new(grid.points(), block, grid.input[2].div_ceil(2)),
        Planes::new(grid.points(), block, grid.output[2].min(STRIP)),
    ]
}

const fn zeros_len(grid: &Grid) -> usize {
    grid.input[2].next_multiple_of(MAX_LANES)
}

/// Convolves all tiles of a grid.
pub(crate) struct Convolve<'a, O> {
    pub(crate) grid: Grid,
    pub(crate) x: &'a [f32],
    /// The packed weights of this direction.
    pub(crate) panels: &'a [u32],
    pub(crate) epilogue: Epilogue<'a, f32>,
    pub(crate) target: O,
    pub(crate) scratch: &'a mut [f32],
}

impl<O> Convolve<'_, O> {
    /// By what turns `FROM` pixels a line that are read into points, and points into `TO` pixels that are written.
    pub(crate) fn by<I, B, const FROM: usize, const PATCH: usize, const TO: usize>(
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

impl<O, I, B, const FROM: usize, const PATCH: usize, const TO: usize> Body
    for By<Convolve<'_, O>, (I, B), FROM, PATCH, TO>
where
    O: Target<f32, TO>,
    I: Matrix<FROM, PATCH>,
    B: Matrix<PATCH, TO>,
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
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
        let blocks = grid.count().div_ceil(block_of(&grid));
        let block = grid.count().div_ceil(blocks);
        let planes = planes_of(&grid, block);
        let (zeros, scratch) = scratch.split_at_mut(zeros_len(&grid));
        let (patches, products) = scratch.split_at_mut(planes[0].len());
        let patches = as_words_mut(patches);
        zeros.fill(0.0);
        let mut first = 0;
        while first < grid.count() {
            let tiles = block.min(grid.count() - first);
            level.enter(TransformPatches {
                grid: &grid,
                tiles: (first, tiles),
                x,
                zeros,
                planes: planes[0],
                patches,
                matrix: matrices.0,
            });
            for channel in (0..grid.output[2]).step_by(STRIP) {
                let channels = STRIP.min(grid.output[2] - channel);
                let products_of = Products {
                    grid: &grid,
                    tiles,
                    channels: (channel, channels),
                    planes,
                };
                products_of.run(level, patches, panels, products);
                level.floats().enter(TransformBack {
                    grid: &grid,
                    tiles: (first, tiles),
                    channels: (channel, channels),
                    planes: planes[1],
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

/// The products of a block and some channels, one for each point.
struct Products<'a> {
    grid: &'a Grid,
    tiles: usize,
    /// The first channel, a multiple of every level's strip, and how many there are.
    channels: (usize, usize),
    /// Those of the patches and those of the products.
    planes: [Planes; 2],
}

impl Products<'_> {
    #[inline(always)]
    fn run<L: Level>(self, level: L, patches: &[u32], panels: &[u32], products: &mut [f32]) {
        let (channel, channels) = self.channels;
        let pairs = self.grid.input[2].div_ceil(2);
        let point_len = point_len(self.grid.input[2], self.grid.output[2]);
        for point in 0..self.grid.points() {
            let sums = Sums {
                a: &patches[point * self.planes[0].point..],
                extent: [1, 1, pairs],
                a_strides: [0, 0, 1],
                rows: Rows::of_matrix(self.tiles, self.planes[0].row),
                b: &panels[point * point_len + channel * pairs..],
                columns: channels,
                c_row: self.planes[1].row,
                finish: Finish::STORE,
            };
            sums.run(level, &mut products[point * self.planes[1].point..]);
        }
    }
}

/// The points of what some tiles take of images, neighbouring channels paired.
struct TransformPatches<'a, M, const FROM: usize, const PATCH: usize> {
    grid: &'a Grid,
    /// The number of the first tile, and how many there are.
    tiles: (usize, usize),
    x: &'a [f32],
    /// What a pixel outside of the image holds.
    zeros: &'a [f32],
    planes: Planes,
    patches: &'a mut [u32],
    matrix: M,
}

impl<M, const FROM: usize, const PATCH: usize> Body for TransformPatches<'_, M, FROM, PATCH>
where
    M: Matrix<FROM, PATCH>,
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Self {
            grid,
            tiles: (first, tiles),
            x,
            zeros,
            planes,
            patches,
            matrix,
        } = self;
        let channels = grid.input[2];
        assert!(
            x.len() == grid.samples * grid.input[0] * grid.input[1] * channels
                && zeros.len() >= channels
                && channels.div_ceil(2) <= planes.row
                && tiles * planes.row <= planes.point
                && planes.points == PATCH * PATCH
                && patches.len() >= planes.len(),
            "bf16: planes that do not fit their tiles"
        );
        let (simd, lanes) = (level.floats(), <L::Floats as Simd>::LANES);
        let mut next = grid.tile(first);
        for t in 0..tiles {
            let pixels: Lines<_, FROM> = grid.patch(next, x.as_ptr(), zeros.as_ptr());
            next = grid.next(next);
            let to = patches.as_mut_ptr().wrapping_add(t * planes.row);
            for c in (0..channels).step_by(lanes) {
                // SAFETY: every pixel holds the channels, of x or of the zeros.
                let d = unsafe { load_square(simd, &pixels, c, channels - c) };
                let points = matrix.square(simd, d);
                for r in 0..PATCH {
                    for s in 0..PATCH {
                        let to = to.wrapping_add((r * PATCH + s) * planes.point + c / 2);
                        // SAFETY: rows of the planes are filled up to a multiple of sixteen words, which half vectors cut evenly.
                        unsafe { level.store_rounded(points[r][s], to) };
                    }
                }
            }
        }
    }
}
