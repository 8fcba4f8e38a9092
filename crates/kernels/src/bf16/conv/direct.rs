//! The convolution read straight from padded images, for any kernel.
//!
//! Neighbouring channels are paired in a copy of the images with their padding around them, and the register tile reads its
//! terms from there (implicit im2col). The input gradient is the same over dy with the kernel flipped and its channels
//! exchanged ([`reversed`]).

use crate::bf16::level::{Body, Level};
use crate::bf16::pack::{MAX_STRIP, Strips, along};
use crate::bf16::tile::{Finish, Rows, Sums};
use crate::conv::Dims;
use crate::gemm::MatrixRef;

/// Words that hold the packed weights.
pub(super) const fn weights_len(dims: &Dims) -> usize {
    let terms = dims.kernel[0] * dims.kernel[1] * dims.input[2].div_ceil(2);
    terms * dims.output[2].next_multiple_of(MAX_STRIP)
}

/// Words of scratch space: the copy of the images.
pub(super) const fn scratch_len(dims: &Dims) -> usize {
    let padded = Padded::of(dims);
    dims.samples * padded.lines * padded.columns * dims.input[2].div_ceil(2)
}

/// The convolution from y to x whose forward pass is the input gradient.
pub(super) const fn reversed(dims: &Dims) -> Dims {
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

/// Rounds and packs weights.
pub(super) struct PackWeights<'a> {
    /// Places of a kernel.
    pub(super) taps: usize,
    /// Channels summed over, and channels made.
    pub(super) channels: [usize; 2],
    /// Whether for the input gradient.
    pub(super) flipped: bool,
    pub(super) weight: &'a [f32],
    pub(super) words: &'a mut [u32],
}

impl Body for PackWeights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
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
            strips.write_matrix(level, tap * pairs, from, matrix);
        }
    }
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
pub(super) const fn reach(dims: &Dims, axis: usize) -> usize {
    if dims.output[axis] == 0 {
        return 0;
    }
    (dims.output[axis] - 1) * dims.stride[axis] + dims.kernel[axis]
}

/// Convolves all images.
pub(super) struct Convolve<'a> {
    pub(super) dims: &'a Dims,
    pub(super) x: &'a [f32],
    pub(super) weights: &'a [u32],
    pub(super) finish: Finish<'a>,
    pub(super) y: &'a mut [f32],
    pub(super) words: &'a mut [u32],
}

impl Body for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let dims = self.dims;
        let padded = Padded::of(dims);
        let pairs = dims.input[2].div_ceil(2);
        pair_channels(level, dims, padded, self.x, self.words);
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
            c_row: dims.output[2],
            finish: self.finish,
        };
        sums.run(level, self.y);
    }
}

/// Copies images into their padding, channels paired.
#[inline(always)]
fn pair_channels<L: Level>(level: L, dims: &Dims, padded: Padded, x: &[f32], words: &mut [u32]) {
    let [height, width, channels] = dims.input;
    let pairs = channels.div_ceil(2);
    words.fill(0);
    for n in 0..dims.samples {
        for h in 0..height.min(padded.lines.saturating_sub(dims.before[0])) {
            for w in 0..width.min(padded.columns.saturating_sub(dims.before[1])) {
                let place = (n * padded.lines + h + dims.before[0]) * padded.columns;
                let place = (place + w + dims.before[1]) * pairs;
                let pixel = &x[((n * height + h) * width + w) * channels..][..channels];
                along(level, pixel, &mut words[place..][..pairs]);
            }
        }
    }
}
