//! How the passes of batch normalisation go over memory: band by band, and within a band strip by strip.
//!
//! ```text
//! for every group of channels whose coefficients fit the stack:
//!     for every band of windows, a part of one row of the pool's output:
//!         for every strip of a few vectors of channels:              coefficients in registers
//!             for every window of the band: what the pass does
//! ```
//!
//! A pool whose windows tile the image reads every place once, so normalisation, activation and pool are one pass; where
//! there is no pool, every row is a window of its own. The common cases call [`Pass::strip`] with constants, which unrolls
//! its loops. Going through all rows a vector of channels at a time was slower by half: every cache line was fetched twice.

use std::ops::Range;

use crate::elementwise::Activation;
use crate::float::Float;
use crate::pool;
use crate::simd::Simd;

/// What follows the normalisation in the same pass.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue {
    /// Applied to what was normalised.
    pub activation: Activation,
    /// The sizes of x, and of the max-pool behind the activation: windows that tile the image.
    pub pool: pool::Dims,
}

impl Epilogue {
    /// Nothing but the activation, over `rows` of x.
    #[must_use]
    pub const fn rows(rows: usize, channels: usize, activation: Activation) -> Self {
        Self {
            activation,
            pool: pool::Dims::rows(rows, channels),
        }
    }

    /// Panics unless the windows tile the image, and `x` and `y` are as long as they ask for.
    pub(super) fn check(&self, channels: usize, x: usize, y: usize) {
        assert!(
            self.pool.is_tiling(),
            "norm: the windows of the pool do not tile the image"
        );
        super::check_len("the channels", self.pool.input[2], channels);
        super::check_len("x", x, self.pool.input_len());
        super::check_len("y", y, self.pool.output_len());
    }
}

/// Channels whose coefficients are computed together.
pub(super) const GROUP: usize = 256;
/// Vectors of channels in a strip: with five coefficients each, the most that 16 registers hold.
pub(super) const V: usize = 2;
/// Bytes of x in a band: with y or dy and dx beside it, no more than a small first-level cache.
const BAND_BYTES: usize = 8 << 10;

/// One number a channel of a group, for the coefficients.
pub(super) type OfGroup<T> = [T; GROUP];

/// Some windows, and the channels of them that are looked at together.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    /// The group's first channel.
    pub(super) first: usize,
    /// The strip's first channel, counted from that.
    pub(super) channel: usize,
    /// How many, at most V vectors.
    pub(super) width: usize,
    /// The element of x in the first window's first place and the first of the channels.
    pub(super) x: usize,
    /// Its element of y.
    pub(super) y: usize,
    pub(super) windows: usize,
}

/// What a pass does with a strip.
pub(super) trait Pass<T: Float> {
    /// A group of channels begins.
    fn begin<S: Simd<Elem = T>>(&mut self, simd: S, channels: Range<usize>);

    /// The windows of a strip, of `kernel` rows and columns.
    fn strip<S: Simd<Elem = T>>(
        &mut self,
        simd: S,
        strip: Strip,
        activation: Activation,
        kernel: [usize; 2],
    );

    /// Places that no window reaches, as windows of one place; their y does not exist.
    fn dropped<S: Simd<Elem = T>>(&mut self, _simd: S, _strip: Strip) {}

    /// A group of channels ends.
    fn end<S: Simd<Elem = T>>(&mut self, _simd: S, _channels: Range<usize>) {}
}

/// Takes a pass over all of x.
#[inline(always)]
pub(super) fn walk<S: Simd, P: Pass<S::Elem>>(simd: S, epilogue: &Epilogue, pass: &mut P) {
    let channels = epilogue.pool.input[2];
    for first in (0..channels).step_by(GROUP) {
        let group = first..channels.min(first + GROUP);
        pass.begin(simd, group.clone());
        bands(simd, epilogue, pass, &group);
        pass.end(simd, group);
    }
}

