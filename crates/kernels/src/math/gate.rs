//! The non-linearities of recurrent gates: cheaper than [`sigmoid`](super::sigmoid) and [`tanh`](super::tanh), for sums of which
//! there are several a unit and step.
//!
//! What is given up is what a gate has no use for: results below the normal numbers, and the last bits of tanh. For `f64` both
//! are the exact functions.

use super::{constant, exp_in_range, is_double, polynomial, sigmoid, tanh};
use crate::simd::Simd;

/// Up to here e^|x| is a normal `f32`.
const RANGE: f64 = 87.0;

/// From here on tanh is 1 in `f32`, but for a unit in the last place or two.
const SATURATED: f64 = 8.2;

/// tanh(x)/x as a quotient of two polynomials in x² for |x| ≤ 8.2, to 1e-8, fitted by reweighted least squares to the smallest
/// largest relative error.
const NUMERATOR: [f64; 5] = [
    1.0,
    0.134_321_227_669_715_88,
    0.003_556_686_686_351_895_3,
    2.163_728_095_183_614_6e-5,
    1.484_056_699_752_045_5e-8,
];
const DENOMINATOR: [f64; 5] = [
    1.0,
    0.467_654_496_431_350_7,
    0.026_108_300_313_353_54,
    3.386_441_676_411_778e-4,
    8.370_607_815_777_475e-7,
];

/// 1 / (1 + e⁻ˣ) in every lane, within 4 ULP for `f32` where |x| ≤ 87; what lies beyond counts as ±87.
///
/// With a sum so bounded e⁻ˣ is a normal number, and one factor 2ⁿ and one formula do for either sign.
#[inline(always)]
pub(crate) fn gate_sigmoid<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    if is_double::<S>() {
        return sigmoid(simd, x);
    }
    // The order of the arguments lets a NaN through.
    let x = simd.max(
        constant(simd, -RANGE),
        simd.min(constant(simd, RANGE), simd.neg(x)),
    );
    let one = constant(simd, 1.0);
    simd.div(one, simd.add(one, exp_in_range(simd, x)))
}

/// tanh in every lane, within 8 ULP for `f32` and never beyond ±1.
///
/// A quotient needs no exponential and no second formula for small x.
#[inline(always)]
pub(crate) fn gate_tanh<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    if is_double::<S>() {
        return tanh(simd, x);
    }
    let x = simd.max(
        constant(simd, -SATURATED),
        simd.min(constant(simd, SATURATED), x),
    );
    let square = simd.mul(x, x);
    let numerator = simd.mul(x, polynomial(simd, square, NUMERATOR));
    simd.div(numerator, polynomial(simd, square, DENOMINATOR))
}
