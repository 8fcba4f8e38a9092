//! The weight gradient, with pairs of tiles.
//!
//! As in `conv::winograd::weight_gradient`; a chunk has twice the tiles, since their sums take half the time and the way back takes all of it.

use super::slabs::{self, SLABS, Slabs};
use crate::bf16::level::{Body, Level};
use crate::bf16::pack::as_words_mut;
use crate::conv::winograd::forward::{By, Places, load_square};
use crate::conv::winograd::grid::Grid;
use crate::conv::winograd::transform::{KERNEL, Lines, Matrix};
use crate::simd::Simd;

/// The most tiles of a chunk.
const MOST_TILES: usize = 80;

/// Elements of scratch space.
pub(super) fn scratch_len(grid: &Grid) -> usize {
    slabs::scratch_len(grid, &places_of(grid))
}

/// Those of a chunk.
fn places_of(grid: &Grid) -> [Places; 2] {
    let tiles = chunk_of(grid).min(grid.count());
    slabs::places(grid, tiles.div_ceil(2))
}

/// Tiles of a chunk.
pub(crate) fn chunk_of(grid: &Grid) -> usize {
    grid.chunk(MOST_TILES)
}

/// Adds the weight gradient of all tiles of a forward grid.
pub(super) struct Accumulate<'a> {
    pub(super) grid: Grid,
    pub(super) x: &'a [f32],
    pub(super) dy: &'a [f32],
    pub(super) dweight: &'a mut [f32],
    pub(super) scratch: &'a mut [f32],
}

impl Accumulate<'_> {
    /// By what turns patches of x and tiles of dy into points, and those into the gradient of a kernel.
    pub(super) fn by<I, O, B, const TILE: usize, const PATCH: usize>(
        self,
        input: I,
        output: O,
        back: B,
    ) -> By<Self, (I, O, B), TILE, PATCH, KERNEL>
    where
        I: Matrix<PATCH, PATCH>,
        O: Matrix<TILE, PATCH>,
        B: Matrix<PATCH, KERNEL>,
    {
        By {
            work: self,
            matrices: (input, output, back),
        }
    }
}

impl<I, O, B, const TILE: usize, const PATCH: usize> Body
    for By<Accumulate<'_>, (I, O, B), TILE, PATCH, KERNEL>
where
    I: Matrix<PATCH, PATCH>,
    O: Matrix<TILE, PATCH>,
    B: Matrix<PATCH, KERNEL>,
{
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Self { work, matrices } = self;
        let Accumulate {
            grid,
            x,
            dy,
            dweight,
            scratch,
        } = work;
        let (chunk, places) = (chunk_of(&grid), places_of(&grid));
        let channels = [grid.input[2], grid.output[2]];
        let slab = places.map(|places| places.slab[1]);
        let [patches, gradients, sums, zeros] = slabs::cut(&grid, &places, scratch);
        let [patches, gradients] = [patches, gradients].map(as_words_mut);
        zeros.fill(0.0);
        let mut first = 0;
        while first < grid.count() {
            let tiles = (first, grid.tiles_of_chunk(first, chunk));
            level.enter(TransformPairs {
                grid: &grid,
                tiles,
                x,
                zeros,
                places: places[0],
                points: patches,
                matrix: matrices.0,
            });
            level.enter(TransformPairs {
                grid: &grid.of_output(),
                tiles,
                x: dy,
                zeros,
                places: places[1],
                points: gradients,
                matrix: matrices.1,
            });
            for ic in (0..channels[0]).step_by(SLABS[0]) {
                for oc in (0..channels[1]).step_by(SLABS[1]) {
                    level.enter(Slabs {
                        pairs: tiles.1.div_ceil(2),
                        places,
                        operands: [
                            &patches[ic / SLABS[0] * slab[0]..][..slab[0]],
                            &gradients[oc / SLABS[1] * slab[1]..][..slab[1]],
                        ],
                        sums,
                        channels,
                        first: [ic, oc],
                        dweight,
                        matrix: matrices.2,
                    });
                }
            }
            first += tiles.1;
        }
    }
}

/// The points of what some tiles take of images, two tiles a pair; one without a second is paired with zeros.
struct TransformPairs<'a, M, const FROM: usize, const PATCH: usize> {
    grid: &'a Grid,
    /// The number of the first tile, and how many there are.
    tiles: (usize, usize),
    x: &'a [f32],
    /// What a pixel outside of the image holds.
    zeros: &'a [f32],
    places: Places,
    points: &'a mut [u32],
    matrix: M,
}

impl<M, const FROM: usize, const PATCH: usize> Body for TransformPairs<'_, M, FROM, PATCH>
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
            places,
            points,
            matrix,
        } = self;
        let [height, width, channels] = grid.input;
        let (simd, lanes) = (level.floats(), <L::Floats as Simd>::LANES);
        let slab = places.slab[0];
        assert!(
            x.len() == grid.samples * height * width * channels
                && zeros.len() >= channels
                && slab.is_multiple_of(lanes)
                && points.len() >= places.len(tiles.div_ceil(2), PATCH, channels.div_ceil(slab)),
            "bf16: planes that do not fit their tiles"
        );
        let outside: Lines<_, FROM> = [[zeros.as_ptr(); FROM]; FROM];
        let mut next = grid.tile(first);
        for t in (0..tiles).step_by(2) {
            let mut pixels = [outside; 2];
            for pixels in &mut pixels[..2.min(tiles - t)] {
                *pixels = grid.patch(next, x.as_ptr(), zeros.as_ptr());
                next = grid.next(next);
            }
            for c in (0..channels).step_by(lanes) {
                // SAFETY: every pixel holds the channels, of x or of the zeros.
                let [low, high] = unsafe {
                    [
                        load_square(simd, &pixels[0], c, channels - c),
                        load_square(simd, &pixels[1], c, channels - c),
                    ]
                };
                let (low, high) = (matrix.square(simd, low), matrix.square(simd, high));
                let at = c / slab * places.slab[1] + t / 2 * places.tile + c % slab;
                let to = points.as_mut_ptr().wrapping_add(at);
                for r in 0..PATCH {
                    for s in 0..PATCH {
                        let to = to.wrapping_add(r * places.point[0] + s * places.point[1]);
                        // SAFETY: a vector of this pair and these channels at each point, as just asserted.
                        unsafe { level.store_pairs(level.pair(low[r][s], high[r][s]), to) };
                    }
                }
            }
        }
    }
}
