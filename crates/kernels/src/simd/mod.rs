//! Vectors of `f32` and `f64` behind tokens that prove what the processor can do.
//!
//! A kernel is a struct holding its arguments that implements [`Kernel`]; its `run` is generic over the token type
//! [`Simd`] and marked `#[inline(always)]`. `T::dispatch(kernel)` calls the entry function of the active level, which
//! alone carries `#[target_feature]`, and the whole body is inlined into it and compiled for that level:
//!
//! ```
//! use plywood_kernels::{Float, Kernel, Simd};
//!
//! struct Double<'a, T>(&'a mut [T]);
//!
//! impl<T: Float> Kernel<T> for Double<'_, T> {
//!     type Output = ();
//!
//!     #[inline(always)]
//!     fn run<S: Simd<Elem = T>>(self, simd: S) {
//!         for chunk in self.0.chunks_mut(S::LANES) {
//!             let x = simd.load_partial(chunk);
//!             simd.store_partial(simd.add(x, x), chunk);
//!         }
//!     }
//! }
//!
//! let mut values = [1.0_f32; 11];
//! f32::dispatch(Double(&mut values));
//! assert_eq!(values, [2.0; 11]);
//! ```
//!
//! Every function between the entry and the arithmetic has to be `#[inline(always)]`; closures are avoided, since they
//! cannot be. A body too large to inline twice goes through [`Simd::enter`], which is one call.

mod isa;
mod scalar;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod philox;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use isa::Isa;
#[cfg(test)]
pub(crate) use isa::on_every_level;
pub(crate) use isa::{enter_f32, enter_f64};
pub use scalar::Scalar;

use crate::float::Float;
use crate::random::{MANY, Random};

/// The most lanes any level has for any type.
pub const MAX_LANES: usize = 16;

mod sealed {
    /// Keeps [`Simd`](super::Simd) to the tokens of this module, whose existence proves the instruction set.
    pub trait Sealed {}
}

/// A computation over elements of type `T`, written once for every instruction set.
pub trait Kernel<T: Float> {
    /// What the computation gives back.
    type Output;

    /// The body. Implementations are `#[inline(always)]`.
    fn run<S: Simd<Elem = T>>(self, simd: S) -> Self::Output;
}

