//! The gradients of a convolution through the winners of the max-pool behind it, and through nothing else.
//!
//! A 2×2 pool leaves a quarter of the products or less; gradients that an activation made 0 are left out as well. Which
//! pixel counts differs from channel to channel, so vectors run along (kw, ic), which is contiguous in x, and the weights
//! are transposed to `[oc][kh][kw][ic]`. Weight gradient: for each oc the winners of some windows become a list, and a
//! row of the kernel is kept in registers over the list. Input gradient: for each window the channels are binned by their
//! winner, and a row of the patch is kept in registers over a bin. Elements are sums in an order that the
//! sizes alone decide.

use std::ops::Range;

use super::transpose::{Rows, transpose};
use super::{BackwardPool, Dims};
use crate::float::Float;
use crate::pool;
use crate::simd::{Kernel, Simd};

/// Places of a window that the bins are made for.
const MOST_PLACES: usize = 16;

/// Numbers of a row of the kernel below which vectors along it do not pay.
const SHORTEST_ROW: usize = 16;

/// Whether every window lies inside, every pixel in it meets all taps, and few enough pixels win.
pub(super) fn is_sparse(dims: &Dims, pool: &pool::Dims) -> bool {
    let most = pool.kernel[0] * pool.kernel[1];
    let windows = pool.output[0] * pool.output[1];
    let pixels = dims.output[0] * dims.output[1];
    let is_inside = (0..2).all(|axis| {
        let (conv, windows) = (dims.axis(axis), pool.axis(axis));
        let is_full = |o: usize| windows.taps(o).len() == windows.kernel;
        let is_met = |o: usize| conv.taps(o).len() == conv.kernel;
        (0..windows.output).all(is_full) && (0..conv.output).all(is_met)
    });
    dims.groups == 1
        && dims.dilation[1] == 1
        && dims.kernel[1] * dims.input[2] >= SHORTEST_ROW
        && (2..=MOST_PLACES).contains(&most)
        && 2 * windows <= pixels
        && is_inside
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
        if let Some(dx) = dx {
            simd.enter(InputSums {
                winners,
                weight: prepared,
                dx,
            });
        }
    }
}

/// Weights to be transposed; lengths are checked.
pub(super) struct Transpose<'a, T> {
    pub(super) dims: &'a Dims,
    pub(super) weight: &'a [T],
    /// `[oc][kh][kw][ic]`
    pub(super) prepared: &'a mut [T],
}

impl<T: Float> Kernel<T> for Transpose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        transpose_whole(simd, self.weight, self.dims.output[2], self.prepared);
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
    pixels: [usize; MOST_PLACES],
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
            *pixel = kh * pool.dilation[0] * row + kw * pool.dilation[1] * column;
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

/// What of x is gone over again and again.
const FIRST_LEVEL_BYTES: usize = 24 << 10;

/// Entries of a list on the stack.
const LIST: usize = 64;

/// Elements somewhere, each with a factor.
struct List<T> {
    at: [usize; LIST],
    factors: [T; LIST],
    len: usize,
}

impl<T: Float> List<T> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            at: [0; LIST],
            factors: [T::ZERO; LIST],
            len: 0,
        }
    }

    /// Appends an entry unless its factor is 0. There is no branch, since which factors are 0 has no pattern.
    #[inline(always)]
    fn push(&mut self, at: usize, factor: T) {
        self.at[self.len] = at;
        self.factors[self.len] = factor;
        self.len += usize::from(factor != T::ZERO);
    }
}

/// dwᵀ += the gradient.
struct WeightSums<'a, T> {
    winners: Winners<'a, T>,
    x: &'a [T],
    /// `[oc][kh][kw][ic]`
    sums: &'a mut [T],
}

