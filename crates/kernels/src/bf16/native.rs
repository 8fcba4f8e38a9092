//! Pairs with AVX512-BF16: one operand each.

use super::level::{Body, Level};
use crate::simd::Avx512;
use std::arch::x86_64::{
    __m256bh, __m256i, __m512, __m512bh, __m512i, _MM_HINT_T0, _mm_prefetch, _mm256_storeu_si256,
    _mm512_cvtne2ps_pbh, _mm512_cvtneps_pbh, _mm512_dpbf16_ps, _mm512_loadu_si512,
    _mm512_permutexvar_epi16, _mm512_set1_epi32, _mm512_storeu_si512,
};
use std::mem::transmute;

/// AVX512-BF16. Holding one proves that the machine has it.
#[derive(Clone, Copy)]
pub(super) struct Native(Avx512);

/// Which of thirty-two numbers, sixteen and sixteen, pair up: the i-th of the first with the i-th of the others.
const BY_LANES: [u16; 32] = {
    let mut order = [0; 32];
    let mut lane = 0;
    while lane < 16 {
        order[2 * lane as usize] = lane;
        order[2 * lane as usize + 1] = 16 + lane;
        lane += 1;
    }
    order
};

impl Native {
    pub(super) fn detect() -> Option<Self> {
        let floats = Avx512::detect()?;
        is_x86_feature_detected!("avx512bf16").then_some(Self(floats))
    }
}

impl Level for Native {
    type Floats = Avx512;
    type Pairs = __m512i;

    #[inline(always)]
    fn floats(self) -> Avx512 {
        self.0
    }

    #[inline(always)]
    fn enter<B: Body>(self, body: B) -> B::Output {
        // SAFETY: the token proves AVX-512 and its BF16.
        unsafe { enter(self, body) }
    }

    #[inline(always)]
    fn pair(self, low: __m512, high: __m512) -> __m512i {
        // SAFETY: the token proves AVX512-BF16 and AVX-512 BW; vectors are 64 bytes of any content in all types.
        unsafe {
            let both = transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low));
            _mm512_permutexvar_epi16(transmute::<[u16; 32], __m512i>(BY_LANES), both)
        }
    }

    #[inline(always)]
    unsafe fn store_pairs(self, pairs: __m512i, target: *mut u32) {
        // SAFETY: the caller vouches for sixteen words; the token proves AVX-512 F.
        unsafe { _mm512_storeu_si512(target.cast(), pairs) }
    }

    #[inline(always)]
    unsafe fn store_rounded(self, v: __m512, target: *mut u32) {
        // SAFETY: the caller vouches for eight words; the token proves AVX512-BF16; both types are 32 bytes of any content.
        unsafe {
            let rounded = transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(v));
            _mm256_storeu_si256(target.cast(), rounded);
        }
    }

    #[inline(always)]
    fn expect(self, place: *const f32) {
        // SAFETY: a hint, whatever the place; the token proves SSE.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) }
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

/// Where a body is compiled for this level.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512bf16")]
fn enter<B: Body>(level: Native, body: B) -> B::Output {
    body.run(level)
}
