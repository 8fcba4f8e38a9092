//! The direct forward kernel: implicit im2col from the image rows into the register tile.
//!
//! ```text
//! for n, oh, ow, oc:
//!     sum = 0
//!     for kh, kw, ic with the tap inside the input:
//!         sum = x[n][oh·stride + kh·dilation − before][…][ic] * w[kh][kw][ic][oc] + sum
//!     y[n][oh][ow][oc] = activation(sum + bias[oc])
//! ```
//!
//! The rows of y fall into stretches whose pixels meet the same rows of the kernel, and its columns likewise: without
//! padding there is one of each, with padding a few at the border. The pixels of a stretch, through all samples, form
//! one list that is cut into tiles, and no loop asks whether a tap is inside. Strips of channels come outermost, so that
//! a strip's weights stay in the first-level cache.

use std::ops::Range;

use super::activate::Activate;
use super::tile::{Block, Cursor, PIXELS, Strides, Sum, accumulate, vectors_of};
use super::{Dims, Direct, Forward};
use crate::elementwise::{Activation, OnVectors as _};
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::simd::{Kernel, Simd};

/// The rows and columns of the output to compute, and where the results go.
pub(super) struct Target<'a, T> {
    pub(super) data: &'a mut [T],
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    /// Offsets from the first place of the rows and columns.
    pub(super) strides: Strides,
}

impl<'a, T> Target<'a, T> {
    /// All of y.
    pub(super) fn whole(dims: &Dims, y: &'a mut [T]) -> Self {
        let [rows, columns, channels] = dims.output;
        let strides = Strides {
            image: rows * columns * channels,
            row: columns * channels,
            column: channels,
        };
        Self {
            data: y,
            rows: 0..rows,
            columns: 0..columns,
            strides,
        }
    }
}

/// Convolves all samples.
impl<T: Float> Kernel<T> for Direct<Forward<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Forward {
            dims,
            x,
            prepared,
            epilogue,
            y,
            ..
        } = self.0;
        let mut target = Target::whole(dims, y);
        let packed = Packed {
            dims,
            x,
            panels: prepared,
            epilogue,
        };
        convolve(simd, packed, &mut target);
    }
}

/// A convolution whose weights are packed.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a, T> {
    pub(super) dims: &'a Dims,
    pub(super) x: &'a [T],
    pub(super) panels: &'a [T],
    pub(super) epilogue: Epilogue<'a, T>,
}

/// Convolves the rows and columns of the target.
#[inline(always)]
pub(super) fn convolve<S: Simd>(
    simd: S,
    packed: Packed<'_, S::Elem>,
    target: &mut Target<'_, S::Elem>,
) {
    let dims = packed.dims;
    let (rows, columns) = (dims.axis(0), dims.axis(1));
    let mut oh = target.rows.start;
    while oh < target.rows.end {
        let stretch = rows.outputs_alike(oh, target.rows.end);
        let mut ow = target.columns.start;
        while ow < target.columns.end {
            let columns = columns.outputs_alike(ow, target.columns.end);
            let patch = Patch {
                places: [stretch.clone(), columns.clone()],
            };
            convolve_patch(simd, packed, target, patch);
            ow = columns.end;
        }
        oh = stretch.end;
    }
}

/// Rows and columns of the output that meet the same taps.
struct Patch {
    places: [Range<usize>; 2],
}

#[inline(always)]
fn convolve_patch<S: Simd>(
    simd: S,
    packed: Packed<'_, S::Elem>,
    target: &mut Target<'_, S::Elem>,
    patch: Patch,
) {
    let dims = packed.dims;
    let pixels = dims.samples * patch.places[0].len() * patch.places[1].len();
    let vectors = dims.outputs_per_group().div_ceil(S::LANES);
    for group in 0..dims.groups {
        let mut vector = 0;
        while vector < vectors {
            let count = vectors_of(S::REGISTERS, vectors - vector);
            let job = Job {
                packed,
                patch: &patch,
                group,
                vector,
                pixels,
            };
            match count {
                4 if S::REGISTERS >= 32 => simd.enter(Strip::<_, 4> { job, target }),
                2 => simd.enter(Strip::<_, 2> { job, target }),
                _ => simd.enter(Strip::<_, 1> { job, target }),
            }
            vector += count;
        }
    }
}

