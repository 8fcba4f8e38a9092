//! A patch of an image at the sixteen points, a vector of channels at a time.

use crate::conv::winograd::grid::{PATCH, POINTS, TILE};
use crate::conv::winograd::transform::{gradient_line, input_line};
use crate::simd::Simd;

/// A number for each point.
pub(super) type Points<V> = [[V; PATCH]; PATCH];

/// `lanes` channels of a pixel; other lanes are 0.
///
/// # Safety
/// The pixel is valid for reading them.
#[inline(always)]
unsafe fn load<S: Simd>(simd: S, pixel: *const S::Elem, lanes: usize) -> S::Vector {
    if lanes >= S::LANES {
        // SAFETY: a full vector of the pixel, as the caller vouches.
        unsafe { simd.load_ptr(pixel) }
    } else {
        // SAFETY: the channels that the pixel has left, as the caller vouches.
        unsafe { simd.load_ptr_partial(pixel, lanes) }
    }
}

/// BᵀdB of a patch, a vector of channels from `c` on, of which there are `lanes` or more.
///
/// # Safety
/// Every pixel is valid for reading these channels.
#[inline(always)]
pub(super) unsafe fn of_input<S: Simd>(
    simd: S,
    pixels: &[*const S::Elem; POINTS],
    c: usize,
    lanes: usize,
) -> Points<S::Vector> {
    let mut lines = [[simd.zero(); PATCH]; PATCH];
    for r in 0..PATCH {
        let mut d = [simd.zero(); PATCH];
        for s in 0..PATCH {
            // SAFETY: as the caller vouches.
            d[s] = unsafe { load(simd, pixels[r * PATCH + s].wrapping_add(c), lanes) };
        }
        lines[r] = input_line(simd, d);
    }
    let mut points = lines;
    for s in 0..PATCH {
        let column = input_line(simd, [lines[0][s], lines[1][s], lines[2][s], lines[3][s]]);
        for r in 0..PATCH {
            points[r][s] = column[r];
        }
    }
    points
}

/// A·dy·Aᵀ of a tile's gradient likewise.
///
/// # Safety
/// As [`of_input`].
#[inline(always)]
pub(super) unsafe fn of_gradient<S: Simd>(
    simd: S,
    pixels: &[*const S::Elem; TILE * TILE],
    c: usize,
    lanes: usize,
) -> Points<S::Vector> {
    let mut lines = [[simd.zero(); PATCH]; TILE];
    for r in 0..TILE {
        let mut d = [simd.zero(); TILE];
        for s in 0..TILE {
            // SAFETY: as the caller vouches.
            d[s] = unsafe { load(simd, pixels[r * TILE + s].wrapping_add(c), lanes) };
        }
        lines[r] = gradient_line(simd, d);
    }
    let mut points = [[simd.zero(); PATCH]; PATCH];
    for s in 0..PATCH {
        let column = gradient_line(simd, [lines[0][s], lines[1][s]]);
        for r in 0..PATCH {
            points[r][s] = column[r];
        }
    }
    points
}