impl<T: Float> Kernel<T> for WeightSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            winners: Winners { grid, dy, places },
            x,
            sums,
        } = self;
        let terms = grid.rows * grid.len;
        // As many windows as have their x in the first-level cache, which every oc goes over; one entry fewer than the list
        // has room for, since a zero is written before it is forgotten.
        let bytes = grid.steps[0] * T::BYTES / grid.per_sample[0];
        let at_once = (FIRST_LEVEL_BYTES / bytes.max(1)).clamp(8, LIST - 1);
        let mut first = 0;
        while first < grid.windows {
            let count = (grid.windows - first).min(at_once);
            let mut starts = [0; LIST];
            for (start, window) in starts[..count].iter_mut().zip(first..) {
                *start = grid.window(window);
            }
            for oc in 0..grid.outputs {
                let mut list = List::new();
                for (i, start) in starts[..count].iter().enumerate() {
                    let at = (first + i) * grid.outputs + oc;
                    list.push(
                        start + grid.pixels[usize::from(places[at]) % MOST_PLACES],
                        dy[at],
                    );
                }
                for row in 0..grid.rows {
                    let sums = &mut sums[oc * terms + row * grid.len..][..grid.len];
                    // SAFETY: all taps of a winner lie in x, which the sizes and the check of the places ensure.
                    unsafe { add_rows(simd, &list, &x[row * grid.x_row..], sums) };
                }
            }
            first += count;
        }
    }
}

/// dx += the gradient.
struct InputSums<'a, T> {
    winners: Winners<'a, T>,
    /// `[oc][kh][kw][ic]`
    weight: &'a [T],
    dx: &'a mut [T],
}

impl<T: Float> Kernel<T> for InputSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            winners,
            weight,
            dx,
        } = self;
        let grid = winners.grid;
        let mut batch: [Bins; BATCH] = [const { Bins::EMPTY }; BATCH];
        for sample in (0..grid.windows).step_by(grid.per_sample[0].max(1)) {
            let mut first = sample;
            while first < sample + grid.per_sample[0] {
                let windows = first..(first + BATCH).min(sample + grid.per_sample[0]);
                for oc in (0..grid.outputs).step_by(CHANNELS) {
                    let outputs = oc..(oc + CHANNELS).min(grid.outputs);
                    for (bins, window) in batch.iter_mut().zip(windows.clone()) {
                        bins.fill(&winners, window, outputs.clone());
                    }
                    spread(
                        simd,
                        winners,
                        (&batch, windows.start..windows.end, oc),
                        weight,
                        dx,
                    );
                }
                first = windows.end;
            }
        }
    }
}

/// Windows of a sample at a time, so that a row of the weights stays in the first-level cache over all of them.
const BATCH: usize = 8;

/// Channels at a time.
const CHANNELS: usize = 64;

/// Some channels of a window, grouped by the place that won, those without gradient left out.
struct Bins {
    channels: [u8; CHANNELS],
    /// Where each place's channels end.
    ends: [u8; MOST_PLACES],
}

impl Bins {
    const EMPTY: Self = Self {
        channels: [0; CHANNELS],
        ends: [0; MOST_PLACES],
    };

    #[inline(always)]
    fn fill<T: Float>(&mut self, winners: &Winners<'_, T>, window: usize, outputs: Range<usize>) {
        let Winners { grid, dy, places } = winners;
        let range = window * grid.outputs + outputs.start..window * grid.outputs + outputs.end;
        let (dy, places) = (&dy[range.clone()], &places[range]);
        let mut sorted = [[0; CHANNELS]; MOST_PLACES];
        let mut counts = [0; MOST_PLACES];
        for (oc, (dy, place)) in dy.iter().zip(places).enumerate() {
            // A channel without gradient is written and then forgotten, since which ones have none shows no pattern.
            let place = usize::from(*place) % MOST_PLACES;
            sorted[place][counts[place] % CHANNELS] = oc as u8;
            counts[place] += usize::from(*dy != T::ZERO);
        }
        let mut end = 0;
        for place in 0..grid.places {
            let count = counts[place];
            self.channels[end..end + count].copy_from_slice(&sorted[place][..count]);
            end += count;
            self.ends[place] = end as u8;
        }
    }
}

