//! Convolution in bf16: forward pass, input gradient, weight gradient.
//!
//! The forward pass pairs neighbouring channels in a copy of the images with their padding around them, and reads its
//! terms straight from there. The input gradient is the same over dy with the kernel flipped and its channels exchanged.
//! The weight gradient pairs neighbouring pixels of a line, so it keeps two copies of the images: pairs that begin at even
//! columns and at odd ones.

use super::dispatch;
use super::level::{Body, Level};
use super::pack::{MAX_STRIP, Strips, across, along, as_words, as_words_mut};
use super::tile::{Rows, Sums};
use crate::conv::Dims;
use crate::float::Float;
use crate::gemm::MatrixRef;

/// Whether the forward pass and the weight gradient take these sizes.
pub const fn takes(dims: &Dims) -> bool {
    dims.groups == 1 && dims.dilation[0] == 1 && dims.dilation[1] == 1
}

/// Whether the gradients take these sizes: a stride of 1, and no more padding than the kernel reaches.
pub const fn takes_gradients(dims: &Dims) -> bool {
    takes(dims) && is_dense(dims, 0) && is_dense(dims, 1)
}

/// Whether windows move by one along an axis, and each holds a place of the input.
const fn is_dense(dims: &Dims, axis: usize) -> bool {
    let reach = dims.kernel[axis] - 1;
    let end = dims.output[axis] + reach;
    dims.stride[axis] == 1
        && dims.before[axis] <= reach
        && end <= dims.input[axis] + dims.before[axis] + reach
}

/// Elements that hold the packed weights of the forward pass.
pub const fn forward_weights_len(dims: &Dims) -> usize {
    weights_len(dims)
}

/// Elements that hold the packed weights of the input gradient.
pub const fn input_weights_len(dims: &Dims) -> usize {
    weights_len(&reversed(dims))
}

const fn weights_len(dims: &Dims) -> usize {
    let terms = dims.kernel[0] * dims.kernel[1] * dims.input[2].div_ceil(2);
    terms * dims.output[2].next_multiple_of(MAX_STRIP)
}

/// Elements of scratch space of the forward pass.
pub const fn forward_scratch_len(dims: &Dims) -> usize {
    let padded = Padded::of(dims);
    dims.samples * padded.lines * padded.columns * dims.input[2].div_ceil(2)
}

/// Elements of scratch space of the input gradient.
pub const fn input_gradient_scratch_len(dims: &Dims) -> usize {
    forward_scratch_len(&reversed(dims))
}

/// Elements of scratch space of the weight gradient.
pub const fn weight_gradient_scratch_len(dims: &Dims) -> usize {
    let shifted = Shifted::of(dims);
    2 * shifted.words() + gradient_words(dims)
}

const fn gradient_words(dims: &Dims) -> usize {
    let pairs = dims.samples * dims.output[0] * dims.output[1].div_ceil(2);
    pairs * dims.output[2].next_multiple_of(MAX_STRIP)
}

/// The convolution from y to x whose forward pass is the input gradient.
const fn reversed(dims: &Dims) -> Dims {
    Dims {
        input: dims.output,
        output: dims.input,
        before: [
            (dims.kernel[0] - 1).saturating_sub(dims.before[0]),
            (dims.kernel[1] - 1).saturating_sub(dims.before[1]),
        ],
        ..*dims
    }
}

/// Rounds and packs the weights of the forward pass: `[kernel rows][kernel columns][channels in][channels out]`.
///
/// # Panics
/// If the sizes are not taken, an operand is too short, or `T` is not `f32`.
pub fn pack_forward_weights<T: Float>(dims: &Dims, weight: &[T], packed: &mut [T]) {
    assert!(takes(dims), "bf16: a convolution of other sizes");
    dispatch(PackWeights {
        taps: dims.kernel[0] * dims.kernel[1],
        channels: [dims.input[2], dims.output[2]],
        flipped: false,
        weight: T::singles(weight),
        words: as_words_mut(T::singles_mut(packed)),
    });
}

/// Rounds and packs the weights of the input gradient.
///
/// # Panics
/// As [`pack_forward_weights`].
pub fn pack_input_weights<T: Float>(dims: &Dims, weight: &[T], packed: &mut [T]) {
    assert!(takes_gradients(dims), "bf16: a convolution of other sizes");
    dispatch(PackWeights {
        taps: dims.kernel[0] * dims.kernel[1],
        channels: [dims.output[2], dims.input[2]],
        flipped: true,
        weight: T::singles(weight),
        words: as_words_mut(T::singles_mut(packed)),
    });
}

