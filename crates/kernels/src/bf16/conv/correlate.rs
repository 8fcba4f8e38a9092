//! The weight gradient over pairs of neighbouring pixels of a line, for any kernel.
//!
//! There are two copies of the images: pairs that begin at even columns and at odd ones.

use super::direct::reach;
use crate::bf16::level::{Body, Level};
use crate::bf16::pack::{MAX_STRIP, Strips, across};
use crate::bf16::tile::{Finish, Rows, Sums};
use crate::conv::Dims;

/// Words of scratch space: two copies of x and one of dy.
pub(super) const fn scratch_len(dims: &Dims) -> usize {
    let pairs = dims.samples * dims.output[0] * dims.output[1].div_ceil(2);
    images_len(dims) + pairs * dims.output[2].next_multiple_of(MAX_STRIP)
}

/// Words of both copies of x.
pub(super) const fn images_len(dims: &Dims) -> usize {
    2 * Shifted::of(dims).words()
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

/// Adds the weight gradient of all images.
pub(super) struct Correlate<'a> {
    pub(super) dims: &'a Dims,
    pub(super) x: &'a [f32],
    pub(super) dy: &'a [f32],
    pub(super) dweight: &'a mut [f32],
    /// [`images_len`] words.
    pub(super) images: &'a mut [u32],
    pub(super) gradients: &'a mut [u32],
}

impl Body for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let dims = self.dims;
        let shifted = Shifted::of(dims);
        for (odd, images) in self.images.chunks_mut(shifted.words().max(1)).enumerate() {
            pair_columns(level, dims, shifted, odd, self.x, images);
        }
        pair_gradients(level, dims, self.dy, self.gradients);
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
                c_row: outputs,
                finish: Finish::ADD,
            };
            sums.run(level, &mut self.dweight[tap * inputs * outputs..]);
        }
    }
}

/// Copies images into their padding, each column paired with the next, from column `odd` on.
#[inline(always)]
fn pair_columns<L: Level>(
    level: L,
    dims: &Dims,
    shifted: Shifted,
    odd: usize,
    x: &[f32],
    words: &mut [u32],
) {
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
                    (Some(left), right) => across(level, left, right, words),
                    (None, Some(right)) => {
                        across(level, right, None, words);
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
fn pair_gradients<L: Level>(level: L, dims: &Dims, dy: &[f32], words: &mut [u32]) {
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
            strips.write_row(level, line * pairs + p, place(2 * p), next);
        }
    }
}
