//! F(4, 3): four outputs from six products, at the points 0, ±a, ±b and ∞ with a = ⅝ and b = ³⁄₂.
//!
//! ```text
//!      ┌ pq   0  −p−q   0   1  0 ┐      ┌ 1/pq            ┐ ┌ 1  0  0 ┐
//!      │ 0  −aq   −q    a   1  0 │      │    1/α          │ │ 1  a  p │
//! Bᵀ = │ 0   aq   −q   −a   1  0 │  G = │      1/α        │ │ 1 −a  p │    p = a², α = 2p(p − q)
//!      │ 0  −bp   −p    b   1  0 │      │        1/β      │ │ 1  b  q │    q = b², β = 2q(q − p)
//!      │ 0   bp   −p   −b   1  0 │      │          1/β    │ │ 1 −b  q │
//!      └ 0   pq    0  −p−q  0  1 ┘      └              1  ┘ └ 0  0  1 ┘
//!
//!      ┌ 1  1  1   1   1   0 ┐
//! Aᵀ = │ 0  a −a   b  −b   0 │
//!      │ 0  p  p   q   q   0 │
//!      └ 0  ap −ap bq −bq  1 ┘
//! ```
//!
//! Points in pairs of opposite ones share their even and odd parts. These two pairs round as finely as the five points of F(3, 3): among
//! pairs of sixteenths none was better by more than the choice of numbers makes. The factors go with the kernel forward, and with the tile's
//! gradient on the way back.

use super::{KERNEL, Matrix};
use crate::float::Float as _;
use crate::simd::Simd;

/// Pixels of an output tile along an axis.
pub(crate) const TILE: usize = 4;

/// Pixels of an input patch along an axis, and points.
pub(crate) const PATCH: usize = 6;

const A: f64 = 0.625;
const B: f64 = 1.5;
const P: f64 = A * A;
const Q: f64 = B * B;
const ALPHA: f64 = 2.0 * P * (P - Q);
const BETA: f64 = 2.0 * Q * (Q - P);

#[inline(always)]
fn splat<S: Simd>(simd: S, number: f64) -> S::Vector {
    simd.splat(S::Elem::from_f64(number))
}

/// even ± x · odd
#[inline(always)]
fn pair<S: Simd>(simd: S, x: f64, odd: S::Vector, even: S::Vector) -> [S::Vector; 2] {
    [
        simd.mul_add(splat(simd, x), odd, even),
        simd.mul_add(splat(simd, -x), odd, even),
    ]
}

/// Sum and difference.
#[inline(always)]
fn butterfly<S: Simd>(simd: S, plus: S::Vector, minus: S::Vector) -> [S::Vector; 2] {
    [simd.add(plus, minus), simd.sub(plus, minus)]
}

/// Bᵀ: a patch becomes points.
#[derive(Clone, Copy)]
pub(crate) struct Input;

impl Matrix<PATCH, PATCH> for Input {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, d: [S::Vector; PATCH]) -> [S::Vector; PATCH] {
        let (p, q) = (splat(simd, -P), splat(simd, -Q));
        let (middle, outer) = (splat(simd, -(P + Q)), splat(simd, P * Q));
        let even = [simd.mul_add(q, d[2], d[4]), simd.mul_add(p, d[2], d[4])];
        let odd = [simd.mul_add(q, d[1], d[3]), simd.mul_add(p, d[1], d[3])];
        let [one, two] = pair(simd, A, odd[0], even[0]);
        let [three, four] = pair(simd, B, odd[1], even[1]);
        let (zero, last) = (
            simd.mul_add(middle, d[2], d[4]),
            simd.mul_add(middle, d[3], d[5]),
        );
        [
            simd.mul_add(outer, d[0], zero),
            one,
            two,
            three,
            four,
            simd.mul_add(outer, d[1], last),
        ]
    }
}

/// G: a kernel becomes points.
#[derive(Clone, Copy)]
pub(crate) struct Kernel;

impl Matrix<KERNEL, PATCH> for Kernel {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, g: [S::Vector; KERNEL]) -> [S::Vector; PATCH] {
        scaled(simd, PlainKernel.line(simd, g))
    }
}

/// G without the factors of the points.
#[derive(Clone, Copy)]
pub(crate) struct PlainKernel;