struct PackWeights<'a> {
    taps: usize,
    /// Channels summed over, and channels made.
    channels: [usize; 2],
    flipped: bool,
    weight: &'a [f32],
    words: &'a mut [u32],
}

impl Body for PackWeights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let [from, to] = self.channels;
        let pairs = from.div_ceil(2);
        let mut strips = Strips {
            words: self.words,
            rows: self.taps * pairs,
            columns: to,
        };
        for tap in 0..self.taps {
            let source = if self.flipped {
                self.taps - 1 - tap
            } else {
                tap
            };
            let tap_weights = &self.weight[source * from * to..][..from * to];
            let matrix = if self.flipped {
                MatrixRef::row_major(tap_weights, from).transposed()
            } else {
                MatrixRef::row_major(tap_weights, to)
            };
            strips.write_matrix::<L>(tap * pairs, from, matrix);
        }
    }
}

/// y = x ∗ weight, with weights of [`pack_forward_weights`] and [`forward_scratch_len`] elements of scratch space.
///
/// # Panics
/// If the sizes are not taken, an operand is too short, or `T` is not `f32`.
pub fn forward<T: Float>(dims: &Dims, x: &[T], weights: &[T], y: &mut [T], scratch: &mut [T]) {
    assert!(takes(dims), "bf16: a convolution of other sizes");
    run_forward(dims, x, weights, y, scratch);
}

/// dx from dy, with weights of [`pack_input_weights`] and [`input_gradient_scratch_len`] elements of scratch space.
///
/// # Panics
/// As [`forward`], with the sizes that gradients take.
pub fn input_gradient<T: Float>(
    dims: &Dims,
    dy: &[T],
    weights: &[T],
    dx: &mut [T],
    scratch: &mut [T],
) {
    assert!(takes_gradients(dims), "bf16: a convolution of other sizes");
    run_forward(&reversed(dims), dy, weights, dx, scratch);
}

fn run_forward<T: Float>(dims: &Dims, x: &[T], weights: &[T], y: &mut [T], scratch: &mut [T]) {
    let words = as_words_mut(T::singles_mut(scratch));
    dispatch(Convolve {
        dims,
        x: &T::singles(x)[..dims.input_len()],
        weights: as_words(T::singles(weights)),
        y: T::singles_mut(y),
        words: &mut words[..forward_scratch_len(dims)],
    });
}

/// Lines and columns of an image with the padding that its windows reach.
#[derive(Clone, Copy)]
struct Padded {
    lines: usize,
    columns: usize,
}

impl Padded {
    const fn of(dims: &Dims) -> Self {
        Self {
            lines: reach(dims, 0),
            columns: reach(dims, 1),
        }
    }
}

/// Places that the windows along an axis reach over.
const fn reach(dims: &Dims, axis: usize) -> usize {
    if dims.output[axis] == 0 {
        return 0;
    }
    (dims.output[axis] - 1) * dims.stride[axis] + dims.kernel[axis]
}

struct Convolve<'a> {
    dims: &'a Dims,
    x: &'a [f32],
    weights: &'a [u32],
    y: &'a mut [f32],
    words: &'a mut [u32],
}

impl Body for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let dims = self.dims;
        let padded = Padded::of(dims);
        let pairs = dims.input[2].div_ceil(2);
        pair_channels(dims, padded, self.x, self.words);
        let line = padded.columns * pairs;
        let sums = Sums {
            a: self.words,
            extent: [dims.kernel[0], 1, dims.kernel[1] * pairs],
            a_strides: [line, 0, 1],
            rows: Rows {
                count: dims.places(),
                per_image: dims.output[0] * dims.output[1],
                per_line: dims.output[1],
                image: padded.lines * line,
                line: dims.stride[0] * line,
                place: dims.stride[1] * pairs,
            },
            b: self.weights,
            columns: dims.output[2],
            accumulates: false,
        };
        sums.run(level, self.y);
    }
}

/// Copies images into their padding, channels paired.
#[inline(always)]
fn pair_channels(dims: &Dims, padded: Padded, x: &[f32], words: &mut [u32]) {
    let [height, width, channels] = dims.input;
    let pairs = channels.div_ceil(2);
    words.fill(0);
    for n in 0..dims.samples {
        for h in 0..height.min(padded.lines.saturating_sub(dims.before[0])) {
            for w in 0..width.min(padded.columns.saturating_sub(dims.before[1])) {
                let place = (n * padded.lines + h + dims.before[0]) * padded.columns;
                let place = (place + w + dims.before[1]) * pairs;
                let pixel = &x[((n * height + h) * width + w) * channels..][..channels];
                along(pixel, &mut words[place..][..pairs]);
            }
        }
    }
}

