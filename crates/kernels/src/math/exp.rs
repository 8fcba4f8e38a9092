//! eˣ and the logistic function on vectors.

use super::{LN_2_HIGH, LN_2_LOW, constant, is_double, polynomial};
use crate::float::Float;
use crate::simd::Simd;

/// 1.5 · 2²³: adding and subtracting it rounds an `f32` below 2²² to an integer.
const ROUNDING: f64 = 12_582_912.0;

/// Below this eˣ rounds to 0 and above [`HIGHEST`] to ∞, and the exponents in between fit two factors.
const LOWEST: f64 = -104.0;
const HIGHEST: f64 = 89.0;

/// (eʳ − 1 − r) / r² for |r| ≤ ln 2 / 2, to 7e-8.
const COEFFICIENTS: [f64; 5] = [
    0.5,
    0.166_665_777_564_048_77,
    0.041_666_556_149_721_146,
    0.008_363_173_343_241_215,
    0.001_392_617_588_862_776_8,
];

/// eˣ in every lane, within 2 ULP for `f32`, denormal results included.
///
/// x = n ln 2 + r with integral n gives eˣ = 2ⁿ eʳ. The factor 2ⁿ is applied in two halves, so that results on the edge
/// of overflow and denormal results come out rounded once.
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    if is_double::<S>() {
        return simd.map_lanes(x, S::Elem::exp);
    }
    // The order of the arguments lets a NaN through.
    let x = simd.max(constant(simd, LOWEST), simd.min(constant(simd, HIGHEST), x));
    let (n, y) = reduced(simd, x);
    let half = round(simd, simd.mul(n, constant(simd, 0.5)));
    let y = simd.mul(y, simd.exp2_integral(half));
    simd.mul(y, simd.exp2_integral(simd.sub(n, half)))
}

/// eˣ for `f32` where |x| ≤ 87 or x is NaN, with the same bits as [`exp`]: the result is normal, so the factor 2ⁿ is one.
#[inline(always)]
pub(super) fn exp_in_range<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let (n, y) = reduced(simd, x);
    simd.mul(y, simd.exp2_integral(n))
}

/// `(n, eʳ)` with x = n ln 2 + r.
#[inline(always)]
fn reduced<S: Simd>(simd: S, x: S::Vector) -> (S::Vector, S::Vector) {
    let n = round(simd, simd.mul(x, constant(simd, std::f64::consts::LOG2_E)));
    let r = simd.mul_add(n, constant(simd, -LN_2_HIGH), x);
    let r = simd.mul_add(n, constant(simd, -LN_2_LOW), r);
    let p = polynomial(simd, r, COEFFICIENTS);
    (
        n,
        simd.add(simd.mul_add(simd.mul(r, r), p, r), constant(simd, 1.0)),
    )
}

#[inline(always)]
fn round<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let rounding = constant(simd, ROUNDING);
    simd.sub(simd.add(x, rounding), rounding)
}

/// The logistic function 1 / (1 + e⁻ˣ) in every lane, within 4 ULP for `f32`.
///
/// With e = e^−|x| it is 1 / (1 + e) for positive and e / (1 + e) for negative x: neither overflows, and small results
/// keep their precision.
#[inline(always)]
pub fn sigmoid<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let one = constant(simd, 1.0);
    let e = exp(simd, simd.neg(simd.abs(x)));
    let positive = simd.div(one, simd.add(one, e));
    simd.select(simd.lt(x, simd.zero()), simd.mul(e, positive), positive)
}
