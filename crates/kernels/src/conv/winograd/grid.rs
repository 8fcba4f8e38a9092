//! The tiles of a pass: where each one reads, and how many are under way at a time.

use super::transform::{KERNEL, Lines};
use crate::conv::Dims;
use crate::pool;
use crate::simd::MAX_LANES;

/// Channels out that are multiplied before any of them is transformed back.
pub(crate) const STRIP: usize = 64;

/// Elements that the transformed patches and products of a block may take: most of a small second-level cache, with room
/// left for the weights that pass through. Anything from a few tiles to twice as many is as fast within a few percent.
const BLOCK_LEN: usize = 80 << 10;

/// With fewer tiles at a time, too little is done with a weight each time that it is loaded.
const SMALLEST_BLOCK: usize = 16;

/// Images read and written tile by tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) samples: usize,
    /// Rows, columns, channels of the images that are read.
    pub(crate) input: [usize; 3],
    /// Rows, columns, channels of the images that are written.
    pub(crate) output: [usize; 3],
    /// Padding above and left of what is read.
    pub(crate) before: [usize; 2],
    /// Rows and columns of tiles a sample.
    pub(crate) tiles: [usize; 2],
    /// Pixels from one tile to the next along an axis.
    pub(crate) step: usize,
}

/// One tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    pub(crate) sample: usize,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl Grid {
    /// The tiles of y over patches of x, `step` pixels wide.
    pub(crate) const fn forward(dims: &Dims, step: usize) -> Self {
        Self {
            samples: dims.samples,
            input: dims.input,
            output: dims.output,
            before: dims.before,
            tiles: tiles_of(dims.output, step),
            step,
        }
    }

    /// The tiles of y that the windows of a 2×2 pool lie in.
    pub(crate) const fn of_windows(dims: &Dims, pool: &pool::Dims, step: usize) -> Self {
        let pooled = [2 * pool.output[0], 2 * pool.output[1], 0];
        Self {
            tiles: tiles_of(pooled, step),
            ..Self::forward(dims, step)
        }
    }

    /// The tiles of dx over patches of dy. The sizes are supported, so no padding is wider than the kernel's reach.
    pub(crate) const fn input_gradient(dims: &Dims, step: usize) -> Self {
        Self {
            samples: dims.samples,
            input: dims.output,
            output: dims.input,
            before: [2 - dims.before[0], 2 - dims.before[1]],
            tiles: tiles_of(dims.input, step),
            step,
        }
    }

    /// The tiles of dy over patches of dx, which overlap: the forward grid the other way round.
    pub(crate) const fn transposed(dims: &Dims, step: usize) -> Self {
        Self {
            samples: dims.samples,
            input: dims.output,
            output: dims.input,
            before: [0, 0],
            tiles: tiles_of(dims.output, step),
            step,
        }
    }

    /// The tiles of what is written, to be read as they are.
    pub(crate) const fn of_output(&self) -> Self {
        Self {
            input: self.output,
            before: [0, 0],
            ..*self
        }
    }

    /// Points along an axis.
    pub(crate) const fn side(&self) -> usize {
        self.step + KERNEL - 1
    }

    /// Points of a tile.
    pub(crate) const fn points(&self) -> usize {
        self.side() * self.side()
    }

    /// Tiles of all samples.
    pub(crate) const fn count(&self) -> usize {
        self.samples * self.per_sample()
    }

    /// Tiles of a sample.
    pub(crate) const fn per_sample(&self) -> usize {
        self.tiles[0] * self.tiles[1]
    }

    /// The most tiles of a block.
    pub(crate) fn block(&self) -> usize {
        let channels = self.input[2] + self.output[2].min(STRIP);
        let fitting = BLOCK_LEN / (self.points() * channels);
        fitting.max(SMALLEST_BLOCK).min(self.count())
    }

    /// Tiles of a chunk of some `most` tiles: those of a sample, cut evenly, or of so many samples as blocks can often be cut into.
    pub(crate) fn chunk(&self, most: usize) -> usize {
        let tiles = self.per_sample().max(1);
        if tiles <= most {
            tiles << (most / tiles).ilog2()
        } else {
            tiles.div_ceil(tiles.div_ceil(most))
        }
    }

    /// Tiles of the chunk that begins at tile `first`: fewer at the end of a sample that is cut, and at the end of all.
    pub(crate) fn tiles_of_chunk(&self, first: usize, chunk: usize) -> usize {
        let left = if chunk < self.per_sample() {
            self.per_sample() - first % self.per_sample()
        } else {
            self.count() - first
        };
        chunk.min(left)
    }

    /// The tile after another one.
    #[inline(always)]
    pub(crate) fn next(&self, tile: Tile) -> Tile {
        let Tile {
            mut sample,
            mut row,
            mut column,
        } = tile;
        column += 1;
        if column == self.tiles[1] {
            (row, column) = (row + 1, 0);
        }
        if row == self.tiles[0] {
            (sample, row) = (sample + 1, 0);
        }
        Tile {
            sample,
            row,
            column,
        }
    }

    /// A tile by its number.
    #[inline(always)]
    pub(crate) fn tile(&self, number: usize) -> Tile {
        let (sample, place) = (number / self.per_sample(), number % self.per_sample());
        Tile {
            sample,
            row: place / self.tiles[1],
            column: place % self.tiles[1],
        }
    }

    /// The pixels that a tile's patch takes of the images read, which start at `x`.
    #[inline(always)]
    pub(crate) fn patch<T, const SIDE: usize>(
        &self,
        tile: Tile,
        x: *const T,
        outside: *const T,
    ) -> Lines<*const T, SIDE> {
        let corner = [
            (self.step * tile.row).wrapping_sub(self.before[0]),
            (self.step * tile.column).wrapping_sub(self.before[1]),
        ];
        pixels(self.input, tile.sample, corner, [x, outside])
    }
}

