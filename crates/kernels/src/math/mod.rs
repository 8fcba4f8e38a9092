//! Exponential, logarithm, hyperbolic tangent, sigmoid and error function on vectors.
//!
//! For `f32` each is a range reduction and a polynomial, made for this crate by interpolation in the Chebyshev nodes
//! (mpmath's `chebyfit`) over the reduced range; the bounds in the functions' documentation are checked over a sample of
//! all bit patterns, and over all of them by the ignored exhaustive test. For `f64` each lane goes through the standard
//! library, and the error function through Cody's rational approximations.
//!
//! Bounds are in ULP: units in the last place of the exact result rounded to `f32`.

mod erf;
mod exp;
mod gate;
mod ln;
mod tanh;
#[cfg(test)]
mod tests;

pub use erf::{erf, erf_f64};
use exp::exp_in_range;
pub use exp::{exp, sigmoid};
pub(crate) use gate::{gate_sigmoid, gate_tanh};
pub use ln::ln;
pub use tanh::tanh;

use crate::float::Float;
use crate::simd::Simd;

/// Whether the elements are `f64`, which the polynomials are not made for.
const fn is_double<S: Simd>() -> bool {
    S::Elem::BYTES == 8
}

/// `x` rounded to the element type, in every lane.
#[inline(always)]
pub(crate) fn constant<S: Simd>(simd: S, x: f64) -> S::Vector {
    simd.splat(S::Elem::from_f64(x))
}

/// c₀ + c₁x + c₂x² + …, by Horner's rule.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: S::Vector, coefficients: [f64; N]) -> S::Vector {
    let mut sum = constant(simd, coefficients[N - 1]);
    for i in (0..N - 1).rev() {
        sum = simd.mul_add(sum, x, constant(simd, coefficients[i]));
    }
    sum
}

/// ln 2 in two parts: a multiple of 2⁻⁹, whose product with an exponent is exact in `f32`, and the rest
/// (Cody and Waite, *Software Manual for the Elementary Functions*, 1980).
const LN_2_HIGH: f64 = 0.693359375;
const LN_2_LOW: f64 = -2.121_944_400_546_905_8e-4;
