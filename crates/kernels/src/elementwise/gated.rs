//! GELU and SiLU: x times a gate of x. Their derivatives need x itself, so they are operations of their own and save
//! their input.
//!
//! Hendrycks and Gimpel, *Gaussian error linear units*, 2016 (the exact form with erf); Elfwing, Uchibe and Doya,
//! *Sigmoid-weighted linear units*, 2018.

use std::f64::consts::FRAC_1_SQRT_2;

use super::map::{Binary, Map, Unary, Zip};
use crate::float::Float;
use crate::math::{self, constant};
use crate::simd::{Isa, Simd};

/// 1/√(2π), the height of the standard normal density.
const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// y = x Φ(x), with Φ the standard normal distribution function.
///
/// # Panics
/// If the lengths differ.
pub fn gelu_forward<T: Float>(x: &[T], y: &mut [T]) {
    T::gelu(Isa::active(), Map::new(Gelu, x, y));
}

/// dx = dy (Φ(x) + x φ(x)), with φ the standard normal density.
///
/// # Panics
/// If the lengths differ.
pub fn gelu_backward<T: Float>(x: &[T], dy: &[T], dx: &mut [T]) {
    T::gelu_gradient(Isa::active(), Zip::new(Gelu, [x, dy], dx));
}

/// y = x σ(x)
///
/// # Panics
/// If the lengths differ.
pub fn silu_forward<T: Float>(x: &[T], y: &mut [T]) {
    T::silu(Isa::active(), Map::new(Silu, x, y));
}

/// dx = dy σ(x) (1 + x (1 − σ(x)))
///
/// # Panics
/// If the lengths differ.
pub fn silu_backward<T: Float>(x: &[T], dy: &[T], dx: &mut [T]) {
    T::silu_gradient(Isa::active(), Zip::new(Silu, [x, dy], dx));
}

#[derive(Clone, Copy)]
pub(crate) struct Gelu;

/// Φ(x) = (1 + erf(x/√2)) / 2
#[inline(always)]
fn normal_distribution<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let erf = math::erf(simd, simd.mul(x, constant(simd, FRAC_1_SQRT_2)));
    let half = constant(simd, 0.5);
    simd.mul_add(half, erf, half)
}

impl<T: Float> Unary<T> for Gelu {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, x: S::Vector) -> S::Vector {
        simd.mul(x, normal_distribution(simd, x))
    }
}

impl<T: Float> Binary<T> for Gelu {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, x: S::Vector, dy: S::Vector) -> S::Vector {
        let exponent = simd.mul(simd.mul(x, x), constant(simd, -0.5));
        let density = simd.mul(math::exp(simd, exponent), constant(simd, FRAC_1_SQRT_2PI));
        let slope = simd.mul_add(x, density, normal_distribution(simd, x));
        simd.mul(dy, slope)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Silu;

impl<T: Float> Unary<T> for Silu {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, x: S::Vector) -> S::Vector {
        simd.mul(x, math::sigmoid(simd, x))
    }
}

impl<T: Float> Binary<T> for Silu {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, x: S::Vector, dy: S::Vector) -> S::Vector {
        let one = constant(simd, 1.0);
        let gate = math::sigmoid(simd, x);
        let slope = simd.mul(gate, simd.mul_add(x, simd.sub(one, gate), one));
        simd.mul(dy, slope)
    }
}
