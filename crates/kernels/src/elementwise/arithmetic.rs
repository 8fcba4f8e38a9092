//! Sums, differences and products of slices.

use super::map::{self, Binary, Unary};
use crate::float::Float;
use crate::simd::Simd;

/// out = a + b
///
/// # Panics
/// If the lengths differ.
pub fn add<T: Float>(a: &[T], b: &[T], out: &mut [T]) {
    map::zip(Sum, a, b, out);
}

/// values += b
///
/// # Panics
/// If the lengths differ.
pub fn add_assign<T: Float>(values: &mut [T], b: &[T]) {
    map::zip_in_place(Sum, values, b);
}

/// out = a − b
///
/// # Panics
/// If the lengths differ.
pub fn subtract<T: Float>(a: &[T], b: &[T], out: &mut [T]) {
    map::zip(Difference, a, b, out);
}

/// out = a · b, element by element
///
/// # Panics
/// If the lengths differ.
pub fn multiply<T: Float>(a: &[T], b: &[T], out: &mut [T]) {
    map::zip(Product, a, b, out);
}

/// values *= b, element by element
///
/// # Panics
/// If the lengths differ.
pub fn multiply_assign<T: Float>(values: &mut [T], b: &[T]) {
    map::zip_in_place(Product, values, b);
}

/// values *= factor
pub fn scale<T: Float>(factor: T, values: &mut [T]) {
    map::map_in_place(Scale(factor), values);
}

/// y += alpha · x
///
/// # Panics
/// If the lengths differ.
pub fn axpy<T: Float>(alpha: T, x: &[T], y: &mut [T]) {
    map::zip_in_place(Axpy(alpha), y, x);
}

#[derive(Clone, Copy)]
struct Sum;

impl<T: Float> Binary<T> for Sum {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, a: S::Vector, b: S::Vector) -> S::Vector {
        simd.add(a, b)
    }
}

#[derive(Clone, Copy)]
struct Difference;

impl<T: Float> Binary<T> for Difference {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, a: S::Vector, b: S::Vector) -> S::Vector {
        simd.sub(a, b)
    }
}

#[derive(Clone, Copy)]
struct Product;

impl<T: Float> Binary<T> for Product {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, a: S::Vector, b: S::Vector) -> S::Vector {
        simd.mul(a, b)
    }
}

#[derive(Clone, Copy)]
struct Scale<T>(T);

impl<T: Float> Unary<T> for Scale<T> {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, a: S::Vector) -> S::Vector {
        simd.mul(a, simd.splat(self.0))
    }
}

#[derive(Clone, Copy)]
struct Axpy<T>(T);

impl<T: Float> Binary<T> for Axpy<T> {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(self, simd: S, y: S::Vector, x: S::Vector) -> S::Vector {
        simd.mul_add(simd.splat(self.0), x, y)
    }
}
