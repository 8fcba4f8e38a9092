//! Pairs in portable code: each is taken apart.

use super::level::{Body, Level};
use super::pack::rounded;
use crate::simd::{Scalar, Simd};

/// Portable vectors.
#[derive(Clone, Copy)]
pub(super) struct Portable;

const LANES: usize = <Scalar<f32> as Simd>::LANES;

/// The two numbers of a pair.
#[inline(always)]
fn apart(pair: u32) -> [f32; 2] {
    [
        f32::from_bits(pair << 16),
        f32::from_bits(pair & 0xffff_0000),
    ]
}

impl Level for Portable {
    type Floats = Scalar<f32>;
    type Pairs = [u32; LANES];

    #[inline(always)]
    fn floats(self) -> Scalar<f32> {
        Scalar::new()
    }

    #[inline(always)]
    fn enter<B: Body>(self, body: B) -> B::Output {
        enter(self, body)
    }

    #[inline(always)]
    fn pair(self, low: [f32; LANES], high: [f32; LANES]) -> [u32; LANES] {
        std::array::from_fn(|lane| rounded(low[lane]) | (rounded(high[lane]) << 16))
    }

    #[inline(always)]
    unsafe fn store_pairs(self, pairs: [u32; LANES], target: *mut u32) {
        // SAFETY: the caller vouches for as many words as there are lanes; an array of words has their alignment.
        unsafe { *target.cast() = pairs }
    }

    #[inline(always)]
    unsafe fn store_rounded(self, v: [f32; LANES], target: *mut u32) {
        let pairs: [u32; LANES / 2] =
            std::array::from_fn(|i| rounded(v[2 * i]) | (rounded(v[2 * i + 1]) << 16));
        // SAFETY: the caller vouches for half as many words as there are lanes.
        unsafe { *target.cast() = pairs }
    }

    #[inline(always)]
    unsafe fn load_pairs(self, source: *const u32) -> [u32; LANES] {
        // SAFETY: the caller vouches for as many words as there are lanes; an array of words has their alignment.
        unsafe { *source.cast() }
    }

    #[inline(always)]
    fn splat_pair(self, pair: u32) -> [u32; LANES] {
        [pair; LANES]
    }

    #[inline(always)]
    fn dot(self, mut sums: [f32; LANES], a: [u32; LANES], b: [u32; LANES]) -> [f32; LANES] {
        for lane in 0..LANES {
            let ([a_low, a_high], [b_low, b_high]) = (apart(a[lane]), apart(b[lane]));
            sums[lane] = a_high * b_high + (a_low * b_low + sums[lane]);
        }
        sums
    }
}

/// Where a body is compiled for this level.
fn enter<B: Body>(level: Portable, body: B) -> B::Output {
    body.run(level)
}