/// Spreads the binned channels from `oc` on of some windows over dx, a row of the kernel after the other.
#[inline(always)]
fn spread<S: Simd>(
    simd: S,
    winners: Winners<'_, S::Elem>,
    (batch, windows, oc): (&[Bins; BATCH], Range<usize>, usize),
    weight: &[S::Elem],
    dx: &mut [S::Elem],
) {
    let grid = winners.grid;
    let terms = grid.rows * grid.len;
    let mut list = List::new();
    for row in 0..grid.rows {
        for (bins, window) in batch.iter().zip(windows.clone()) {
            let dy = &winners.dy[window * grid.outputs + oc..];
            let start = grid.window(window) + row * grid.x_row;
            let mut next = 0;
            for (end, pixel) in bins.ends.iter().zip(grid.pixels).take(grid.places) {
                let channels = &bins.channels[next..usize::from(*end)];
                next = usize::from(*end);
                list.len = channels.len();
                for (i, channel) in channels.iter().enumerate() {
                    let channel = usize::from(*channel);
                    list.at[i] = (oc + channel) * terms;
                    list.factors[i] = dy[channel];
                }
                let patch = &mut dx[start + pixel..][..grid.len];
                // SAFETY: the entries are rows of the transposed weight, which has `terms` numbers each.
                unsafe { add_rows(simd, &list, &weight[row * grid.len..], patch) };
            }
        }
    }
}

/// sums\[i\] += Σ factor · from\[at + i\] over the entries of a list, in their order.
///
/// # Safety
/// For every entry `from` is valid for reading as many elements as there are sums, from `at` on.
#[inline(always)]
unsafe fn add_rows<S: Simd>(simd: S, list: &List<S::Elem>, from: &[S::Elem], sums: &mut [S::Elem]) {
    let mut i = 0;
    while i + 12 * S::LANES <= sums.len() {
        // SAFETY: twelve vectors from i on lie in the sums and at every entry.
        unsafe { add_vectors::<S, 12>(simd, list, from.as_ptr().add(i), &mut sums[i..]) };
        i += 12 * S::LANES;
    }
    while i + 6 * S::LANES <= sums.len() {
        // SAFETY: as above, with six.
        unsafe { add_vectors::<S, 6>(simd, list, from.as_ptr().add(i), &mut sums[i..]) };
        i += 6 * S::LANES;
    }
    while i + 2 * S::LANES <= sums.len() {
        // SAFETY: as above, with two.
        unsafe { add_vectors::<S, 2>(simd, list, from.as_ptr().add(i), &mut sums[i..]) };
        i += 2 * S::LANES;
    }
    while i < sums.len() {
        let end = sums.len().min(i + S::LANES);
        let mut sum = simd.load_partial(&sums[i..end]);
        for (at, factor) in list.at.iter().zip(&list.factors).take(list.len) {
            // SAFETY: the sums' elements from i to end lie at every entry, as the caller vouches.
            let row = unsafe { simd.load_ptr_partial(from.as_ptr().add(at + i), end - i) };
            sum = simd.mul_add(row, simd.splat(*factor), sum);
        }
        simd.store_partial(sum, &mut sums[i..end]);
        i = end;
    }
}

/// V vectors of [`add_rows`].
///
/// # Safety
/// `from` is valid for reading V vectors at every entry.
#[inline(always)]
unsafe fn add_vectors<S: Simd, const V: usize>(
    simd: S,
    list: &List<S::Elem>,
    from: *const S::Elem,
    sums: &mut [S::Elem],
) {
    let mut vectors = [simd.zero(); V];
    for v in 0..V {
        vectors[v] = simd.load(&sums[v * S::LANES..]);
    }
    for (at, factor) in list.at.iter().zip(&list.factors).take(list.len) {
        let factor = simd.splat(*factor);
        for v in 0..V {
            // SAFETY: V vectors lie at every entry, as the caller vouches.
            let row = unsafe { simd.load_ptr(from.add(at + v * S::LANES)) };
            vectors[v] = simd.mul_add(row, factor, vectors[v]);
        }
    }
    for v in 0..V {
        simd.store(vectors[v], &mut sums[v * S::LANES..]);
    }
}
