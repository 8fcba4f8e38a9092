//! The direct weight-gradient kernel: for each tile of weights, one sum over all places.
//!
//! ```text
//! for kh, kw, ic, oc:
//!     sum = dw[kh][kw][ic][oc]
//!     for n, oh, ow with the tap inside the input:
//!         sum = x[n][oh·stride + kh·dilation − before][…][ic] * dy[n][oh][ow][oc] + sum
//!     dw[kh][kw][ic][oc] = sum
//! ```
//!
//! A tile is R rows (kh, kw, ic) by V vectors of oc, each row an offset into x. Taps that lie inside for the same places
//! share their tiles: without padding that is the whole kernel, so that an image of one channel fills tiles as well.
//! Samples come in chunks whose x and dy stay in the cache through all tiles; the sums pause in dw between chunks.

use std::ops::Range;

use super::forward::x_strides;
use super::tile::{Block, Cursor, PIXELS as ROWS, Strides, vectors_of};
use super::{CACHE_BYTES, Dims, Direct, WeightGradient};
use crate::float::Float;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// With fewer rows of weights, a strip of dy is not read often enough to pay for packing it.
const MIN_ROWS_TO_PACK: usize = 32;

/// The most vectors of a tile.
const MAX_VECTORS: usize = 4;

/// Elements of scratch space: a strip of dy of the samples of a chunk.
pub(super) const fn scratch_len(dims: &Dims) -> usize {
    dims.places() * MAX_VECTORS * MAX_LANES
}

impl<T: Float> Kernel<T> for Direct<WeightGradient<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let WeightGradient {
            dims,
            x,
            dy,
            dweight,
            scratch,
        } = self.0;
        let (input, output) = (
            dims.input_len() / dims.samples,
            dims.output_len() / dims.samples,
        );
        let vectors = dims.outputs_per_group().div_ceil(S::LANES);
        let strip = vectors_of(S::REGISTERS, vectors) * S::LANES * dims.output[0] * dims.output[1];
        let chunk = (CACHE_BYTES / ((input + strip) * T::BYTES)).clamp(1, dims.samples);
        for (x, dy) in x.chunks(chunk * input).zip(dy.chunks(chunk * output)) {
            let dims = &Dims {
                samples: dy.len() / output,
                ..*dims
            };
            for group in 0..dims.groups {
                let mut vector = 0;
                while vector < vectors {
                    let count = vectors_of(S::REGISTERS, vectors - vector);
                    let job = Job {
                        dims,
                        x,
                        dy,
                        group,
                        vector,
                    };
                    match count {
                        4 if S::REGISTERS >= 32 => simd.enter(Strip::<_, 4> {
                            job,
                            dweight,
                            scratch,
                        }),
                        2 => simd.enter(Strip::<_, 2> {
                            job,
                            dweight,
                            scratch,
                        }),
                        _ => simd.enter(Strip::<_, 1> {
                            job,
                            dweight,
                            scratch,
                        }),
                    }
                    vector += count;
                }
            }
        }
    }
}

/// The vectors of channels of y from `vector` on, within a group.
#[derive(Clone, Copy)]
struct Job<'a, T> {
    dims: &'a Dims,
    x: &'a [T],
    dy: &'a [T],
    group: usize,
    vector: usize,
}

/// V vectors of channels of all weights of a group.
struct Strip<'a, T, const V: usize> {
    job: Job<'a, T>,
    dweight: &'a mut [T],
    scratch: &'a mut [T],
}

impl<T: Float, const V: usize> Kernel<T> for Strip<'_, T, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            job,
            dweight,
            scratch,
        } = self;
        let Job {
            dims,
            dy,
            group,
            vector,
            ..
        } = job;
        let outputs = dims.outputs_per_group();
        let channel = group * outputs + vector * S::LANES;
        let lanes = (outputs - vector * S::LANES).min(V * S::LANES);
        let gradients = if dims.terms() < MIN_ROWS_TO_PACK && lanes == V * S::LANES {
            Gradients {
                data: &dy[channel..],
                column: dims.output[2],
            }
        } else {
            pack_strip::<S, V>(simd, dims, &dy[channel..], lanes, scratch);
            Gradients {
                data: scratch,
                column: V * S::LANES,
            }
        };
        let block = Block {
            data: dweight.as_mut_ptr().wrapping_add(channel),
            last: lanes - (V - 1) * S::LANES,
        };
        let (rows, columns) = (dims.axis(0), dims.axis(1));
        let mut kh = 0;
        while kh < dims.kernel[0] {
            let tap_rows = rows.taps_alike(kh);
            let mut kw = 0;
            while kw < dims.kernel[1] {
                let taps = [tap_rows.clone(), columns.taps_alike(kw)];
                kw = taps[1].end;
                let places = [rows.places(tap_rows.start), columns.places(taps[1].start)];
                run_taps::<S, V>(simd, job, &gradients, block, Taps { taps, places });
            }
            kh = tap_rows.end;
        }
    }
}

/// A strip of dy, packed or where it lies.
struct Gradients<'a, T> {
    data: &'a [T],
    /// Elements from one place to the next.
    column: usize,
}

