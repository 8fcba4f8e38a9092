//! Max-pooling.
//!
//! ```text
//! y[n][oh][ow][c] = the largest x[n][oh·stride + kh − before][ow·stride + kw − before][c] inside the image
//! ```
//!
//! Of equal numbers the first counts, row by row; a NaN wins, as in PyTorch; padding never does. The place of the
//! maximum, `kh · kernel columns + kw`, is kept for the gradient. A window without a place inside is −∞ and passes no
//! gradient on.

use std::ops::Range;

use super::best::Best;
use super::window::{Place, Windows};
use super::{Dims, check_len};
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// y from x, and the places of the maxima where somebody wants them.
#[derive(Debug)]
pub struct MaxForward<'a, T> {
    /// The sizes.
    pub dims: &'a Dims,
    /// `[samples][input]`
    pub x: &'a [T],
    /// `[samples][output rows][output columns][channels]`, overwritten.
    pub y: &'a mut [T],
    /// [`Dims::places_len`] bytes, overwritten.
    pub places: Option<&'a mut [u8]>,
}

/// Computes the maxima at the active level.
///
/// # Panics
/// If an operand's length does not fit the sizes.
pub fn max_forward<T: Float>(pass: MaxForward<'_, T>) {
    max_forward_on(Isa::active(), pass);
}

/// Computes the maxima at the level `isa`.
///
/// # Panics
/// As [`max_forward`], and if this machine lacks `isa`.
pub fn max_forward_on<T: Float>(isa: Isa, pass: MaxForward<'_, T>) {
    let dims = pass.dims;
    dims.check();
    check_len("x", pass.x.len(), dims.input_len());
    check_len("y", pass.y.len(), dims.output_len());
    if let Some(places) = &pass.places {
        check_len("places", places.len(), dims.places_len());
    }
    if dims.output_len() > 0 {
        T::max_forward(isa, pass);
    }
}

impl<T: Float> Kernel<T> for MaxForward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            dims,
            x,
            y,
            mut places,
        } = self;
        let channels = dims.input[2];
        let bytes = dims.place_bytes();
        for ((window, y), place) in y.chunks_mut(channels).enumerate().zip(Windows::of(dims)) {
            if place.count() == 0 {
                y.fill(T::NEG_INFINITY);
            }
            let places = places
                .as_mut()
                .map(|places| &mut places[window * channels * bytes..][..channels * bytes]);
            match places {
                _ if place.count() == 0 => places.unwrap_or_default().fill(0),
                Some(places) if bytes > 1 => largest_of_many(dims, &place, x, y, places),
                // Constant taps unroll the loops over them.
                places if place.taps == [0..2, 0..2] => {
                    largest(simd, dims, (&place, [0..2, 0..2]), x, y, places);
                }
                places => {
                    let taps = place.taps.clone();
                    largest(simd, dims, (&place, taps), x, y, places);
                }
            }
        }
    }
}

/// The maxima of all channels of a window that is not empty, with their places in a byte each.
#[inline(always)]
fn largest<S: Simd>(
    simd: S,
    dims: &Dims,
    (place, [rows, columns]): (&Place, [Range<usize>; 2]),
    x: &[S::Elem],
    y: &mut [S::Elem],
    mut places: Option<&mut [u8]>,
) {
    let channels = y.len();
    for c in (0..channels).step_by(S::LANES) {
        let end = channels.min(c + S::LANES);
        let (kh, kw) = (rows.start, columns.start);
        let number = |kh: usize, kw: usize| (kh * dims.kernel[1] + kw) as u8;
        let at = place.element([kh, kw]);
        let mut best = Best::first(
            simd,
            simd.load_partial(&x[at + c..at + end]),
            number(kh, kw),
        );
        for kh in rows.clone() {
            for kw in columns.clone() {
                if kh > rows.start || kw > columns.start {
                    let at = place.element([kh, kw]);
                    let x = simd.load_partial(&x[at + c..at + end]);
                    best.challenge(simd, x, number(kh, kw));
                }
            }
        }
        if let Some(places) = &mut places {
            best.store_numbers(simd, &mut places[c..end]);
        }
        simd.store_partial(best.value, &mut y[c..end]);
    }
}

/// The same where a place needs four bytes, a channel at a time.
fn largest_of_many<T: Float>(dims: &Dims, place: &Place, x: &[T], y: &mut [T], places: &mut [u8]) {
    for (c, (y, bytes)) in y.iter_mut().zip(places.as_chunks_mut::<4>().0).enumerate() {
        let mut best: Option<(T, u32)> = None;
        for kh in place.taps[0].clone() {
            for kw in place.taps[1].clone() {
                let value = x[place.element([kh, kw]) + c];
                if best.is_none_or(|(largest, _)| value > largest || value.is_nan()) {
                    best = Some((value, (kh * dims.kernel[1] + kw) as u32));
                }
            }
        }
        let (value, number) = best.expect("the window has a place inside");
        *y = value;
        *bytes = number.to_le_bytes();
    }
}

