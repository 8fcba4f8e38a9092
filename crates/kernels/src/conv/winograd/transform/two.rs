//! F(2, 3): two outputs from four products, at the points 0, 1, −1 and ∞.
//!
//! ```text
//!      ┌ 1  0 −1  0 ┐        ┌ 1   0   0  ┐        ┌ 1  1  1  0 ┐
//! Bᵀ = │ 0  1  1  0 │    G = │ ½   ½   ½  │   Aᵀ = └ 0  1 −1 −1 ┘
//!      │ 0 −1  1  0 │        │ ½  −½   ½  │
//!      └ 0  1  0 −1 ┘        └ 0   0   1  ┘
//! ```

use super::{KERNEL, Matrix};
use crate::float::Float as _;
use crate::simd::Simd;

/// Pixels of an output tile along an axis.
pub(crate) const TILE: usize = 2;

/// Pixels of an input patch along an axis, and points.
pub(crate) const PATCH: usize = 4;

/// Bᵀ: a patch becomes points.
#[derive(Clone, Copy)]
pub(crate) struct Input;

impl Matrix<PATCH, PATCH> for Input {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, d: [S::Vector; PATCH]) -> [S::Vector; PATCH] {
        [
            simd.sub(d[0], d[2]),
            simd.add(d[1], d[2]),
            simd.sub(d[2], d[1]),
            simd.sub(d[1], d[3]),
        ]
    }
}

/// G: a kernel becomes points.
#[derive(Clone, Copy)]
pub(crate) struct Kernel;

impl Matrix<KERNEL, PATCH> for Kernel {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, g: [S::Vector; KERNEL]) -> [S::Vector; PATCH] {
        let half = simd.splat(S::Elem::from_f64(0.5));
        let ends = simd.mul(half, simd.add(g[0], g[2]));
        let middle = simd.mul(half, g[1]);
        [g[0], simd.add(ends, middle), simd.sub(ends, middle), g[2]]
    }
}

/// Aᵀ: points become a tile.
#[derive(Clone, Copy)]
pub(crate) struct Output;

impl Matrix<PATCH, TILE> for Output {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, m: [S::Vector; PATCH]) -> [S::Vector; TILE] {
        [
            simd.add(simd.add(m[0], m[1]), m[2]),
            simd.sub(simd.sub(m[1], m[2]), m[3]),
        ]
    }
}

/// A: the gradient of a tile becomes points.
#[derive(Clone, Copy)]
pub(crate) struct OutputGradient;

impl Matrix<TILE, PATCH> for OutputGradient {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, d: [S::Vector; TILE]) -> [S::Vector; PATCH] {
        [
            d[0],
            simd.add(d[0], d[1]),
            simd.sub(d[0], d[1]),
            simd.neg(d[1]),
        ]
    }
}

/// Gᵀ: points become the gradient of a kernel.
#[derive(Clone, Copy)]
pub(crate) struct KernelGradient;

impl Matrix<PATCH, KERNEL> for KernelGradient {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, s: [S::Vector; PATCH]) -> [S::Vector; KERNEL] {
        let half = simd.splat(S::Elem::from_f64(0.5));
        let sum = simd.mul(half, simd.add(s[1], s[2]));
        let difference = simd.mul(half, simd.sub(s[1], s[2]));
        [simd.add(s[0], sum), difference, simd.add(sum, s[3])]
    }
}
