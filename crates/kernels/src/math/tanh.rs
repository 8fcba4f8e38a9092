//! Hyperbolic tangent on vectors.

use super::{constant, exp_in_range, is_double, polynomial};
use crate::float::Float;
use crate::simd::Simd;

/// Below this 1 − 2 / (e²ˣ + 1) cancels, and the odd polynomial takes over.
const SMALL: f64 = 0.625;

/// From here on tanh rounds to 1 in `f32`.
const SATURATED: f64 = 10.0;

/// (tanh(x)/x − 1) / x² as a polynomial in x² for x ≤ 0.625, to 5e-8.
const COEFFICIENTS: [f64; 5] = [
    -0.333_333_283_662_796,
    0.133_327_692_747_116_1,
    -0.053_850_907_832_384_11,
    0.020_997_179_672_122,
    -0.006_096_714_176_237_583,
];

/// tanh in every lane, within 3 ULP for `f32`; odd, and the sign of a zero is kept.
#[inline(always)]
pub fn tanh<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    if is_double::<S>() {
        return simd.map_lanes(x, S::Elem::tanh);
    }
    let magnitude = simd.abs(x);
    let square = simd.mul(x, x);
    let p = polynomial(simd, square, COEFFICIENTS);
    let small = simd.mul_add(simd.mul(magnitude, square), p, magnitude);
    let one = constant(simd, 1.0);
    // The order of the arguments lets a NaN through.
    let clamped = simd.min(constant(simd, SATURATED), magnitude);
    let e = exp_in_range(simd, simd.add(clamped, clamped));
    let large = simd.sub(one, simd.div(constant(simd, 2.0), simd.add(e, one)));
    let is_small = simd.lt(magnitude, constant(simd, SMALL));
    simd.copysign(simd.select(is_small, small, large), x)
}
