//! The transforms between pixels and points, on vectors of channels.
//!
//! ```text
//!      ┌ 1  0 −1  0 ┐        ┌ 1   0   0  ┐        ┌ 1  1  1  0 ┐
//! Bᵀ = │ 0  1  1  0 │    G = │ ½   ½   ½  │   Aᵀ = └ 0  1 −1 −1 ┘
//!      │ 0 −1  1  0 │        │ ½  −½   ½  │
//!      └ 0  1  0 −1 ┘        └ 0   0   1  ┘
//! ```

use super::grid::{PATCH, TILE};
use crate::float::Float as _;
use crate::simd::Simd;

/// Rows and columns of a kernel.
pub(crate) const KERNEL: usize = 3;

/// One row of Bᵀ·d, or one column of d·B.
#[inline(always)]
pub(crate) fn input_line<S: Simd>(simd: S, d: [S::Vector; PATCH]) -> [S::Vector; PATCH] {
    [
        simd.sub(d[0], d[2]),
        simd.add(d[1], d[2]),
        simd.sub(d[2], d[1]),
        simd.sub(d[1], d[3]),
    ]
}

/// G·g for a line of a kernel.
#[inline(always)]
pub(crate) fn weight_line<S: Simd>(simd: S, g: [S::Vector; KERNEL]) -> [S::Vector; PATCH] {
    let half = simd.splat(S::Elem::from_f64(0.5));
    let ends = simd.mul(half, simd.add(g[0], g[2]));
    let middle = simd.mul(half, g[1]);
    [g[0], simd.add(ends, middle), simd.sub(ends, middle), g[2]]
}

/// Aᵀ·m for a line of points.
#[inline(always)]
pub(crate) fn output_line<S: Simd>(simd: S, m: [S::Vector; PATCH]) -> [S::Vector; TILE] {
    [
        simd.add(simd.add(m[0], m[1]), m[2]),
        simd.sub(simd.sub(m[1], m[2]), m[3]),
    ]
}

/// A·d for a line of a tile's gradient.
#[inline(always)]
pub(crate) fn gradient_line<S: Simd>(simd: S, d: [S::Vector; TILE]) -> [S::Vector; PATCH] {
    [
        d[0],
        simd.add(d[0], d[1]),
        simd.sub(d[0], d[1]),
        simd.neg(d[1]),
    ]
}

/// Gᵀ·s for a line of points of a weight gradient.
#[inline(always)]
pub(crate) fn weight_gradient_line<S: Simd>(simd: S, s: [S::Vector; PATCH]) -> [S::Vector; KERNEL] {
    let half = simd.splat(S::Elem::from_f64(0.5));
    let sum = simd.mul(half, simd.add(s[1], s[2]));
    let difference = simd.mul(half, simd.sub(s[1], s[2]));
    [simd.add(s[0], sum), difference, simd.add(sum, s[3])]
}

/// GgGᵀ, row by row.
#[inline(always)]
pub(crate) fn weight<S: Simd>(
    simd: S,
    g: [[S::Vector; KERNEL]; KERNEL],
) -> [[S::Vector; PATCH]; PATCH] {
    let mut columns = [[simd.zero(); PATCH]; KERNEL];
    for s in 0..KERNEL {
        columns[s] = weight_line(simd, [g[0][s], g[1][s], g[2][s]]);
    }
    let mut u = [[simd.zero(); PATCH]; PATCH];
    for r in 0..PATCH {
        u[r] = weight_line(simd, [columns[0][r], columns[1][r], columns[2][r]]);
    }
    u
}
