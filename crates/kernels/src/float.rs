//! The two element types, `f32` and `f64`, behind one sealed trait.
//!
//! `f32` is what networks run in and has the SIMD kernels; `f64` runs the portable vector code and exists so that
//! gradients can be checked to 1e-6.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::simd::{Isa, Kernel, enter_f32, enter_f64};

mod sealed {
    use crate::elementwise::PointElement;
    use crate::gemm::GemmElement;
    use crate::norm::NormElement;
    use crate::pool::PoolElement;
    use crate::rnn::RnnElement;
    use crate::softmax::SoftmaxElement;

    /// Keeps [`Float`](super::Float) to the types the kernels were written for, and holds what is compiled once for each.
    #[allow(private_bounds, reason = "no other crate can name this trait")]
    pub trait Sealed:
        GemmElement + RnnElement + NormElement + PoolElement + PointElement + SoftmaxElement
    {
        /// The numbers as `f32`, for kernels of that type alone.
        ///
        /// # Panics
        /// If this is another type.
        fn singles(numbers: &[Self]) -> &[f32];

        /// [`singles`](Self::singles), to be written.
        fn singles_mut(numbers: &mut [Self]) -> &mut [f32];
    }

    impl Sealed for f32 {
        fn singles(numbers: &[f32]) -> &[f32] {
            numbers
        }

        fn singles_mut(numbers: &mut [f32]) -> &mut [f32] {
            numbers
        }
    }

    impl Sealed for f64 {
        fn singles(_: &[f64]) -> &[f32] {
            panic!("a kernel of f32 was given f64")
        }

        fn singles_mut(_: &mut [f64]) -> &mut [f32] {
            panic!("a kernel of f32 was given f64")
        }
    }
}

/// The arithmetic operators of a number.
pub trait Arithmetic:
    Sized
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
{
}

impl Arithmetic for f32 {}
impl Arithmetic for f64 {}

/// An element type of the kernels: `f32` or `f64`.
///
/// The mathematical functions are the standard library's, for one number at a time; the vector forms with stated
/// bounds are in [`math`](crate::math).
pub trait Float:
    sealed::Sealed + Arithmetic + Copy + Default + PartialOrd + Debug + Display + Send + Sync + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The smallest positive normal number.
    const MIN_POSITIVE: Self;
    /// The largest finite number.
    const MAX: Self;
    /// +∞.
    const INFINITY: Self;
    /// −∞.
    const NEG_INFINITY: Self;
    /// A quiet NaN.
    const NAN: Self;
    /// Size of an element in bytes.
    const BYTES: usize;
    /// The type's name, `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// `x` rounded to this type.
    fn from_f64(x: f64) -> Self;
    /// `n` rounded to this type.
    fn from_usize(n: usize) -> Self;
    /// The exact value as `f64`.
    fn to_f64(self) -> f64;
    /// The bit pattern, for comparisons to the bit.
    fn to_bits_u64(self) -> u64;
    /// eˣ.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// Sine of an angle in radians.
    fn sin(self) -> Self;
    /// Cosine of an angle in radians.
    fn cos(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// selfⁿ for an integer n.
    fn powi(self, n: i32) -> Self;
    /// self to the power `y`.
    fn powf(self, y: Self) -> Self;
    /// The nearest integer, ties to even.
    fn round(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// The larger of two numbers; the other one if one is NaN.
    fn max(self, other: Self) -> Self;
    /// The smaller of two numbers; the other one if one is NaN.
    fn min(self, other: Self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Whether this is a NaN.
    fn is_nan(self) -> bool;
    /// 2ⁿ for an integral `self` = n within the exponents of normal numbers; any value outside of them.
    fn exp2_integral(self) -> Self;
    /// `(m, e)` with `self = m · 2ᵉ` and m in [0.5, 1), for a positive normal `self`; any value otherwise.
    fn split_exponent(self) -> (Self, Self);
    /// Runs `kernel` at the level `isa`; `f64` has the portable level alone.
    ///
    /// # Panics
    /// If this machine lacks `isa`.
    fn dispatch_on<K: Kernel<Self>>(isa: Isa, kernel: K) -> K::Output;

    /// Runs `kernel` at the active level, [`Isa::active`].
    #[inline]
    fn dispatch<K: Kernel<Self>>(kernel: K) -> K::Output {
        Self::dispatch_on(Isa::active(), kernel)
    }
}

/// What both types write alike: constants and the standard library's functions.
macro_rules! shared_items {
    ($t:ident; $($function:ident($($argument:ident: $type:ty),*) -> $output:ty),*) => {
        const ZERO: Self = 0.0;
        const ONE: Self = 1.0;
        const EPSILON: Self = $t::EPSILON;
        const MIN_POSITIVE: Self = $t::MIN_POSITIVE;
        const MAX: Self = $t::MAX;
        const INFINITY: Self = $t::INFINITY;
        const NEG_INFINITY: Self = $t::NEG_INFINITY;
        const NAN: Self = $t::NAN;
        const BYTES: usize = size_of::<$t>();
        const NAME: &'static str = stringify!($t);
        $(#[inline(always)]
        fn $function(self $(, $argument: $type)*) -> $output {
            $t::$function(self $(, $argument)*)
        })*
    };
}

impl Float for f32 {
    shared_items!(f32; exp() -> Self, ln() -> Self, tanh() -> Self, sqrt() -> Self, sin() -> Self, cos() -> Self,
        abs() -> Self, powi(n: i32) -> Self, powf(y: Self) -> Self, copysign(sign: Self) -> Self,
        max(other: Self) -> Self, min(other: Self) -> Self, is_finite() -> bool, is_nan() -> bool);

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn from_usize(n: usize) -> Self {
        n as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn to_bits_u64(self) -> u64 {
        u64::from(self.to_bits())
    }

    #[inline(always)]
    fn round(self) -> Self {
        self.round_ties_even()
    }

    #[inline(always)]
    fn exp2_integral(self) -> Self {
        f32::from_bits(((self as i32).wrapping_add(127) as u32) << 23)
    }

    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        let bits = self.to_bits();
        (
            f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000),
            ((bits >> 23) as i32 - 126) as f32,
        )
    }

    #[inline]
    fn dispatch_on<K: Kernel<Self>>(isa: Isa, kernel: K) -> K::Output {
        enter_f32(isa, kernel)
    }
}

impl Float for f64 {
    shared_items!(f64; exp() -> Self, ln() -> Self, tanh() -> Self, sqrt() -> Self, sin() -> Self, cos() -> Self,
        abs() -> Self, powi(n: i32) -> Self, powf(y: Self) -> Self, copysign(sign: Self) -> Self,
        max(other: Self) -> Self, min(other: Self) -> Self, is_finite() -> bool, is_nan() -> bool);

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn from_usize(n: usize) -> Self {
        n as f64
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn to_bits_u64(self) -> u64 {
        self.to_bits()
    }

    #[inline(always)]
    fn round(self) -> Self {
        self.round_ties_even()
    }

    #[inline(always)]
    fn exp2_integral(self) -> Self {
        f64::from_bits(((self as i64).wrapping_add(1023) as u64) << 52)
    }

    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        let bits = self.to_bits();
        (
            f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3fe0_0000_0000_0000),
            ((bits >> 52) as i64 - 1022) as f64,
        )
    }

    #[inline]
    fn dispatch_on<K: Kernel<Self>>(isa: Isa, kernel: K) -> K::Output {
        enter_f64(isa, kernel)
    }
}
