//! The weight gradient through the winners of a max-pool where x has few channels, as in a network's first layer.
//!
//! ```text
//! for some rows kh and terms (kw, ic) of a row, a vector of oc: sums in registers
//!     for each window, each place in it:
//!         g = dy[window] in the lanes whose maximum was there, 0 in the others
//!         for each of the terms: sum += x[place + term] · g
//! ```
//!
//! Rows of such a kernel are too short for vectors along them, as the gradient through winners alone (`winners`) has them. So
//! vectors run along the channels out, every place is gone through, and what is saved against the plain gradient is to spread dy
//! over the convolution's output. Where a vector has room for all that a window reaches, each lane finds its own place there
//! instead (`lookup`).

mod lookup;

use super::forward::x_strides;
use super::tile::{Block, Cursor, Strides};
use super::winners::{MOST_PLACES, is_inside};
use super::{Dims, SHORTEST_ROW};
use crate::float::Float;
use crate::pool;
use crate::simd::{Kernel, Simd};

/// Whether rows of the kernel are short, every window lies inside and every pixel in it meets all taps.
pub(super) fn takes(dims: &Dims, pool: &pool::Dims) -> bool {
    dims.groups == 1
        && dims.dilation[1] == 1
        && dims.kernel[1] * dims.input[2] < SHORTEST_ROW
        && pool.kernel[0] * pool.kernel[1] <= MOST_PLACES
        && is_inside(dims, pool)
}

/// The weight gradient; places are checked.
pub(super) struct Narrow<'a, T> {
    pub(super) dims: &'a Dims,
    pub(super) pool: &'a pool::Dims,
    pub(super) x: &'a [T],
    pub(super) dy: &'a [T],
    pub(super) places: &'a [u8],
    pub(super) dweight: &'a mut [T],
}

impl<T: Float> Kernel<T> for Narrow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(mut self, simd: S) {
        if lookup::takes::<S>(self.dims, self.pool) {
            lookup::add_all(simd, &mut self);
            return;
        }
        let len = self.dims.kernel[1] * self.dims.input[2];
        for channel in (0..self.dims.output[2]).step_by(S::LANES) {
            let mut term = 0;
            while term < len {
                let at = [term, channel];
                term += match len - term {
                    9.. => add_rows::<S, 1, 9>(simd, &mut self, at),
                    3.. => add_rows::<S, 3, 3>(simd, &mut self, at),
                    _ => add_rows::<S, 3, 1>(simd, &mut self, at),
                };
            }
        }
    }
}

/// Adds the gradient of K terms of every row of the kernel, R rows at a time, and returns K.
#[inline(always)]
fn add_rows<S: Simd, const R: usize, const K: usize>(
    simd: S,
    pass: &mut Narrow<'_, S::Elem>,
    [term, channel]: [usize; 2],
) -> usize {
    let mut row = 0;
    while row + R <= pass.dims.kernel[0] {
        add::<S, R, K>(simd, pass, [row, term, channel]);
        row += R;
    }
    while row < pass.dims.kernel[0] {
        add::<S, 1, K>(simd, pass, [row, term, channel]);
        row += 1;
    }
    K
}

/// Adds the gradient of K terms of R rows, of a vector of channels.
#[inline(always)]
fn add<S: Simd, const R: usize, const K: usize>(
    simd: S,
    pass: &mut Narrow<'_, S::Elem>,
    [row, term, channel]: [usize; 3],
) {
    let (dims, pool) = (pass.dims, pass.pool);
    let [_, width, inputs] = dims.input;
    let outputs = dims.output[2];
    let lanes = S::LANES.min(outputs - channel);
    let weights = Block {
        data: pass.dweight.as_mut_ptr(),
        last: lanes,
    };
    let x_row = dims.dilation[0] * width * inputs;
    let x_first = row * x_row + term;
    let len = dims.kernel[1] * inputs;
    let mut at_weights = [[0; K]; R];
    let mut sums = [[[simd.zero(); 1]; K]; R];
    for r in 0..R {
        for k in 0..K {
            at_weights[r][k] = ((row + r) * len + term + k) * outputs + channel;
        }
        // SAFETY: these terms' weights of the vector's channels lie in dweight.
        sums[r] = unsafe { weights.load::<S, K, 1>(simd, at_weights[r]) };
    }
    let (pixels, count) = place_offsets(dims, pool);
    let mut windows = windows_of(dims, pool);
    for at in (channel..pass.dy.len()).step_by(outputs) {
        let [[x], _] = windows.next::<1>();
        let x = pass.x.as_ptr().wrapping_add(x + x_first);
        let dy = simd.load_partial(&pass.dy[at..][..lanes]);
        let places = simd.load_bytes(&pass.places[at..][..lanes]);
        let mut place = simd.zero();
        for pixel in &pixels[..count] {
            let gradient = simd.select(simd.eq(places, place), dy, simd.zero());
            for r in 0..R {
                let x = x.wrapping_add(pixel + r * x_row);
                for k in 0..K {
                    // SAFETY: all taps of every place of a window lie in x, as `takes` found.
                    let x = simd.splat(unsafe { *x.wrapping_add(k) });
                    sums[r][k][0] = simd.mul_add(x, gradient, sums[r][k][0]);
                }
            }
            place = simd.add(place, simd.splat(S::Elem::ONE));
        }
    }
    for r in 0..R {
        // SAFETY: as above.
        unsafe { weights.store(simd, at_weights[r], sums[r]) };
    }
}

/// Elements of x from a window's first pixel to each of its places, and how many these are.
#[inline(always)]
fn place_offsets(dims: &Dims, pool: &pool::Dims) -> ([usize; MOST_PLACES], usize) {
    let Strides { row, column, .. } = x_strides(dims);
    let count = pool.kernel[0] * pool.kernel[1];
    let mut offsets = [0; MOST_PLACES];
    for (place, offset) in offsets[..count].iter_mut().enumerate() {
        let (kh, kw) = (place / pool.kernel[1], place % pool.kernel[1]);
        *offset = kh * pool.dilation[0] * row + kw * pool.dilation[1] * column;
    }
    (offsets, count)
}

/// Walks the first pixels of the windows of all samples in x.
#[inline(always)]
fn windows_of(dims: &Dims, pool: &pool::Dims) -> Cursor {
    let Strides { image, row, column } = x_strides(dims);
    let strides = Strides {
        image,
        row: pool.stride[0] * row,
        column: pool.stride[1] * column,
    };
    Cursor::new(pool.output, [0, 0], [strides, strides])
}
