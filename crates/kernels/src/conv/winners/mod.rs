//! The gradients of a convolution through the winners of the max-pool behind it, and through nothing else.
//!
//! A 2×2 pool leaves a quarter of the products or less; gradients that an activation made 0 are left out as well. Which
//! pixel counts differs from channel to channel, so vectors run along (kw, ic), which is contiguous in x, and the weights
//! are transposed to `[oc][kh][kw][ic]`. Where a level has the registers, the input gradient of a 3×3 kernel holds all that a
//! window reaches in them instead (`patch`). Elements are sums in an order that the sizes alone decide.

mod input;
mod list;
mod patch;
mod weight;

use self::input::InputSums;
use self::patch::PatchSums;
use self::weight::WeightSums;
use super::transpose::{Rows, transpose};
use super::{BackwardPool, Dims, SHORTEST_ROW};
use crate::float::Float;
use crate::pool;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// Places of a window that the bins are made for.
pub(super) const MOST_PLACES: usize = 16;

/// Elements that an offset in a list may span, of x over the windows of a list and of the weight.
const MOST_ELEMENTS: usize = u32::MAX as usize / 256;

/// Whether vectors along a row of the kernel pay, few enough pixels win, and all taps lie inside.
pub(super) fn is_sparse(dims: &Dims, pool: &pool::Dims) -> bool {
    let most = pool.kernel[0] * pool.kernel[1];
    let windows = pool.output[0] * pool.output[1];
    let pixels = dims.output[0] * dims.output[1];
    let image = dims.input[0] * dims.input[1] * dims.input[2];
    dims.groups == 1
        && dims.dilation[1] == 1
        && dims.kernel[1] * dims.input[2] >= SHORTEST_ROW
        && (2..=MOST_PLACES).contains(&most)
        && 2 * windows <= pixels
        && image.max(dims.weight_len()) <= MOST_ELEMENTS
        && is_inside(dims, pool)
}

/// Whether every window lies inside the convolution's output, and every pixel there meets all taps.
pub(super) fn is_inside(dims: &Dims, pool: &pool::Dims) -> bool {
    (0..2).all(|axis| {
        let (conv, windows) = (dims.axis(axis), pool.axis(axis));
        let is_full = |o: usize| windows.taps(o).len() == windows.kernel;
        let is_met = |o: usize| conv.taps(o).len() == conv.kernel;
        (0..windows.output).all(is_full) && (0..conv.output).all(is_met)
    })
}

/// The gradients through the winners alone; places are checked.
pub(super) struct Sparse<'a, T>(pub(super) BackwardPool<'a, T>);

impl<T: Float> Kernel<T> for Sparse<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let BackwardPool {
            dims,
            pool,
            x,
            prepared,
            dy,
            places,
            dweight,
            dx,
            scratch,
            ..
        } = self.0;
        let grid = Grid::new(dims, pool);
        let winners = Winners {
            grid: &grid,
            dy,
            places,
        };
        let transposed = &mut scratch[..dims.weight_len()];
        let [terms, outputs] = [dims.terms(), dims.output[2]];
        transpose_whole(simd, dweight, outputs, transposed);
        simd.enter(WeightSums {
            winners,
            x,
            sums: transposed,
        });
        transpose_whole(simd, transposed, terms, dweight);
        let Some(dx) = dx else { return };
        if patch::takes::<S>(dims, pool) {
            simd.enter(PatchSums {
                dims,
                winners,
                packed: prepared,
                dx,
            });
        } else {
            simd.enter(InputSums {
                winners,
                weight: prepared,
                dx,
            });
        }
    }
}

/// Elements that are derived from the weight, at any level.
pub(super) fn prepared_len(dims: &Dims, pool: &pool::Dims) -> usize {
    if patch::suits(dims, pool, MAX_LANES) {
        patch::packed_len(dims, MAX_LANES)
    } else {
        dims.weight_len()
    }
}

/// The weight as the input gradient reads it; lengths are checked.
pub(super) struct Prepare<'a, T> {
    pub(super) dims: &'a Dims,
    pub(super) pool: &'a pool::Dims,
    pub(super) weight: &'a [T],
    /// [`prepared_len`] elements: `[oc][kh][kw][ic]`, or as [`patch`] has it.
    pub(super) prepared: &'a mut [T],
}

impl<T: Float> Kernel<T> for Prepare<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        if patch::takes::<S>(self.dims, self.pool) {
            patch::pack(simd, self.dims, self.weight, self.prepared);
        } else {
            transpose_whole(simd, self.weight, self.dims.output[2], self.prepared);
        }
    }
}

/// Writes the transpose of a matrix of rows of `columns` elements.
#[inline(always)]
fn transpose_whole<S: Simd>(simd: S, from: &[S::Elem], columns: usize, to: &mut [S::Elem]) {
    let rows = from.len() / columns.max(1);
    let from = Rows {
        data: from,
        stride: columns,
    };
    let to = Rows {
        data: to,
        stride: rows,
    };
    transpose(simd, [rows, columns], from, to);
}

/// Where windows, the pixels in them and the rows of the kernel lie.
struct Grid {
    windows: usize,
    outputs: usize,
    /// Windows a sample, and a row of them.
    per_sample: [usize; 2],
    /// Elements of x from one sample, row of windows and window to the next.
    steps: [usize; 3],
    /// Elements of x from a window's first pixel to each.
    pixels: [u32; MOST_PLACES],
    places: usize,
    /// Rows of the kernel, numbers in one, elements of x from one to the next.
    rows: usize,
    len: usize,
    x_row: usize,
}

impl Grid {
    fn new(dims: &Dims, pool: &pool::Dims) -> Self {
        let [height, width, channels] = dims.input;
        let row = dims.stride[0] * width * channels;
        let column = dims.stride[1] * channels;
        let places = pool.kernel[0] * pool.kernel[1];
        let mut pixels = [0; MOST_PLACES];
        for (place, pixel) in pixels[..places].iter_mut().enumerate() {
            let (kh, kw) = (place / pool.kernel[1], place % pool.kernel[1]);
            *pixel = (kh * pool.dilation[0] * row + kw * pool.dilation[1] * column) as u32;
        }
        Self {
            windows: pool.samples * pool.output[0] * pool.output[1],
            outputs: dims.output[2],
            per_sample: [pool.output[0] * pool.output[1], pool.output[1]],
            steps: [
                height * width * channels,
                pool.stride[0] * row,
                pool.stride[1] * column,
            ],
            pixels,
            places,
            rows: dims.kernel[0],
            len: dims.kernel[1] * channels,
            x_row: dims.dilation[0] * width * channels,
        }
    }

    /// The element of x at the first tap of the first pixel of a window.
    #[inline(always)]
    fn window(&self, window: usize) -> usize {
        let (sample, window) = (window / self.per_sample[0], window % self.per_sample[0]);
        let (row, column) = (window / self.per_sample[1], window % self.per_sample[1]);
        sample * self.steps[0] + row * self.steps[1] + column * self.steps[2]
    }
}

/// The gradients and where they go.
#[derive(Clone, Copy)]
struct Winners<'a, T> {
    grid: &'a Grid,
    dy: &'a [T],
    places: &'a [u8],
}
