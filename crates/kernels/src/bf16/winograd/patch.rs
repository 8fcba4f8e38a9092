//! A patch of an image at the sixteen points, a vector of channels at a time.

use crate::conv::winograd::transform::two::{Input, OutputGradient, PATCH, TILE};
use crate::conv::winograd::transform::{Lines, Matrix};
use crate::simd::Simd;

/// A number for each point.
pub(super) type Points<V> = Lines<V, PATCH>;

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
    pixels: &Lines<*const S::Elem, PATCH>,
    c: usize,
    lanes: usize,
) -> Points<S::Vector> {
    let mut d = [[simd.zero(); PATCH]; PATCH];
    for r in 0..PATCH {
        for s in 0..PATCH {
            // SAFETY: as the caller vouches.
            d[r][s] = unsafe { load(simd, pixels[r][s].wrapping_add(c), lanes) };
        }
    }
    Input.square(simd, d)
}

/// A·dy·Aᵀ of a tile's gradient likewise.
///
/// # Safety
/// As [`of_input`].
#[inline(always)]
pub(super) unsafe fn of_gradient<S: Simd>(
    simd: S,
    pixels: &Lines<*const S::Elem, TILE>,
    c: usize,
    lanes: usize,
) -> Points<S::Vector> {
    let mut d = [[simd.zero(); TILE]; TILE];
    for r in 0..TILE {
        for s in 0..TILE {
            // SAFETY: as the caller vouches.
            d[r][s] = unsafe { load(simd, pixels[r][s].wrapping_add(c), lanes) };
        }
    }
    OutputGradient.square(simd, d)
}