/// A patch and the vectors of channels from `vector` on, within a group.
#[derive(Clone, Copy)]
struct Job<'a, T> {
    packed: Packed<'a, T>,
    patch: &'a Patch,
    group: usize,
    vector: usize,
    pixels: usize,
}

/// V vectors of channels of a patch.
struct Strip<'a, 'b, T, const V: usize> {
    job: Job<'a, T>,
    target: &'a mut Target<'b, T>,
}

impl<T: Float, const V: usize> Kernel<T> for Strip<'_, '_, T, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { job, target } = self;
        let Job {
            packed,
            patch,
            group,
            vector,
            pixels,
        } = job;
        let dims = packed.dims;
        let outputs = dims.outputs_per_group();
        let channel = group * outputs + vector * S::LANES;
        let lanes = (outputs - vector * S::LANES).min(V * S::LANES);
        let last = lanes - (V - 1) * S::LANES;
        let start = (patch.places[0].start - target.rows.start) * target.strides.row
            + (patch.places[1].start - target.columns.start) * target.strides.column
            + channel;
        let block = Block {
            data: target.data.as_mut_ptr(),
            last,
        };
        let finish = Finish::<S, V>::new(simd, &packed.epilogue, channel, lanes, block);
        let sum = sum_of::<S>(dims, packed, patch, group, vector);
        let [rows, columns] = [patch.places[0].len(), patch.places[1].len()];
        let mut cursor = Cursor::new(
            [rows, columns],
            [0, start],
            [x_strides(dims), target.strides],
        );
        let mut left = pixels;
        while left >= PIXELS[0] {
            // SAFETY: `left` places of the cursor remain, as counted.
            unsafe { tile::<S, { PIXELS[0] }, V>(simd, &sum, &mut cursor, &finish) };
            left -= PIXELS[0];
        }
        while left >= PIXELS[1] {
            // SAFETY: as above.
            unsafe { tile::<S, { PIXELS[1] }, V>(simd, &sum, &mut cursor, &finish) };
            left -= PIXELS[1];
        }
        while left > 0 {
            // SAFETY: as above.
            unsafe { tile::<S, 1, V>(simd, &sum, &mut cursor, &finish) };
            left -= 1;
        }
    }
}

/// How far the inputs of neighbouring outputs are apart.
pub(super) fn x_strides(dims: &Dims) -> Strides {
    let [height, width, channels] = dims.input;
    Strides {
        image: height * width * channels,
        row: dims.stride[0] * width * channels,
        column: dims.stride[1] * channels,
    }
}

/// The sum of a patch's first pixel: every further one differs by its offset alone.
#[inline(always)]
fn sum_of<S: Simd>(
    dims: &Dims,
    packed: Packed<'_, S::Elem>,
    patch: &Patch,
    group: usize,
    vector: usize,
) -> Sum<S::Elem> {
    sum_at::<S>(
        dims,
        packed,
        [patch.places[0].start, patch.places[1].start],
        group,
        vector,
    )
}

/// The sum of the output place `at` of the first sample, within its taps that lie inside.
#[inline(always)]
pub(super) fn sum_at<S: Simd>(
    dims: &Dims,
    packed: Packed<'_, S::Elem>,
    at: [usize; 2],
    group: usize,
    vector: usize,
) -> Sum<S::Elem> {
    let axes = [dims.axis(0), dims.axis(1)];
    let taps = [axes[0].taps(at[0]), axes[1].taps(at[1])];
    let [_, width, channels] = dims.input;
    let inputs = dims.inputs_per_group();
    let is_empty = taps[0].is_empty() || taps[1].is_empty();
    let x = if is_empty {
        0
    } else {
        let place = axes[0].at(at[0], taps[0].start) * width + axes[1].at(at[1], taps[1].start);
        place * channels + group * inputs
    };
    let is_contiguous = dims.dilation[1] == 1 && dims.groups == 1;
    let (runs, len) = if is_contiguous {
        (1, taps[1].len() * inputs)
    } else {
        (taps[1].len(), inputs)
    };
    let vectors = dims.outputs_per_group().div_ceil(S::LANES);
    let first_term = (taps[0].start * dims.kernel[1] + taps[1].start) * inputs;
    let panel = dims.terms() * S::LANES;
    Sum {
        x: packed.x.as_ptr().wrapping_add(x),
        rows: if is_empty { 0 } else { taps[0].len() },
        x_row: dims.dilation[0] * width * channels,
        runs,
        x_run: dims.dilation[1] * channels,
        len,
        w: packed
            .panels
            .as_ptr()
            .wrapping_add((group * vectors + vector) * panel + first_term * S::LANES),
        w_row: dims.kernel[1] * inputs * S::LANES,
        w_panel: panel,
        short: None,
    }
    .by_terms(S::LANES)
}

