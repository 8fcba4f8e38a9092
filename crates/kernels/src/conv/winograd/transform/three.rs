//! F(3, 3): three outputs from five products, at the points 0, ½, −1, 2 and ∞.
//!
//! ```text
//!      ┌ 1 −³⁄₂ −³⁄₂  1   0 ┐         ┌  9  0  0 ┐         ┌ 1  1  1  1  0 ┐
//!      │ 0 −2   −1    1   0 │       1 │ −8 −4 −2 │    Aᵀ = │ 0  ½ −1  2  0 │
//! Bᵀ = │ 0  1   −⁵⁄₂  1   0 │   G = ─ │ −2  2 −2 │         └ 0  ¼  1  4  1 ┘
//!      │ 0 −½    ½    1   0 │       9 │  1  2  4 │
//!      └ 0  1   −³⁄₂ −³⁄₂ 1 ┘         └  0  0  9 ┘
//! ```
//!
//! A tile is as large as a kernel, so G and A differ by the factors of the points alone, and each of the three passes puts them
//! where they cost least: on the kernel forward, on the tile's gradient on the way back.
//!
//! Tried and lost: the points 0, 1, −1 and 2, which round nearly twice as coarsely; ±½ and ±³⁄₂, which round a little less but leave no
//! zeros in the matrices.

use super::{KERNEL, Matrix};
use crate::float::Float as _;
use crate::simd::Simd;

/// Pixels of an output tile along an axis.
pub(crate) const TILE: usize = 3;

/// Pixels of an input patch along an axis, and points.
pub(crate) const PATCH: usize = 5;

#[inline(always)]
fn splat<S: Simd>(simd: S, number: f64) -> S::Vector {
    simd.splat(S::Elem::from_f64(number))
}

/// Bᵀ: a patch becomes points.
#[derive(Clone, Copy)]
pub(crate) struct Input;

impl Matrix<PATCH, PATCH> for Input {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, d: [S::Vector; PATCH]) -> [S::Vector; PATCH] {
        let inner = splat(simd, -1.5);
        let ends = simd.add(d[1], d[3]);
        [
            simd.mul_add(inner, simd.add(d[1], d[2]), simd.add(d[0], d[3])),
            simd.mul_add(splat(simd, -2.0), d[1], simd.sub(d[3], d[2])),
            simd.mul_add(splat(simd, -2.5), d[2], ends),
            simd.mul_add(splat(simd, 0.5), simd.sub(d[2], d[1]), d[3]),
            simd.mul_add(inner, simd.add(d[2], d[3]), simd.add(d[1], d[4])),
        ]
    }
}

/// G: a kernel becomes points, or the gradient of a tile where what it meets went by [`Tile`].
#[derive(Clone, Copy)]
pub(crate) struct Kernel;

impl Matrix<KERNEL, PATCH> for Kernel {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, g: [S::Vector; KERNEL]) -> [S::Vector; PATCH] {
        let [_, half, minus, two, _] = Tile.line(simd, g);
        [
            g[0],
            simd.mul(splat(simd, -8.0 / 9.0), half),
            simd.mul(splat(simd, -2.0 / 9.0), minus),
            simd.mul(splat(simd, 1.0 / 9.0), two),
            g[2],
        ]
    }
}

/// Aᵀ: points become a tile, or the gradient of a kernel.
#[derive(Clone, Copy)]
pub(crate) struct Output;

impl Matrix<PATCH, TILE> for Output {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, m: [S::Vector; PATCH]) -> [S::Vector; TILE] {
        let odd = simd.sub(simd.add(m[3], m[3]), m[2]);
        let even = simd.mul_add(splat(simd, 4.0), m[3], simd.add(m[2], m[4]));
        [
            simd.add(simd.add(m[0], m[1]), simd.add(m[2], m[3])),
            simd.mul_add(splat(simd, 0.5), m[1], odd),
            simd.mul_add(splat(simd, 0.25), m[1], even),
        ]
    }
}

/// A: a kernel becomes points without the points' factors.
#[derive(Clone, Copy)]
pub(crate) struct Tile;

impl Matrix<TILE, PATCH> for Tile {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, d: [S::Vector; TILE]) -> [S::Vector; PATCH] {
        let half = simd.mul_add(splat(simd, 0.25), d[2], d[0]);
        let two = simd.mul_add(splat(simd, 4.0), d[2], d[0]);
        [
            d[0],
            simd.mul_add(splat(simd, 0.5), d[1], half),
            simd.add(simd.sub(d[0], d[1]), d[2]),
            simd.mul_add(splat(simd, 2.0), d[1], two),
            d[2],
        ]
    }
}

/// B: points become the gradient of a patch.
#[derive(Clone, Copy)]
pub(crate) struct InputGradient;

impl Matrix<PATCH, PATCH> for InputGradient {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, m: [S::Vector; PATCH]) -> [S::Vector; PATCH] {
        let inner = splat(simd, -1.5);
        let one = simd.mul_add(splat(simd, -2.0), m[1], simd.add(m[2], m[4]));
        let one = simd.mul_add(splat(simd, -0.5), m[3], one);
        let two = simd.mul_add(splat(simd, 0.5), m[3], simd.mul(splat(simd, -2.5), m[2]));
        let two = simd.sub(two, m[1]);
        let three = simd.add(simd.add(m[0], m[1]), simd.add(m[2], m[3]));
        [
            m[0],
            simd.mul_add(inner, m[0], one),
            simd.mul_add(inner, simd.add(m[0], m[4]), two),
            simd.mul_add(inner, m[4], three),
            m[4],
        ]
    }
}
