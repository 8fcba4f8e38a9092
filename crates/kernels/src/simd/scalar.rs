//! The portable level: four lanes in an array, for `f32` and `f64`, on every architecture.
//!
//! Plain loops over four elements, which compilers turn into whatever vectors the target has. A fused multiply-add
//! without the instruction for it is a library call, so [`mul_add`](Simd::mul_add) multiplies, rounds and adds here.

use std::marker::PhantomData;

use super::sealed::Sealed;
use super::{Isa, Kernel, Simd};
use crate::float::Float;

const LANES: usize = 4;

/// The token of the portable level for elements of type `T`; always to be had.
#[derive(Clone, Copy, Debug)]
pub struct Scalar<T>(PhantomData<T>);

impl<T> Scalar<T> {
    /// The token. It proves nothing, since nothing is needed.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for Scalar<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Sealed for Scalar<T> {}

/// Stamps an operation that treats each lane alone.
macro_rules! lanewise {
    ($($name:ident($($argument:ident),+) => $value:expr;)*) => {
        $(#[inline(always)]
        fn $name(self, $($argument: Self::Vector),+) -> Self::Vector {
            let mut out = [T::ZERO; LANES];
            for i in 0..LANES {
                $(let $argument = $argument[i];)+
                out[i] = $value;
            }
            out
        })*
    };
}

/// Stamps a comparison of two vectors.
macro_rules! comparison {
    ($($name:ident $operator:tt;)*) => {
        $(#[inline(always)]
        fn $name(self, a: Self::Vector, b: Self::Vector) -> Self::Mask {
            let mut out = [false; LANES];
            for i in 0..LANES {
                out[i] = a[i] $operator b[i];
            }
            out
        })*
    };
}

impl<T: Float> Simd for Scalar<T> {
    type Elem = T;
    type Vector = [T; LANES];
    type Mask = [bool; LANES];
    const LANES: usize = LANES;
    const REGISTERS: usize = 16;
    const ISA: Isa = Isa::Scalar;

    #[inline(always)]
    fn enter<K: Kernel<T>>(self, kernel: K) -> K::Output {
        enter(self, kernel)
    }

    #[inline(always)]
    fn splat(self, x: T) -> Self::Vector {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load_ptr(self, source: *const T) -> Self::Vector {
        // SAFETY: the caller vouches for LANES elements; an array of `T` needs the alignment of `T` alone.
        unsafe { source.cast::<[T; LANES]>().read() }
    }

    #[inline(always)]
    unsafe fn store_ptr(self, v: Self::Vector, target: *mut T) {
        // SAFETY: the caller vouches for LANES elements; an array of `T` needs the alignment of `T` alone.
        unsafe { target.cast::<[T; LANES]>().write(v) }
    }

    #[inline(always)]
    unsafe fn load_ptr_partial(self, source: *const T, count: usize) -> Self::Vector {
        debug_assert!(count <= LANES);
        let mut out = [T::ZERO; LANES];
        for i in 0..count.min(LANES) {
            // SAFETY: the caller vouches for `count` elements and `i < count`.
            out[i] = unsafe { *source.add(i) };
        }
        out
    }

    #[inline(always)]
    unsafe fn store_ptr_partial(self, v: Self::Vector, target: *mut T, count: usize) {
        debug_assert!(count <= LANES);
        for i in 0..count.min(LANES) {
            // SAFETY: the caller vouches for `count` elements and `i < count`.
            unsafe { *target.add(i) = v[i] }
        }
    }

    lanewise! {
        add(a, b) => a + b;
        sub(a, b) => a - b;
        mul(a, b) => a * b;
        div(a, b) => a / b;
        mul_add(a, b, c) => a * b + c;
        neg(a) => -a;
        abs(a) => a.abs();
        sqrt(a) => a.sqrt();
        round(a) => a.round();
        min(a, b) => if a < b { a } else { b };
        max(a, b) => if a > b { a } else { b };
        copysign(magnitude, sign) => magnitude.copysign(sign);
        exp2_integral(n) => n.exp2_integral();
    }

    comparison! {
        lt <;
        le <=;
        eq ==;
    }

    #[inline(always)]
    fn first_lanes(self, count: usize) -> Self::Mask {
        assert!(count <= LANES, "a count of at most the lanes");
        let mut mask = [false; LANES];
        for i in 0..LANES {
            mask[i] = i < count;
        }
        mask
    }

    #[inline(always)]
    fn select(self, mask: Self::Mask, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        let mut out = b;
        for i in 0..LANES {
            if mask[i] {
                out[i] = a[i];
            }
        }
        out
    }

    #[inline(always)]
    fn mask_bits(self, mask: Self::Mask) -> u32 {
        let mut bits = 0;
        for i in 0..LANES {
            bits |= u32::from(mask[i]) << i;
        }
        bits
    }

    #[inline(always)]
    fn split_exponent(self, a: Self::Vector) -> (Self::Vector, Self::Vector) {
        let (mut mantissa, mut exponent) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        for i in 0..LANES {
            (mantissa[i], exponent[i]) = a[i].split_exponent();
        }
        (mantissa, exponent)
    }

    #[inline(always)]
    fn reduce_sum(self, a: Self::Vector) -> T {
        (a[0] + a[2]) + (a[1] + a[3])
    }

    #[inline(always)]
    fn reduce_max(self, a: Self::Vector) -> T {
        let halves = self.max(a, [a[2], a[3], a[0], a[1]]);
        self.max(halves, [halves[1]; LANES])[0]
    }
}

/// Where a kernel is compiled for the portable level.
fn enter<T: Float, K: Kernel<T>>(simd: Scalar<T>, kernel: K) -> K::Output {
    kernel.run(simd)
}