/// What happens to the sums of a strip: + bias, the activation, the way into memory.
pub(super) struct Finish<S: Simd, const V: usize> {
    bias: Option<[S::Vector; V]>,
    activation: Activation,
    /// Channels of the strip.
    lanes: usize,
    block: Block<S::Elem>,
}

impl<S: Simd, const V: usize> Finish<S, V> {
    #[inline(always)]
    pub(super) fn new(
        simd: S,
        epilogue: &Epilogue<'_, S::Elem>,
        channel: usize,
        lanes: usize,
        block: Block<S::Elem>,
    ) -> Self {
        let bias = epilogue
            .bias
            .map(|bias| load_bias(simd, &bias[channel..][..lanes]));
        Self {
            bias,
            activation: epilogue.activation,
            lanes,
            block,
        }
    }

    /// Adds the bias and applies the activation, if it is one of those that take an instruction or two. Others wait until the sums are
    /// in memory, so that their code is not repeated for every sum of every tile.
    #[inline(always)]
    fn apply<const P: usize>(&self, simd: S, mut sums: [[S::Vector; V]; P]) -> [[S::Vector; V]; P] {
        if let Some(bias) = &self.bias {
            for p in 0..P {
                for v in 0..V {
                    sums[p][v] = simd.add(sums[p][v], bias[v]);
                }
            }
        }
        if self.activation == Activation::Relu {
            for p in 0..P {
                for v in 0..V {
                    sums[p][v] = Activation::Relu.forward(simd, sums[p][v]);
                }
            }
        }
        sums
    }

    /// Finishes sums and stores them.
    ///
    /// # Safety
    /// The strip's channels are valid for writing at every offset.
    #[inline(always)]
    pub(super) unsafe fn store<const P: usize>(
        &self,
        simd: S,
        offsets: [usize; P],
        sums: [[S::Vector; V]; P],
    ) {
        let sums = self.apply(simd, sums);
        // SAFETY: the strip's channels at every offset, as the caller vouches.
        unsafe { self.block.store(simd, offsets, sums) };
        if matches!(self.activation, Activation::Identity | Activation::Relu) {
            return;
        }
        for offset in offsets {
            // SAFETY: the strip's channels at every offset, as the caller vouches; written just above.
            let values =
                unsafe { std::slice::from_raw_parts_mut(self.block.data.add(offset), self.lanes) };
            simd.enter(Activate {
                activation: self.activation,
                values,
            });
        }
    }
}

#[inline(always)]
fn load_bias<S: Simd, const V: usize>(simd: S, bias: &[S::Elem]) -> [S::Vector; V] {
    let mut vectors = [simd.zero(); V];
    for v in 0..V {
        vectors[v] = simd.load_partial(&bias[v * S::LANES..]);
    }
    vectors
}

/// Computes the next P pixels.
///
/// # Safety
/// The cursor has P places left, whose taps lie in x and whose channels lie in the target; the panels hold the strip.
#[inline(always)]
unsafe fn tile<S: Simd, const P: usize, const V: usize>(
    simd: S,
    sum: &Sum<S::Elem>,
    cursor: &mut Cursor,
    finish: &Finish<S, V>,
) {
    let [x, y] = cursor.next::<P>();
    // SAFETY: the pixels meet the same taps as the patch's first one, all inside of x; the panels hold all terms.
    let sums = unsafe { accumulate(simd, sum, x, [[simd.zero(); V]; P]) };
    // SAFETY: the places lie in the target.
    unsafe { finish.store(simd, y, sums) };
}