/// A token for one instruction set and the vector operations it proves available.
///
/// All levels agree on every operation but [`mul_add`](Simd::mul_add), which is rounded once where the hardware can
/// and twice in [`Scalar`]; results of different levels therefore agree within tolerance, not to the bit.
pub trait Simd: sealed::Sealed + Copy + Send + Sync + std::fmt::Debug + 'static {
    /// Type of an element.
    type Elem: Float;
    /// `LANES` elements.
    type Vector: Copy;
    /// One truth value a lane.
    type Mask: Copy;
    /// Elements in a vector, a power of two.
    const LANES: usize;
    /// Vector registers a kernel may count on.
    const REGISTERS: usize;
    /// The level this token stands for.
    const ISA: Isa;

    /// Runs a kernel through this level's entry function: a real call, for bodies too large to inline.
    fn enter<K: Kernel<Self::Elem>>(self, kernel: K) -> K::Output;

    /// `x` in every lane.
    fn splat(self, x: Self::Elem) -> Self::Vector;

    /// Loads `LANES` elements.
    ///
    /// # Safety
    /// `source` is valid for reading `LANES` elements; it need not be aligned to the vector.
    unsafe fn load_ptr(self, source: *const Self::Elem) -> Self::Vector;

    /// Stores `LANES` elements.
    ///
    /// # Safety
    /// `target` is valid for writing `LANES` elements; it need not be aligned to the vector.
    unsafe fn store_ptr(self, v: Self::Vector, target: *mut Self::Elem);

    /// Loads the first `count` lanes and sets the others to 0; memory past them is not touched.
    ///
    /// # Safety
    /// `count ≤ LANES` and `source` is valid for reading `count` elements.
    unsafe fn load_ptr_partial(self, source: *const Self::Elem, count: usize) -> Self::Vector;

    /// Stores the first `count` lanes; memory past them is not touched.
    ///
    /// # Safety
    /// `count ≤ LANES` and `target` is valid for writing `count` elements.
    unsafe fn store_ptr_partial(self, v: Self::Vector, target: *mut Self::Elem, count: usize);

    /// The first `min(len, LANES)` bytes as numbers; other lanes are 0.
    #[inline(always)]
    fn load_bytes(self, source: &[u8]) -> Self::Vector {
        let mut lanes = [Self::Elem::ZERO; MAX_LANES];
        for (lane, byte) in lanes[..Self::LANES].iter_mut().zip(source) {
            *lane = Self::Elem::from_f64(f64::from(*byte));
        }
        self.load(&lanes)
    }

    /// Writes lanes that are whole numbers from 0 to 255 as bytes, the first `min(len, LANES)` of them.
    #[inline(always)]
    fn store_bytes(self, v: Self::Vector, target: &mut [u8]) {
        let mut lanes = [Self::Elem::ZERO; MAX_LANES];
        self.store(v, &mut lanes);
        for (byte, lane) in target.iter_mut().zip(&lanes[..Self::LANES]) {
            *byte = lane.to_f64() as u8;
        }
    }

    /// Lane i is lane `index_i + offset_i` of the table. Both are whole numbers, their sum is not negative, and from LANES on
    /// it begins again at 0.
    #[inline(always)]
    fn lookup(
        self,
        table: Self::Vector,
        index: Self::Vector,
        offset: Self::Vector,
    ) -> Self::Vector {
        let (mut from, mut lanes) = ([Self::Elem::ZERO; MAX_LANES], [Self::Elem::ZERO; MAX_LANES]);
        self.store(table, &mut from);
        self.store(self.add(index, offset), &mut lanes);
        for lane in &mut lanes[..Self::LANES] {
            *lane = from[lane.to_f64() as usize % Self::LANES];
        }
        self.load(&lanes)
    }

    /// Asks for the cache line of an address, which need not be valid; does nothing where the hardware takes no hints.
    #[inline(always)]
    fn prefetch(self, _address: *const Self::Elem) {}

    /// Transposes a square of LANES × LANES elements: rows `source_stride` apart become columns of rows `target_stride`
    /// apart.
    ///
    /// # Safety
    /// `source` is valid for reading LANES rows of LANES elements and `target` for writing as many; they do not overlap.
    #[inline(always)]
    unsafe fn transpose_square(
        self,
        source: *const Self::Elem,
        source_stride: usize,
        target: *mut Self::Elem,
        target_stride: usize,
    ) {
        for i in 0..Self::LANES {
            for j in 0..Self::LANES {
                // SAFETY: i, j < LANES, within both squares as the caller vouches.
                unsafe { *target.add(j * target_stride + i) = *source.add(i * source_stride + j) };
            }
        }
    }

    /// a + b
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a − b
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a · b
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a / b
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a · b + c, rounded once on AVX2 and AVX-512, twice in [`Scalar`].
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// −a
    fn neg(self, a: Self::Vector) -> Self::Vector;
    /// |a|
    fn abs(self, a: Self::Vector) -> Self::Vector;
    /// √a, correctly rounded.
    fn sqrt(self, a: Self::Vector) -> Self::Vector;
    /// The nearest integer, ties to even.
    fn round(self, a: Self::Vector) -> Self::Vector;
    /// `if a < b { a } else { b }`, so `b` if either is NaN.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `if a > b { a } else { b }`, so `b` if either is NaN.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The magnitude of the first with the sign of the second.
    fn copysign(self, magnitude: Self::Vector, sign: Self::Vector) -> Self::Vector;
    /// a < b; false where either is NaN.
    fn lt(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// a ≤ b; false where either is NaN.
    fn le(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// a = b; false where either is NaN.
    fn eq(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// True in the first `count` lanes.
    ///
    /// # Panics
    /// If `count > LANES`.
    fn first_lanes(self, count: usize) -> Self::Mask;
    /// Lanes of `a` where the mask holds, of `b` elsewhere.
    fn select(self, mask: Self::Mask, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The mask as an integer: bit i is lane i.
    fn mask_bits(self, mask: Self::Mask) -> u32;
    /// 2ⁿ for integral lanes n within the exponents of normal numbers; any value outside of them.
    fn exp2_integral(self, n: Self::Vector) -> Self::Vector;
    /// `(m, e)` with `a = m · 2ᵉ` and m in [0.5, 1), for positive normal lanes; any value elsewhere.
    fn split_exponent(self, a: Self::Vector) -> (Self::Vector, Self::Vector);
    /// The sum of the lanes, in halves: lane i + lane i + LANES/2 first, then the same of what is left.
    fn reduce_sum(self, a: Self::Vector) -> Self::Elem;
    /// The largest lane, in the order of [`reduce_sum`](Simd::reduce_sum) with [`max`](Simd::max).
    fn reduce_max(self, a: Self::Vector) -> Self::Elem;

    /// The words of a [`Random`] from block `index` on, in order: the same on every level.
    #[inline(always)]
    fn random_words(self, random: Random, index: u64) -> [u32; MANY] {
        random.words(index)
    }

    /// 0 in every lane.
    #[inline(always)]
    fn zero(self) -> Self::Vector {
        self.splat(Self::Elem::ZERO)
    }

    /// Loads the first `LANES` elements of a slice.
    ///
    /// # Panics
    /// If the slice is shorter.
    #[inline(always)]
    fn load(self, source: &[Self::Elem]) -> Self::Vector {
        assert!(
            source.len() >= Self::LANES,
            "load: a slice shorter than a vector"
        );
        // SAFETY: the slice holds at least LANES elements, as just asserted.
        unsafe { self.load_ptr(source.as_ptr()) }
    }

    /// Stores to the first `LANES` elements of a slice.
    ///
    /// # Panics
    /// If the slice is shorter.
    #[inline(always)]
    fn store(self, v: Self::Vector, target: &mut [Self::Elem]) {
        assert!(
            target.len() >= Self::LANES,
            "store: a slice shorter than a vector"
        );
        // SAFETY: the slice holds at least LANES elements, as just asserted.
        unsafe { self.store_ptr(v, target.as_mut_ptr()) }
    }

    /// Loads the first `min(len, LANES)` elements of a slice; other lanes are 0.
    #[inline(always)]
    fn load_partial(self, source: &[Self::Elem]) -> Self::Vector {
        if source.len() >= Self::LANES {
            self.load(source)
        } else {
            // SAFETY: the count is the slice's length and below LANES.
            unsafe { self.load_ptr_partial(source.as_ptr(), source.len()) }
        }
    }

    /// Stores to the first `min(len, LANES)` elements of a slice.
    #[inline(always)]
    fn store_partial(self, v: Self::Vector, target: &mut [Self::Elem]) {
        if target.len() >= Self::LANES {
            self.store(v, target);
        } else {
            // SAFETY: the count is the slice's length and below LANES.
            unsafe { self.store_ptr_partial(v, target.as_mut_ptr(), target.len()) }
        }
    }

    /// Loads the first `min(len, LANES)` elements of a slice; other lanes are `fill`.
    #[inline(always)]
    fn load_partial_or(self, source: &[Self::Elem], fill: Self::Elem) -> Self::Vector {
        if source.len() >= Self::LANES {
            return self.load(source);
        }
        let mask = self.first_lanes(source.len());
        self.select(mask, self.load_partial(source), self.splat(fill))
    }

    /// Lane 0.
    #[inline(always)]
    fn first(self, a: Self::Vector) -> Self::Elem {
        let mut lanes = [Self::Elem::ZERO; MAX_LANES];
        self.store(a, &mut lanes);
        lanes[0]
    }

    /// Applies a function lane by lane, for what has no vector form.
    #[inline(always)]
    fn map_lanes(self, a: Self::Vector, function: fn(Self::Elem) -> Self::Elem) -> Self::Vector {
        let mut lanes = [Self::Elem::ZERO; MAX_LANES];
        self.store(a, &mut lanes);
        for lane in &mut lanes[..Self::LANES] {
            *lane = function(*lane);
        }
        self.load(&lanes)
    }
}