/// A square of pixels from `corner` on, row by row, in one of the images at `data`; `outside` for those that are not in it.
#[inline(always)]
fn pixels<T, const SIDE: usize>(
    [height, width, channels]: [usize; 3],
    sample: usize,
    corner: [usize; 2],
    [data, outside]: [*const T; 2],
) -> Lines<*const T, SIDE> {
    let mut pixels = [[outside; SIDE]; SIDE];
    for r in 0..SIDE {
        let h = corner[0].wrapping_add(r);
        let row = data.wrapping_add(
            (sample * height)
                .wrapping_add(h)
                .wrapping_mul(width * channels),
        );
        for s in 0..SIDE {
            let w = corner[1].wrapping_add(s);
            if (h < height) & (w < width) {
                pixels[r][s] = row.wrapping_add(w * channels);
            }
        }
    }
    pixels
}

const fn tiles_of(output: [usize; 3], step: usize) -> [usize; 2] {
    [output[0].div_ceil(step), output[1].div_ceil(step)]
}

/// A matrix for each point, with a row for each tile of a block. Channels that a row has no room for follow in as many further
/// matrices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes {
    /// Matrices: points of a tile.
    pub(crate) points: usize,
    /// Elements from one row to the next: channels, filled up to whole vectors of every level.
    pub(crate) row: usize,
    /// Elements from one matrix to the next. An odd number of cache lines, so that the elements of a tile and
    /// channel, which are used together, lie in different sets of the cache.
    pub(crate) point: usize,
}

impl Planes {
    pub(crate) const fn new(points: usize, tiles: usize, channels: usize) -> Self {
        let row = channels.next_multiple_of(MAX_LANES);
        let lines = (tiles * row).div_ceil(MAX_LANES);
        Self {
            points,
            row,
            point: (lines | 1) * MAX_LANES,
        }
    }

    /// Elements of the matrices of all points.
    pub(crate) const fn len(&self) -> usize {
        self.points * self.point
    }
}