#[inline(always)]
fn bands<S: Simd, P: Pass<S::Elem>>(
    simd: S,
    epilogue: &Epilogue,
    pass: &mut P,
    group: &Range<usize>,
) {
    let pool = &epilogue.pool;
    let ([height, width, channels], [rows, columns], [kh, kw]) =
        (pool.input, pool.output, pool.kernel);
    let most = (BAND_BYTES / S::Elem::BYTES / (kh * kw * channels)).max(1);
    for sample in 0..pool.samples {
        let place = |row: usize, column: usize| {
            ((sample * height + row) * width + column) * channels + group.start
        };
        for row in 0..rows {
            let y = (sample * rows + row) * columns * channels + group.start;
            for first in (0..columns).step_by(most) {
                let windows = most.min(columns - first);
                let (x, y) = (place(row * kh, first * kw), y + first * channels);
                strips(simd, epilogue, pass, group, Band { x, y, windows });
            }
            for h in row * kh..(row + 1) * kh {
                dropped(
                    simd,
                    pass,
                    (group, channels),
                    place(h, columns * kw)..place(h, width),
                );
            }
        }
        for h in rows * kh..height {
            dropped(simd, pass, (group, channels), place(h, 0)..place(h, width));
        }
    }
}

/// Some windows of a row: where their x and y begin, in the first channel of the group.
struct Band {
    x: usize,
    y: usize,
    windows: usize,
}

#[inline(always)]
fn strips<S: Simd, P: Pass<S::Elem>>(
    simd: S,
    epilogue: &Epilogue,
    pass: &mut P,
    group: &Range<usize>,
    band: Band,
) {
    let full = V * S::LANES;
    for channel in (0..group.len()).step_by(full) {
        let strip = Strip {
            first: group.start,
            channel,
            width: full,
            x: band.x + channel,
            y: band.y + channel,
            windows: band.windows,
        };
        let width = full.min(group.len() - channel);
        match (width == full, epilogue.activation, epilogue.pool.kernel) {
            (true, Activation::Relu, [1, 1]) => {
                pass.strip(simd, strip, Activation::Relu, [1, 1]);
            }
            (true, Activation::Relu, [2, 2]) => {
                pass.strip(simd, strip, Activation::Relu, [2, 2]);
            }
            (true, activation, [1, 1]) => pass.strip(simd, strip, activation, [1, 1]),
            (_, activation, kernel) => {
                pass.strip(simd, Strip { width, ..strip }, activation, kernel);
            }
        }
    }
}

/// Places of x that no window reaches: where they begin and end, in the first channel of the group.
#[inline(always)]
fn dropped<S: Simd, P: Pass<S::Elem>>(
    simd: S,
    pass: &mut P,
    (group, channels): (&Range<usize>, usize),
    places: Range<usize>,
) {
    for channel in (0..group.len()).step_by(V * S::LANES) {
        let strip = Strip {
            first: group.start,
            channel,
            width: (V * S::LANES).min(group.len() - channel),
            x: places.start + channel,
            y: 0,
            windows: places.len() / channels,
        };
        pass.dropped(simd, strip);
    }
}

/// `width` elements from `at` on, at most N vectors; other lanes are 0.
#[inline(always)]
pub(super) fn load<S: Simd, const N: usize>(
    simd: S,
    values: &[S::Elem],
    at: usize,
    width: usize,
) -> [S::Vector; N] {
    let values = &values[at..at + width];
    let mut vectors = [simd.zero(); N];
    for (v, vector) in vectors.iter_mut().enumerate() {
        if v * S::LANES < width {
            *vector = simd.load_partial(&values[v * S::LANES..]);
        }
    }
    vectors
}

/// Stores `width` elements from `at` on.
#[inline(always)]
pub(super) fn store<S: Simd, const N: usize>(
    simd: S,
    vectors: [S::Vector; N],
    values: &mut [S::Elem],
    at: usize,
    width: usize,
) {
    let values = &mut values[at..at + width];
    for (v, vector) in vectors.into_iter().enumerate() {
        if v * S::LANES < width {
            simd.store_partial(vector, &mut values[v * S::LANES..]);
        }
    }
}

/// Panics unless a slice is whole rows of `channels`.
pub(super) fn check_rows<T>(values: &[T], channels: usize) {
    let is_whole = if channels == 0 {
        values.is_empty()
    } else {
        values.len().is_multiple_of(channels)
    };
    assert!(
        is_whole,
        "norm: {} elements are no whole rows of {channels}",
        values.len()
    );
}
