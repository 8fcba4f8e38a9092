//! Max-pooling.
//!
//! ```text
//! y[n][oh][ow][c] = the largest x[n][oh·stride + kh − before][ow·stride + kw − before][c] inside the image
//! ```
//!
//! Of equal numbers the first counts, row by row; a NaN wins, as in PyTorch; padding never does. The place of the
//! maximum, `kh · kernel columns + kw`, is kept for the gradient. A window without a place inside is −∞ and passes no
//! gradient on.

use super::best::Best;
use super::window::Place;
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
        T::dispatch_on(isa, pass);
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
        for (window, y) in y.chunks_mut(channels).enumerate() {
            let place = Place::new(dims, window);
            if place.count() == 0 {
                y.fill(T::NEG_INFINITY);
            }
            let places = places
                .as_mut()
                .map(|places| &mut places[window * channels * bytes..][..channels * bytes]);
            match places {
                _ if place.count() == 0 => places.unwrap_or_default().fill(0),
                None => largest(simd, dims, &place, x, y, None),
                Some(places) if bytes == 1 => largest(simd, dims, &place, x, y, Some(places)),
                Some(places) => largest_of_many(dims, &place, x, y, places),
            }
        }
    }
}

/// The maxima of all channels of a window that is not empty, with their places in a byte each.
#[inline(always)]
fn largest<S: Simd>(
    simd: S,
    dims: &Dims,
    place: &Place,
    x: &[S::Elem],
    y: &mut [S::Elem],
    mut places: Option<&mut [u8]>,
) {
    let [rows, columns] = &place.taps;
    for (i, y) in y.chunks_mut(S::LANES).enumerate() {
        let load = |kh, kw| &x[place.element(dims, [kh, kw]) + i * S::LANES..][..y.len()];
        let number = |kh: usize, kw: usize| (kh * dims.kernel[1] + kw) as u8;
        let (kh, kw) = (rows.start, columns.start);
        let mut best = Best::first(simd.load_partial(load(kh, kw)), number(kh, kw));
        for kh in rows.clone() {
            for kw in columns.clone() {
                if kh > rows.start || kw > columns.start {
                    best.challenge(simd, simd.load_partial(load(kh, kw)), number(kh, kw));
                }
            }
        }
        if let Some(places) = &mut places {
            best.store_numbers(&mut places[i * S::LANES..][..y.len()]);
        }
        simd.store_partial(best.value, y);
    }
}

/// The same where a place needs four bytes, a channel at a time.
fn largest_of_many<T: Float>(dims: &Dims, place: &Place, x: &[T], y: &mut [T], places: &mut [u8]) {
    for (c, (y, bytes)) in y.iter_mut().zip(places.as_chunks_mut::<4>().0).enumerate() {
        let mut best: Option<(T, u32)> = None;
        for kh in place.taps[0].clone() {
            for kw in place.taps[1].clone() {
                let value = x[place.element(dims, [kh, kw]) + c];
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
    pass.dx.fill(T::ZERO);
    if dims.output_len() > 0 {
        T::dispatch(pass);
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
        for (window, dy) in dy.chunks(channels).enumerate() {
            let place = Place::new(dims, window);
            if place.count() == most && most <= MOST_COMPARED {
                compare(
                    dims,
                    &place,
                    dy,
                    &places[window * channels..][..channels],
                    dx,
                );
            } else if place.count() > 0 {
                let number = |c| number_at(dims, places, window * channels + c);
                dy.iter()
                    .enumerate()
                    .for_each(|(c, dy)| scatter(dims, &place, number(c), *dy, &mut dx[c..]));
            }
        }
    }
}

/// Adds dy to the places of a window that is wholly inside, all channels at once for each place.
#[inline(always)]
fn compare<T: Float>(dims: &Dims, place: &Place, dy: &[T], numbers: &[u8], dx: &mut [T]) {
    let [rows, columns] = dims.kernel;
    let largest = numbers
        .iter()
        .fold(0, |largest, &number| largest.max(number));
    assert!(
        usize::from(largest) < rows * columns,
        "pool: place {largest} lies outside of the image"
    );
    for number in 0..rows * columns {
        let at = place.element(dims, [number / columns, number % columns]);
        let dx = &mut dx[at..][..dy.len()];
        for ((dx, dy), own) in dx.iter_mut().zip(dy).zip(numbers) {
            *dx += if usize::from(*own) == number {
                *dy
            } else {
                T::ZERO
            };
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
    dx[place.element(dims, tap)] += dy;
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