/// dweight += x ∗ dy, with [`weight_gradient_scratch_len`] elements of scratch space.
///
/// # Panics
/// If the sizes are not those that gradients take, an operand is too short, or `T` is not `f32`.
pub fn weight_gradient<T: Float>(
    dims: &Dims,
    x: &[T],
    dy: &[T],
    dweight: &mut [T],
    scratch: &mut [T],
) {
    assert!(takes_gradients(dims), "bf16: a convolution of other sizes");
    let words = as_words_mut(T::singles_mut(scratch));
    let (images, gradients) =
        words[..weight_gradient_scratch_len(dims)].split_at_mut(2 * Shifted::of(dims).words());
    dispatch(Correlate {
        dims,
        x: T::singles(x),
        dy: T::singles(dy),
        dweight: T::singles_mut(dweight),
        images,
        gradients,
    });
}

/// The sizes of a copy of the images with neighbouring columns paired.
#[derive(Clone, Copy)]
struct Shifted {
    samples: usize,
    lines: usize,
    /// Pairs of columns.
    pairs: usize,
    channels: usize,
}

impl Shifted {
    const fn of(dims: &Dims) -> Self {
        Self {
            samples: dims.samples,
            lines: reach(dims, 0),
            pairs: (dims.kernel[1] - 1) / 2 + dims.output[1].div_ceil(2),
            channels: dims.input[2],
        }
    }

    const fn words(&self) -> usize {
        self.samples * self.lines * self.pairs * self.channels
    }
}

struct Correlate<'a> {
    dims: &'a Dims,
    x: &'a [f32],
    dy: &'a [f32],
    dweight: &'a mut [f32],
    images: &'a mut [u32],
    gradients: &'a mut [u32],
}

impl Body for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let dims = self.dims;
        let shifted = Shifted::of(dims);
        for (odd, images) in self.images.chunks_mut(shifted.words().max(1)).enumerate() {
            pair_columns(dims, shifted, odd, self.x, images);
        }
        pair_gradients::<L>(dims, self.dy, self.gradients);
        let [rows, columns, outputs] = dims.output;
        let [inputs, line] = [shifted.channels, shifted.pairs * shifted.channels];
        for tap in 0..dims.kernel[0] * dims.kernel[1] {
            let (kh, kw) = (tap / dims.kernel[1], tap % dims.kernel[1]);
            let first = kw % 2 * shifted.words() + kh * line + kw / 2 * inputs;
            let sums = Sums {
                a: self.images.get(first..).unwrap_or(&[]),
                extent: [dims.samples, rows, columns.div_ceil(2)],
                a_strides: [shifted.lines * line, line, inputs],
                rows: Rows::of_matrix(inputs, 1),
                b: self.gradients,
                columns: outputs,
                accumulates: true,
            };
            sums.run(level, &mut self.dweight[tap * inputs * outputs..]);
        }
    }
}

/// Copies images into their padding, each column paired with the next, from column `odd` on.
#[inline(always)]
fn pair_columns(dims: &Dims, shifted: Shifted, odd: usize, x: &[f32], words: &mut [u32]) {
    let [height, width, channels] = dims.input;
    words.fill(0);
    for n in 0..dims.samples {
        for h in 0..height.min(shifted.lines.saturating_sub(dims.before[0])) {
            let line = &x[(n * height + h) * width * channels..][..width * channels];
            let pixel = |column: usize| {
                let w = column.checked_sub(dims.before[1])?;
                line.get(w * channels..(w + 1) * channels)
            };
            for q in 0..shifted.pairs {
                let place = (n * shifted.lines + h + dims.before[0]) * shifted.pairs + q;
                let words = &mut words[place * channels..][..channels];
                let column = 2 * q + odd;
                match (pixel(column), pixel(column + 1)) {
                    (Some(left), right) => across(left, right, words),
                    (None, Some(right)) => {
                        across(right, None, words);
                        words.iter_mut().for_each(|word| *word <<= 16);
                    }
                    (None, None) => {}
                }
            }
        }
    }
}

/// Packs dy, each place paired with the next of its line.
#[inline(always)]
fn pair_gradients<L: Level>(dims: &Dims, dy: &[f32], words: &mut [u32]) {
    let [rows, columns, outputs] = dims.output;
    let pairs = columns.div_ceil(2);
    let mut strips = Strips {
        words,
        rows: dims.samples * rows * pairs,
        columns: outputs,
    };
    for line in 0..dims.samples * rows {
        for p in 0..pairs {
            let place = |w: usize| &dy[(line * columns + w) * outputs..][..outputs];
            let next = (2 * p + 1 < columns).then(|| place(2 * p + 1));
            strips.write_row::<L>(line * pairs + p, place(2 * p), next);
        }
    }
}
