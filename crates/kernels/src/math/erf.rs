//! The error function, for the exact GELU.
//!
//! `f64`: W. J. Cody, *Rational Chebyshev approximations for the error function*, Mathematics of Computation 23 (1969),
//! with the coefficients of his CALERF. `f32`: polynomials of this crate's own, on vectors.

use super::{constant, exp_in_range, is_double, polynomial};
use crate::float::Float;
use crate::simd::Simd;

/// Below this erf is an odd polynomial, above it 1 − e^−p(x).
const SMALL: f64 = 0.921875;

/// From here on erf rounds to 1 in `f32`.
const SATURATED: f64 = 4.0;

/// erf(x)/x − 1 as a polynomial in x² for x ≤ 0.921875, to 2e-8.
const SMALL_COEFFICIENTS: [f64; 6] = [
    0.128_379_151_225_090_03,
    -0.376_125_007_867_813_1,
    0.112_818_822_264_671_33,
    -0.026_768_757_030_367_85,
    0.004_996_020_346_879_959,
    -0.000_600_408_122_409_135_1,
];

/// −ln(1 − erf(x))/x − 1 for x in [0.92, 4], to 5e-7.
const LARGE_COEFFICIENTS: [f64; 7] = [
    0.128_671_586_513_519_3,
    0.635_004_281_997_680_7,
    0.106_561_288_237_571_72,
    -0.024_102_535_098_791_122,
    0.003_827_122_738_584_876,
    -0.000_372_707_494_534_552_1,
    0.000_016_539_779_608_137_906,
];

/// erf in every lane, within 3 ULP for `f32` and 1e-15 for `f64`; odd, and the sign of a zero is kept.
#[inline(always)]
pub fn erf<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    if is_double::<S>() {
        return simd.map_lanes(x, erf_lane);
    }
    let magnitude = simd.abs(x);
    let p = polynomial(simd, simd.mul(x, x), SMALL_COEFFICIENTS);
    let small = simd.mul_add(p, magnitude, magnitude);
    // The order of the arguments lets a NaN through.
    let clamped = simd.min(constant(simd, SATURATED), magnitude);
    let q = polynomial(simd, clamped, LARGE_COEFFICIENTS);
    let complement = exp_in_range(simd, simd.neg(simd.mul_add(q, clamped, clamped)));
    let large = simd.sub(constant(simd, 1.0), complement);
    let is_small = simd.lt(magnitude, constant(simd, SMALL));
    simd.copysign(simd.select(is_small, small, large), x)
}

fn erf_lane<T: Float>(x: T) -> T {
    T::from_f64(erf_f64(x.to_f64()))
}

/// Numerator and denominator in x² for |x| ≤ 0.46875, highest power first, as in CALERF.
const A: [f64; 5] = [
    1.857_777_061_846_031_5e-1,
    3.161_123_743_870_565_6,
    1.138_641_541_510_501_6e2,
    3.774_852_376_853_02e2,
    3.209_377_589_138_469_4e3,
];
const B: [f64; 5] = [
    1.0,
    2.360_129_095_234_412_1e1,
    2.440_246_379_344_441_7e2,
    1.282_616_526_077_372_3e3,
    2.844_236_833_439_171e3,
];

/// Numerator and denominator in x for 0.46875 ≤ x ≤ 4, of eˣ² erfc(x).
const C: [f64; 9] = [
    2.153_115_354_744_038_3e-8,
    5.641_884_969_886_701e-1,
    8.883_149_794_388_375,
    6.611_919_063_714_163e1,
    2.986_351_381_974_001e2,
    8.819_522_212_417_69e2,
    1.712_047_612_634_070_6e3,
    2.051_078_377_826_071_6e3,
    1.230_339_354_797_997_2e3,
];
const D: [f64; 9] = [
    1.0,
    1.574_492_611_070_983_5e1,
    1.176_939_508_913_125e2,
    5.371_811_018_620_099e2,
    1.621_389_574_566_690_3e3,
    3.290_799_235_733_459_7e3,
    4.362_619_090_143_247e3,
    3.439_367_674_143_721_6e3,
    1.230_339_354_803_749_5e3,
];

/// Beyond this 1 − erf(x) is below half an ULP of 1.
const SATURATED_F64: f64 = 6.0;

/// erf of one number, within 1e-15.
///
/// Cody's third interval (x > 4) is not needed: there the second one still gives 1 − erf(x) to more digits than the
/// difference from 1 can hold.
pub fn erf_f64(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude <= 0.46875 {
        let square = x * x;
        return x * horner(square, &A) / horner(square, &B);
    }
    if magnitude > SATURATED_F64 {
        return 1.0_f64.copysign(x);
    }
    let complement = (-magnitude * magnitude).exp() * horner(magnitude, &C) / horner(magnitude, &D);
    (1.0 - complement).copysign(x)
}

fn horner(x: f64, highest_first: &[f64]) -> f64 {
    let mut sum = 0.0;
    for &coefficient in highest_first {
        sum = sum * x + coefficient;
    }
    sum
}
