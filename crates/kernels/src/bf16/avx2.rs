//! Pairs with AVX2: rounded in integers, taken apart by a shift and a mask.

use super::level::{Body, Level};
use crate::simd::Avx2;
use std::arch::x86_64::{
    __m256, __m256i, _CMP_UNORD_Q, _mm_storeu_si128, _mm256_add_epi32, _mm256_and_si256,
    _mm256_blendv_epi8, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_castsi256_si128,
    _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_loadu_si256, _mm256_or_si256, _mm256_packus_epi32,
    _mm256_permute4x64_epi64, _mm256_set1_epi32, _mm256_slli_epi32, _mm256_srli_epi32,
    _mm256_storeu_si256,
};

/// AVX2 without instructions of its own for bf16.
#[derive(Clone, Copy)]
pub(super) struct Apart(Avx2);

impl Apart {
    pub(super) fn detect() -> Option<Self> {
        Avx2::detect().map(Self)
    }

    /// Each lane rounded, in its lower half.
    #[inline(always)]
    fn rounded(self, v: __m256) -> __m256i {
        // SAFETY: the token proves AVX2.
        unsafe {
            let bits = _mm256_castps_si256(v);
            let upper = _mm256_srli_epi32::<16>(bits);
            let odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
            let bias = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
            let nearest = _mm256_srli_epi32::<16>(_mm256_add_epi32(bits, bias));
            let quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
            let is_nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(v, v));
            _mm256_blendv_epi8(nearest, quiet, is_nan)
        }
    }
}

impl Level for Apart {
    type Floats = Avx2;
    type Pairs = __m256i;

    #[inline(always)]
    fn floats(self) -> Avx2 {
        self.0
    }

    #[inline(always)]
    fn enter<B: Body>(self, body: B) -> B::Output {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { enter(self, body) }
    }

    #[inline(always)]
    fn pair(self, low: __m256, high: __m256) -> __m256i {
        let (low, high) = (self.rounded(low), self.rounded(high));
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_or_si256(low, _mm256_slli_epi32::<16>(high)) }
    }

    #[inline(always)]
    unsafe fn store_pairs(self, pairs: __m256i, target: *mut u32) {
        // SAFETY: the caller vouches for eight words; the token proves AVX.
        unsafe { _mm256_storeu_si256(target.cast(), pairs) }
    }

    #[inline(always)]
    unsafe fn store_rounded(self, v: __m256, target: *mut u32) {
        let rounded = self.rounded(v);
        // SAFETY: the caller vouches for four words; the token proves AVX2.
        unsafe {
            let packed = _mm256_packus_epi32(rounded, rounded);
            let packed = _mm256_permute4x64_epi64::<0b1000>(packed);
            _mm_storeu_si128(target.cast(), _mm256_castsi256_si128(packed));
        }
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

/// Where a body is compiled for this level.
#[target_feature(enable = "avx2,fma")]
fn enter<B: Body>(level: Apart, body: B) -> B::Output {
    body.run(level)
}
