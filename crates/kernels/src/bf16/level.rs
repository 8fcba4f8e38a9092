//! What the kernels ask of an instruction set beside its `f32` vectors, and the choice among those that can give it.

#[cfg(target_arch = "x86_64")]
use super::avx2::Apart;
#[cfg(target_arch = "x86_64")]
use super::native::Native;
use super::portable::Portable;
use crate::simd::{Isa, Simd};

/// A computation over pairs, written once for every level.
pub(super) trait Body {
    type Output;

    /// The body. Implementations are `#[inline(always)]`.
    fn run<L: Level>(self, level: L) -> Self::Output;
}

/// Vectors of `f32` sums and of pairs of bf16: the first of a pair in the lower half of a lane.
pub(super) trait Level: Copy {
    /// Vectors of `f32`, for everything but pairs.
    type Floats: Simd<Elem = f32>;
    /// As many pairs as `Floats` has lanes.
    type Pairs: Copy;

    /// Its `f32` vectors.
    fn floats(self) -> Self::Floats;

    /// Runs `body` through this level's entry function: a real call, for bodies too large to inline.
    fn enter<B: Body>(self, body: B) -> B::Output;

    /// Rounds two vectors; lane i pairs their lanes i.
    fn pair(
        self,
        low: <Self::Floats as Simd>::Vector,
        high: <Self::Floats as Simd>::Vector,
    ) -> Self::Pairs;

    /// Stores a vector of pairs.
    ///
    /// # Safety
    /// `target` is valid for writing as many words as there are lanes.
    unsafe fn store_pairs(self, pairs: Self::Pairs, target: *mut u32);

    /// Rounds a vector and stores it with neighbouring lanes paired.
    ///
    /// # Safety
    /// `target` is valid for writing half as many words as there are lanes.
    unsafe fn store_rounded(self, v: <Self::Floats as Simd>::Vector, target: *mut u32);

    /// Says that `place` will be read and written soon.
    #[inline(always)]
    fn expect(self, _place: *const f32) {}

    /// Loads a vector of pairs.
    ///
    /// # Safety
    /// `source` is valid for reading as many words as there are lanes.
    unsafe fn load_pairs(self, source: *const u32) -> Self::Pairs;

    /// The same pair in every lane.
    fn splat_pair(self, pair: u32) -> Self::Pairs;

    /// sums + a₀·b₀ + a₁·b₁, lane by lane.
    fn dot(
        self,
        sums: <Self::Floats as Simd>::Vector,
        a: Self::Pairs,
        b: Self::Pairs,
    ) -> <Self::Floats as Simd>::Vector;
}

/// The levels, worst first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bf16Level {
    /// Pairs taken apart, portable code.
    Scalar,
    /// Pairs taken apart, AVX2 and FMA.
    Avx2,
    /// AVX512-BF16.
    Native,
}

impl Bf16Level {
    #[cfg(test)]
    pub(super) const ALL: [Self; 3] = [Self::Scalar, Self::Avx2, Self::Native];

    /// The best level that the active instruction set allows.
    pub(super) fn active() -> Self {
        match Isa::active() {
            Isa::Scalar => Self::Scalar,
            Isa::Avx512 if Self::Native.is_available() => Self::Native,
            Isa::Avx2 | Isa::Avx512 => Self::Avx2,
        }
    }

    pub(super) fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Apart::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Native => Native::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Native => false,
        }
    }

    /// Runs `body` on this level.
    ///
    /// # Panics
    /// If this machine lacks it.
    pub(super) fn run<B: Body>(self, body: B) -> B::Output {
        const HAS: &str = "the level asked for is available";
        match self {
            Self::Scalar => Portable.enter(body),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                let level = Apart::detect().expect(HAS);
                level.enter(body)
            }
            #[cfg(target_arch = "x86_64")]
            Self::Native => {
                let level = Native::detect().expect(HAS);
                level.enter(body)
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Native => panic!("{HAS}"),
        }
    }
}
