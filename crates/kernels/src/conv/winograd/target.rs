//! Where finished tiles go: into an image, or through a 2×2 max-pool.

use super::grid::Tile;
use super::transform::Lines;
use crate::conv::Dims;
use crate::float::Float;
use crate::pool::{self, best::Best};
use crate::simd::Simd;

/// Takes finished tiles.
pub(crate) trait Target<T: Float, const SIDE: usize> {
    /// Takes `lanes` channels of a tile from `channel` on.
    fn put<S: Simd<Elem = T>>(
        &mut self,
        simd: S,
        tile: Tile,
        channel: usize,
        lanes: usize,
        values: Lines<S::Vector, SIDE>,
    );
}

/// All pixels of images; what a tile has beyond them is dropped.
pub(crate) struct Pixels<'a, T> {
    /// Rows, columns, channels of an image.
    pub(crate) output: [usize; 3],
    pub(crate) y: &'a mut [T],
}

impl<T: Float, const SIDE: usize> Target<T, SIDE> for Pixels<'_, T> {
    #[inline(always)]
    fn put<S: Simd<Elem = T>>(
        &mut self,
        simd: S,
        tile: Tile,
        channel: usize,
        lanes: usize,
        values: Lines<S::Vector, SIDE>,
    ) {
        let [height, width, channels] = self.output;
        for r in 0..SIDE {
            let h = SIDE * tile.row + r;
            for s in 0..SIDE {
                let w = SIDE * tile.column + s;
                if h < height && w < width {
                    let pixel = (tile.sample * height + h) * width + w;
                    let y = &mut self.y[pixel * channels + channel..][..lanes];
                    simd.store_partial(values[r][s], y);
                }
            }
        }
    }
}

/// Patches of images, which overlap: each is added to what the tiles before it left there.
pub(crate) struct Overlapping<'a, T> {
    /// Rows, columns, channels of an image.
    pub(crate) output: [usize; 3],
    /// Padding above and left of it.
    pub(crate) before: [usize; 2],
    /// Pixels from one patch to the next along an axis.
    pub(crate) step: usize,
    /// Zeros at first.
    pub(crate) y: &'a mut [T],
}

impl<T: Float, const SIDE: usize> Target<T, SIDE> for Overlapping<'_, T> {
    #[inline(always)]
    fn put<S: Simd<Elem = T>>(
        &mut self,
        simd: S,
        tile: Tile,
        channel: usize,
        lanes: usize,
        values: Lines<S::Vector, SIDE>,
    ) {
        let [height, width, channels] = self.output;
        for r in 0..SIDE {
            let h = (self.step * tile.row + r).wrapping_sub(self.before[0]);
            for s in 0..SIDE {
                let w = (self.step * tile.column + s).wrapping_sub(self.before[1]);
                if h < height && w < width {
                    let pixel = (tile.sample * height + h) * width + w;
                    let y = &mut self.y[pixel * channels + channel..][..lanes];
                    simd.store_partial(simd.add(simd.load_partial(y), values[r][s]), y);
                }
            }
        }
    }
}

/// The largest of each window of a 2×2 pool, and which of its pixels that was. A tile has one window, or two by two.
pub(crate) struct Windows<'a, T> {
    /// Rows, columns, channels of the pool's output.
    output: [usize; 3],
    y: &'a mut [T],
    places: Option<&'a mut [u8]>,
}

impl<'a, T> Windows<'a, T> {
    pub(crate) fn of(
        dims: &Dims,
        pool: &pool::Dims,
        y: &'a mut [T],
        places: Option<&'a mut [u8]>,
    ) -> Self {
        let [rows, columns] = pool.output;
        Self {
            output: [rows, columns, dims.output[2]],
            y,
            places,
        }
    }
}

impl<T: Float, const SIDE: usize> Target<T, SIDE> for Windows<'_, T> {
    #[inline(always)]
    fn put<S: Simd<Elem = T>>(
        &mut self,
        simd: S,
        tile: Tile,
        channel: usize,
        lanes: usize,
        values: Lines<S::Vector, SIDE>,
    ) {
        let [rows, columns, channels] = self.output;
        for r in 0..SIDE / 2 {
            let row = tile.row * (SIDE / 2) + r;
            for s in 0..SIDE / 2 {
                let column = tile.column * (SIDE / 2) + s;
                if row < rows && column < columns {
                    let window = (tile.sample * rows + row) * columns + column;
                    let at = window * channels + channel;
                    let [upper, lower] = [values[2 * r], values[2 * r + 1]];
                    let four = [
                        upper[2 * s],
                        upper[2 * s + 1],
                        lower[2 * s],
                        lower[2 * s + 1],
                    ];
                    let best = Best::of_four(simd, four);
                    simd.store_partial(best.value, &mut self.y[at..][..lanes]);
                    if let Some(places) = &mut self.places {
                        best.store_numbers(simd, &mut places[at..][..lanes]);
                    }
                }
            }
        }
    }
}