/// Copies a strip of dy, so that its places are neighbours; missing lanes become 0.
#[inline(always)]
fn pack_strip<S: Simd, const V: usize>(
    simd: S,
    dims: &Dims,
    dy: &[S::Elem],
    lanes: usize,
    packed: &mut [S::Elem],
) {
    for place in 0..dims.places() {
        let from = &dy[place * dims.output[2]..][..lanes];
        let to = &mut packed[place * V * S::LANES..][..V * S::LANES];
        for v in 0..V {
            simd.store(
                simd.load_partial(&from[v * S::LANES..]),
                &mut to[v * S::LANES..],
            );
        }
    }
}

/// Rows and columns of the kernel that lie inside for the same output places, and these.
struct Taps {
    taps: [Range<usize>; 2],
    places: [Range<usize>; 2],
}

/// All tiles of some taps.
#[inline(always)]
fn run_taps<S: Simd, const V: usize>(
    simd: S,
    job: Job<'_, S::Elem>,
    gradients: &Gradients<'_, S::Elem>,
    block: Block<S::Elem>,
    taps: Taps,
) {
    let Taps { taps, places } = taps;
    let dims = job.dims;
    if dims.samples == 0 || places[0].is_empty() || places[1].is_empty() {
        return;
    }
    let inputs = dims.inputs_per_group();
    let [_, width, channels] = dims.input;
    let (kh, kw) = (taps[0].start, taps[1].start);
    let first = dims.axis(0).at(places[0].start, kh) * width + dims.axis(1).at(places[1].start, kw);
    let [out_height, out_width, _] = dims.output;
    let out_first = places[0].start * out_width + places[1].start;
    let sum = Sum {
        x: job
            .x
            .as_ptr()
            .wrapping_add(first * channels + job.group * inputs),
        dy: gradients
            .data
            .as_ptr()
            .wrapping_add(out_first * gradients.column),
        extent: [dims.samples, places[0].len(), places[1].len()],
        x_strides: x_strides(dims),
        dy_strides: Strides {
            image: out_height * out_width * gradients.column,
            row: out_width * gradients.column,
            column: gradients.column,
        },
    };
    let x_strides = Strides {
        image: dims.dilation[0] * width * channels,
        row: dims.dilation[1] * channels,
        column: 1,
    };
    let outputs = dims.output[2];
    let w_strides = Strides {
        image: dims.kernel[1] * inputs * outputs,
        row: inputs * outputs,
        column: outputs,
    };
    let first_weight = (kh * dims.kernel[1] + kw) * inputs * outputs;
    // Kernel columns and channels in for the rows and columns of an image, one for each row of the kernel.
    let mut rows = Cursor::new(
        [taps[1].len(), inputs],
        [0, first_weight],
        [x_strides, w_strides],
    );
    let mut left = taps[0].len() * taps[1].len() * inputs;
    while left >= ROWS[0] {
        // SAFETY: that many rows are left; their taps lie in x at every place of the sum, and dy and dw hold the strip.
        unsafe { tile::<S, { ROWS[0] }, V>(simd, &sum, &mut rows, block) };
        left -= ROWS[0];
    }
    while left >= ROWS[1] {
        // SAFETY: as above.
        unsafe { tile::<S, { ROWS[1] }, V>(simd, &sum, &mut rows, block) };
        left -= ROWS[1];
    }
    while left > 0 {
        // SAFETY: as above.
        unsafe { tile::<S, 1, V>(simd, &sum, &mut rows, block) };
        left -= 1;
    }
}

/// What a tile sums over.
struct Sum<T> {
    /// x under the first tap at the first place.
    x: *const T,
    /// dy at the first place.
    dy: *const T,
    /// Samples, rows and columns of the places.
    extent: [usize; 3],
    x_strides: Strides,
    dy_strides: Strides,
}

/// R rows by V vectors.
///
/// # Safety
/// The next R rows exist, their taps lie in x at every place of the sum, dy holds V vectors there, and dw is valid for
/// reading and writing the block at these rows.
#[inline(always)]
unsafe fn tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    sum: &Sum<S::Elem>,
    rows: &mut Cursor,
    block: Block<S::Elem>,
) {
    let [x_offsets, w_offsets] = rows.next::<R>();
    // SAFETY: dw holds the block, as the caller vouches.
    let mut sums = unsafe { block.load::<S, R, V>(simd, w_offsets) };
    let [samples, height, width] = sum.extent;
    for n in 0..samples {
        for row in 0..height {
            let mut x = sum
                .x
                .wrapping_add(n * sum.x_strides.image + row * sum.x_strides.row);
            let mut dy = sum
                .dy
                .wrapping_add(n * sum.dy_strides.image + row * sum.dy_strides.row);
            for _ in 0..width {
                let mut vectors = [simd.zero(); V];
                for v in 0..V {
                    // SAFETY: V vectors of dy at this place, as the caller vouches.
                    vectors[v] = unsafe { simd.load_ptr(dy.wrapping_add(v * S::LANES)) };
                }
                for r in 0..R {
                    // SAFETY: the row's tap at this place, as the caller vouches.
                    let x = simd.splat(unsafe { *x.wrapping_add(x_offsets[r]) });
                    for v in 0..V {
                        sums[r][v] = simd.mul_add(x, vectors[v], sums[r][v]);
                    }
                }
                x = x.wrapping_add(sum.x_strides.column);
                dy = dy.wrapping_add(sum.dy_strides.column);
            }
        }
    }
    // SAFETY: dw holds the block, as the caller vouches.
    unsafe { block.store(simd, w_offsets, sums) };
}