impl Matrix<KERNEL, PATCH> for PlainKernel {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, g: [S::Vector; KERNEL]) -> [S::Vector; PATCH] {
        let even = [P, Q].map(|square| simd.mul_add(splat(simd, square), g[2], g[0]));
        let [one, two] = pair(simd, A, g[1], even[0]);
        let [three, four] = pair(simd, B, g[1], even[1]);
        [g[0], one, two, three, four, g[2]]
    }
}

/// The factors of the points.
#[inline(always)]
fn scaled<S: Simd>(simd: S, points: [S::Vector; PATCH]) -> [S::Vector; PATCH] {
    let (alpha, beta) = (splat(simd, 1.0 / ALPHA), splat(simd, 1.0 / BETA));
    let [zero, one, two, three, four, last] = points;
    [
        simd.mul(splat(simd, 1.0 / (P * Q)), zero),
        simd.mul(alpha, one),
        simd.mul(alpha, two),
        simd.mul(beta, three),
        simd.mul(beta, four),
        last,
    ]
}

/// Aᵀ: points become a tile.
#[derive(Clone, Copy)]
pub(crate) struct Output;

impl Matrix<PATCH, TILE> for Output {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, m: [S::Vector; PATCH]) -> [S::Vector; TILE] {
        let [even_a, odd_a] = butterfly(simd, m[1], m[2]);
        let [even_b, odd_b] = butterfly(simd, m[3], m[4]);
        let by = |x: f64, numbers, sum| simd.mul_add(splat(simd, x), numbers, sum);
        [
            simd.add(simd.add(m[0], even_a), even_b),
            by(A, odd_a, simd.mul(splat(simd, B), odd_b)),
            by(P, even_a, simd.mul(splat(simd, Q), even_b)),
            by(A * P, odd_a, by(B * Q, odd_b, m[5])),
        ]
    }
}

/// A with the factors of the points: the gradient of a tile becomes points.
#[derive(Clone, Copy)]
pub(crate) struct OutputGradient;

impl Matrix<TILE, PATCH> for OutputGradient {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, d: [S::Vector; TILE]) -> [S::Vector; PATCH] {
        let part = |square: f64, high, low| simd.mul_add(splat(simd, square), high, low);
        let [one, two] = pair(simd, A, part(P, d[3], d[1]), part(P, d[2], d[0]));
        let [three, four] = pair(simd, B, part(Q, d[3], d[1]), part(Q, d[2], d[0]));
        scaled(simd, [d[0], one, two, three, four, d[3]])
    }
}

/// Gᵀ without the factors of the points: points become the gradient of a kernel.
#[derive(Clone, Copy)]
pub(crate) struct KernelGradient;

impl Matrix<PATCH, KERNEL> for KernelGradient {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, s: [S::Vector; PATCH]) -> [S::Vector; KERNEL] {
        let [even_a, odd_a] = butterfly(simd, s[1], s[2]);
        let [even_b, odd_b] = butterfly(simd, s[3], s[4]);
        let by = |x: f64, numbers, sum| simd.mul_add(splat(simd, x), numbers, sum);
        [
            simd.add(simd.add(s[0], even_a), even_b),
            by(A, odd_a, simd.mul(splat(simd, B), odd_b)),
            by(P, even_a, by(Q, even_b, s[5])),
        ]
    }
}

/// B: points become the gradient of a patch.
#[derive(Clone, Copy)]
pub(crate) struct InputGradient;

impl Matrix<PATCH, PATCH> for InputGradient {
    #[inline(always)]
    fn line<S: Simd>(self, simd: S, m: [S::Vector; PATCH]) -> [S::Vector; PATCH] {
        let [even_a, odd_a] = butterfly(simd, m[1], m[2]);
        let [even_b, odd_b] = butterfly(simd, m[3], m[4]);
        let by = |x: f64, numbers, sum| simd.mul_add(splat(simd, x), numbers, sum);
        let (middle, outer) = (-(P + Q), P * Q);
        let one = by(-A * Q, odd_a, simd.mul(splat(simd, -B * P), odd_b));
        let two = by(-Q, even_a, simd.mul(splat(simd, -P), even_b));
        let three = by(A, odd_a, simd.mul(splat(simd, B), odd_b));
        [
            simd.mul(splat(simd, outer), m[0]),
            by(outer, m[5], one),
            by(middle, m[0], two),
            by(middle, m[5], three),
            simd.add(simd.add(m[0], even_a), even_b),
            m[5],
        ]
    }
}