/// The gradient of x from that of y: each number goes to the place of its window's maximum.
#[derive(Debug)]
pub struct MaxBackward<'a, T> {
    /// The sizes.
    pub dims: &'a Dims,
    /// Like y.
    pub dy: &'a [T],
    /// What the forward pass kept.
    pub places: &'a [u8],
    /// Like x, overwritten; where windows overlap, in ascending order of the windows.
    pub dx: &'a mut [T],
}

/// Computes dx. Every level gives the same bits, since nothing is computed but sums of two.
///
/// # Panics
/// If an operand's length does not fit the sizes, or if a place lies outside of the image.
pub fn max_backward<T: Float>(pass: MaxBackward<'_, T>) {
    let dims = pass.dims;
    dims.check();
    check_len("dy", pass.dy.len(), dims.output_len());
    check_len("places", pass.places.len(), dims.places_len());
    check_len("dx", pass.dx.len(), dims.input_len());
    if dims.output_len() > 0 {
        T::max_backward(Isa::active(), pass);
    } else {
        pass.dx.fill(T::ZERO);
    }
}

/// Places of a window up to which every channel is compared with each of them, which vectors do at once; with more it is
/// faster to look for each channel's place alone.
const MOST_COMPARED: usize = 16;

impl<T: Float> Kernel<T> for MaxBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, _simd: S) {
        let Self {
            dims,
            dy,
            places,
            dx,
        } = self;
        let (channels, most) = (dims.input[2], dims.kernel[0] * dims.kernel[1]);
        // Windows that lie side by side write every place that one of them reaches once.
        let is_tiling = dims.is_tiling() && most <= MOST_COMPARED;
        if is_tiling {
            zero_dropped(dims, dx);
        } else {
            dx.fill(T::ZERO);
        }
        for ((window, dy), place) in dy.chunks(channels).enumerate().zip(Windows::of(dims)) {
            if place.count() == most && most <= MOST_COMPARED {
                let numbers = &places[window * channels..][..channels];
                if is_tiling {
                    compare(dims, &place, dy, numbers, dx, |_, dy| dy);
                } else {
                    compare(dims, &place, dy, numbers, dx, |dx, dy| dx + dy);
                }
            } else if place.count() > 0 {
                let number = |c| number_at(dims, places, window * channels + c);
                dy.iter()
                    .enumerate()
                    .for_each(|(c, dy)| scatter(dims, &place, number(c), *dy, &mut dx[c..]));
            }
        }
    }
}

/// Zeroes the places that windows side by side do not reach.
fn zero_dropped<T: Float>(dims: &Dims, dx: &mut [T]) {
    let [height, width, channels] = dims.input;
    let [rows, columns] = [0, 1].map(|axis| dims.output[axis] * dims.kernel[axis]);
    for (row, dx) in dx.chunks_mut(width * channels).enumerate() {
        let reached = if row % height < rows { columns } else { 0 };
        dx[reached * channels..].fill(T::ZERO);
    }
}

/// Lets dy reach the places of a window that is wholly inside, all channels at once for each place.
#[inline(always)]
fn compare<T: Float>(
    dims: &Dims,
    place: &Place,
    dy: &[T],
    numbers: &[u8],
    dx: &mut [T],
    reach: impl Fn(T, T) -> T,
) {
    let [rows, columns] = dims.kernel;
    let largest = numbers
        .iter()
        .fold(0, |largest, &number| largest.max(number));
    assert!(
        usize::from(largest) < rows * columns,
        "pool: place {largest} lies outside of the image"
    );
    for number in 0..rows * columns {
        let at = place.element([number / columns, number % columns]);
        let dx = &mut dx[at..][..dy.len()];
        for ((dx, dy), own) in dx.iter_mut().zip(dy).zip(numbers) {
            let is_own = usize::from(*own) == number;
            *dx = reach(*dx, if is_own { *dy } else { T::ZERO });
        }
    }
}

/// Adds dy to one place of a window; dx starts at the channel.
fn scatter<T: Float>(dims: &Dims, place: &Place, number: usize, dy: T, dx: &mut [T]) {
    let tap = [number / dims.kernel[1], number % dims.kernel[1]];
    assert!(
        place.contains(tap),
        "pool: place {number} lies outside of the image"
    );
    dx[place.element(tap)] += dy;
}

/// The place of maximum `i`.
#[inline(always)]
fn number_at(dims: &Dims, places: &[u8], i: usize) -> usize {
    if dims.place_bytes() == 1 {
        usize::from(places[i])
    } else {
        let bytes = places[4 * i..].first_chunk().expect("four bytes a place");
        u32::from_le_bytes(*bytes) as usize
    }
}
