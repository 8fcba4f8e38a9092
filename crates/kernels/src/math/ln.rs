//! Natural logarithm on vectors.

use super::{LN_2_HIGH, LN_2_LOW, constant, is_double, polynomial};
use crate::float::Float;
use crate::simd::Simd;

/// (ln(1 + f) − f + f²/2) / f³ for 1 + f in [√½, √2], to 3e-8.
const COEFFICIENTS: [f64; 9] = [
    0.333_333_313_465_118_4,
    -0.249_999_970_197_677_6,
    0.200_007_155_537_605_3,
    -0.166_678_026_318_550_1,
    0.142_490_580_677_986_15,
    -0.124_256_871_640_682_22,
    0.116_854_198_276_996_61,
    -0.114_797_338_843_345_64,
    0.069_716_118_276_119_23,
];

/// 2²³, which makes a denormal number normal.
const DENORMAL_SCALE: f64 = 8_388_608.0;

/// ln x in every lane, within 2 ULP for `f32`, denormal arguments included. ln 0 = −∞; negative arguments give NaN.
///
/// x = 2ᵉ (1 + f) with 1 + f near 1 gives ln x = e ln 2 + ln(1 + f).
#[inline(always)]
pub fn ln<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    if is_double::<S>() {
        return simd.map_lanes(x, S::Elem::ln);
    }
    let is_denormal = simd.lt(x, simd.splat(S::Elem::MIN_POSITIVE));
    let scaled = simd.mul(x, constant(simd, DENORMAL_SCALE));
    let (m, e) = simd.split_exponent(simd.select(is_denormal, scaled, x));
    let e = simd.select(is_denormal, simd.sub(e, constant(simd, 23.0)), e);
    let one = constant(simd, 1.0);
    let is_low = simd.lt(m, constant(simd, std::f64::consts::FRAC_1_SQRT_2));
    let e = simd.select(is_low, simd.sub(e, one), e);
    let f = simd.sub(simd.select(is_low, simd.add(m, m), m), one);
    finish(simd, x, e, f)
}

/// e ln 2 + ln(1 + f), small terms first, and the special cases of `x`.
#[inline(always)]
fn finish<S: Simd>(simd: S, x: S::Vector, e: S::Vector, f: S::Vector) -> S::Vector {
    let square = simd.mul(f, f);
    let p = polynomial(simd, f, COEFFICIENTS);
    let tail = simd.mul_add(
        e,
        constant(simd, LN_2_LOW),
        simd.mul(simd.mul(f, square), p),
    );
    let tail = simd.mul_add(square, constant(simd, -0.5), tail);
    let y = simd.mul_add(e, constant(simd, LN_2_HIGH), simd.add(f, tail));
    let infinity = simd.splat(S::Elem::INFINITY);
    let y = simd.select(simd.lt(x, infinity), y, x);
    let y = simd.select(simd.eq(x, simd.zero()), simd.neg(infinity), y);
    simd.select(simd.lt(x, simd.zero()), simd.splat(S::Elem::NAN), y)
}
