//! What the register tile asks of an instruction set, for each that can give it.

use crate::simd::{Isa, Scalar, Simd};

#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, __m256i, __m512, __m512bh, __m512i, _mm256_and_si256, _mm256_castsi256_ps,
    _mm256_fmadd_ps, _mm256_loadu_si256, _mm256_set1_epi32, _mm256_slli_epi32, _mm512_dpbf16_ps,
    _mm512_loadu_si512, _mm512_set1_epi32,
};
#[cfg(target_arch = "x86_64")]
use std::mem::transmute;

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
            Self::Avx2 => Avx2::detect().is_some(),
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
            Self::Scalar => body.run(Portable),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                let level = Apart(Avx2::detect().expect(HAS));
                // SAFETY: the token proves AVX2 and FMA.
                unsafe { enter_avx2(level, body) }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Native => {
                let level = Native::detect().expect(HAS);
                // SAFETY: the token proves AVX-512 and its BF16.
                unsafe { enter_native(level, body) }
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Native => panic!("{HAS}"),
        }
    }
}

/// The two numbers of a pair.
#[inline(always)]
fn apart(pair: u32) -> [f32; 2] {
    [
        f32::from_bits(pair << 16),
        f32::from_bits(pair & 0xffff_0000),
    ]
}

/// Portable code: a pair is taken apart.
#[derive(Clone, Copy)]
struct Portable;

/// Lanes of a portable vector.
const PORTABLE_LANES: usize = <Scalar<f32> as Simd>::LANES;

impl Level for Portable {
    type Floats = Scalar<f32>;
    type Pairs = [u32; PORTABLE_LANES];

    #[inline(always)]
    fn floats(self) -> Scalar<f32> {
        Scalar::new()
    }

    #[inline(always)]
    unsafe fn load_pairs(self, source: *const u32) -> [u32; PORTABLE_LANES] {
        // SAFETY: the caller vouches for as many words as there are lanes; an array of words has their alignment.
        unsafe { *source.cast() }
    }

    #[inline(always)]
    fn splat_pair(self, pair: u32) -> [u32; PORTABLE_LANES] {
        [pair; PORTABLE_LANES]
    }

    #[inline(always)]
    fn dot(
        self,
        mut sums: [f32; PORTABLE_LANES],
        a: [u32; PORTABLE_LANES],
        b: [u32; PORTABLE_LANES],
    ) -> [f32; PORTABLE_LANES] {
        for lane in 0..PORTABLE_LANES {
            let ([a_low, a_high], [b_low, b_high]) = (apart(a[lane]), apart(b[lane]));
            sums[lane] = a_high * b_high + (a_low * b_low + sums[lane]);
        }
        sums
    }
}

/// AVX2: a pair is taken apart by a shift and a mask.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Apart(Avx2);

#[cfg(target_arch = "x86_64")]
impl Level for Apart {
    type Floats = Avx2;
    type Pairs = __m256i;

    #[inline(always)]
    fn floats(self) -> Avx2 {
        self.0
    }

    #[inline(always)]
    unsafe fn load_pairs(self, source: *const u32) -> __m256i {
        // SAFETY: the caller vouches for eight words; the token proves AVX.
        unsafe { _mm256_loadu_si256(source.cast()) }
    }

    #[inline(always)]
    fn splat_pair(self, pair: u32) -> __m256i {
        // SAFETY: the token proves AVX.
        unsafe { _mm256_set1_epi32(pair.cast_signed()) }
    }

    #[inline(always)]
    fn dot(self, sums: __m256, a: __m256i, b: __m256i) -> __m256 {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe {
            let high = _mm256_set1_epi32(0xffff_0000_u32.cast_signed());
            let [a_low, b_low] =
                [a, b].map(|pair| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(pair)));
            let [a_high, b_high] =
                [a, b].map(|pair| _mm256_castsi256_ps(_mm256_and_si256(pair, high)));
            _mm256_fmadd_ps(a_high, b_high, _mm256_fmadd_ps(a_low, b_low, sums))
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn enter_avx2<B: Body>(level: Apart, body: B) -> B::Output {
    body.run(level)
}

/// AVX512-BF16: a pair is one operand. Holding one proves that the machine has it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Native(Avx512);

#[cfg(target_arch = "x86_64")]
impl Native {
    fn detect() -> Option<Self> {
        let floats = Avx512::detect()?;
        is_x86_feature_detected!("avx512bf16").then_some(Self(floats))
    }
}

#[cfg(target_arch = "x86_64")]
impl Level for Native {
    type Floats = Avx512;
    type Pairs = __m512i;

    #[inline(always)]
    fn floats(self) -> Avx512 {
        self.0
    }

    #[inline(always)]
    unsafe fn load_pairs(self, source: *const u32) -> __m512i {
        // SAFETY: the caller vouches for sixteen words; the token proves AVX-512 F.
        unsafe { _mm512_loadu_si512(source.cast()) }
    }

    #[inline(always)]
    fn splat_pair(self, pair: u32) -> __m512i {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_set1_epi32(pair.cast_signed()) }
    }

    #[inline(always)]
    fn dot(self, sums: __m512, a: __m512i, b: __m512i) -> __m512 {
        // SAFETY: the token proves AVX512-BF16; a vector of pairs is 64 bytes of any content in both types.
        unsafe {
            let [a, b] = [a, b].map(|pairs| transmute::<__m512i, __m512bh>(pairs));
            _mm512_dpbf16_ps(sums, a, b)
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512bf16")]
fn enter_native<B: Body>(level: Native, body: B) -> B::Output {
    body.run(level)
}
