//! AVX-512: sixteen `f32` in a vector, thirty-two registers, a mask register for partial vectors.
//!
//! Intrinsics: Intel Intrinsics Guide. Every `unsafe` block below rests on the token: an [`Avx512`] exists only where
//! [`Avx512::detect`] saw the features. The level is that of the first server processors with it (F, DQ, BW, VL).

use std::arch::x86_64::{
    __m512, __mmask16, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC,
    _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T0, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32,
    _mm_maskz_loadu_epi8, _mm_max_ps, _mm_max_ss, _mm_movehl_ps, _mm_prefetch, _mm_shuffle_ps,
    _mm_storeu_si128, _mm256_add_ps, _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_max_ps,
    _mm512_abs_ps, _mm512_add_epi32, _mm512_add_ps, _mm512_and_ps, _mm512_andnot_ps,
    _mm512_castps_si512, _mm512_castps512_ps256, _mm512_castsi512_ps, _mm512_cmp_ps_mask,
    _mm512_cvtepi32_epi8, _mm512_cvtepi32_ps, _mm512_cvtepu8_epi32, _mm512_cvtps_epi32,
    _mm512_div_ps, _mm512_extractf32x8_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_blend_ps,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps,
    _mm512_or_ps, _mm512_permutexvar_ps, _mm512_roundscale_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_slli_epi32, _mm512_sqrt_ps, _mm512_srli_epi32, _mm512_storeu_ps, _mm512_sub_epi32,
    _mm512_sub_ps, _mm512_xor_ps,
};

use super::avx2::{LOOKUP_BIAS, transpose_half};
use super::sealed::Sealed;
use super::{Isa, Kernel, Simd, philox};
use crate::random::{MANY, Random};

const LANES: usize = 16;

/// Proof that this machine has AVX-512 F, DQ, BW and VL.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// The token, if this machine has the features. Cheap: the standard library caches what it found.
    #[inline]
    pub fn detect() -> Option<Self> {
        let has_it = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        has_it.then_some(Self(()))
    }

    /// The mask of the first `count` lanes, for the masked moves.
    #[inline(always)]
    fn move_mask(self, count: usize) -> __mmask16 {
        assert!(count <= LANES, "a count of at most the lanes");
        ((1_u32 << count) - 1) as __mmask16
    }
}

impl Sealed for Avx512 {}

/// Stamps an operation that is one expression of intrinsics.
macro_rules! intrinsic {
    ($($name:ident($($argument:ident),+) -> $output:ty => $value:expr;)*) => {
        $(#[inline(always)]
        fn $name(self, $($argument: __m512),+) -> $output {
            // SAFETY: the token proves AVX-512 F and DQ.
            unsafe { $value }
        })*
    };
}

impl Simd for Avx512 {
    type Elem = f32;
    type Vector = __m512;
    type Mask = __mmask16;
    const LANES: usize = LANES;
    const REGISTERS: usize = 32;
    const ISA: Isa = Isa::Avx512;

    #[inline(always)]
    fn enter<K: Kernel<f32>>(self, kernel: K) -> K::Output {
        // SAFETY: the token proves AVX-512 F, DQ, BW and VL.
        unsafe { enter(self, kernel) }
    }

    #[inline(always)]
    fn random_words(self, random: Random, index: u64) -> [u32; MANY] {
        // SAFETY: the token proves AVX2, which AVX-512 F includes.
        unsafe { philox::words(random, index) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load_ptr(self, source: *const f32) -> __m512 {
        // SAFETY: the caller vouches for sixteen elements, the token for AVX-512 F.
        unsafe { _mm512_loadu_ps(source) }
    }

    #[inline(always)]
    unsafe fn store_ptr(self, v: __m512, target: *mut f32) {
        // SAFETY: the caller vouches for sixteen elements, the token for AVX-512 F.
        unsafe { _mm512_storeu_ps(target, v) }
    }

    #[inline(always)]
    unsafe fn load_ptr_partial(self, source: *const f32, count: usize) -> __m512 {
        // SAFETY: the caller vouches for `count` elements; lanes outside the mask are not read. The token proves
        // AVX-512 F.
        unsafe { _mm512_maskz_loadu_ps(self.move_mask(count), source) }
    }

    #[inline(always)]
    unsafe fn store_ptr_partial(self, v: __m512, target: *mut f32, count: usize) {
        // SAFETY: the caller vouches for `count` elements; lanes outside the mask are not written. The token proves
        // AVX-512 F.
        unsafe { _mm512_mask_storeu_ps(target, self.move_mask(count), v) }
    }

    #[inline(always)]
    fn load_bytes(self, source: &[u8]) -> __m512 {
        let mask = self.move_mask(source.len().min(LANES));
        // SAFETY: the slice has as many bytes as the mask has lanes, and no others are read; the token proves AVX-512 F, BW
        // and VL.
        unsafe {
            let bytes = _mm_maskz_loadu_epi8(mask, source.as_ptr().cast());
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes))
        }
    }

    #[inline(always)]
    fn store_bytes(self, v: __m512, target: &mut [u8]) {
        let mut bytes = [0; LANES];
        // SAFETY: sixteen bytes are stored, and the array has as many; the token proves AVX-512 F.
        unsafe {
            let numbers = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v));
            _mm_storeu_si128(bytes.as_mut_ptr().cast(), numbers);
        }
        match target.first_chunk_mut() {
            Some(whole) => *whole = bytes,
            None => target.copy_from_slice(&bytes[..target.len()]),
        }
    }

    #[inline(always)]
    fn lookup(self, table: __m512, index: __m512, offset: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512 F.
        unsafe {
            // The lowest bits of a whole number plus 2²³ are the number's, and four of them choose a lane.
            let offset = _mm512_add_ps(offset, _mm512_set1_ps(LOOKUP_BIAS));
            let lanes = _mm512_castps_si512(_mm512_add_ps(index, offset));
            _mm512_permutexvar_ps(lanes, table)
        }
    }

    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        // SAFETY: every x86-64 has the instruction, and it faults at no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }

    #[inline(always)]
    unsafe fn transpose_square(
        self,
        source: *const f32,
        source_stride: usize,
        target: *mut f32,
        target_stride: usize,
    ) {
        for i in [0, 8] {
            for j in [0, 4, 8, 12] {
                // SAFETY: the caller vouches for squares of sixteen, in which these pieces lie; AVX-512 implies AVX.
                unsafe {
                    let piece = source.add(i * source_stride + j);
                    transpose_half(
                        piece,
                        source_stride,
                        target.add(j * target_stride + i),
                        target_stride,
                    );
                }
            }
        }
    }

    intrinsic! {
        add(a, b) -> __m512 => _mm512_add_ps(a, b);
        sub(a, b) -> __m512 => _mm512_sub_ps(a, b);
        mul(a, b) -> __m512 => _mm512_mul_ps(a, b);
        div(a, b) -> __m512 => _mm512_div_ps(a, b);
        mul_add(a, b, c) -> __m512 => _mm512_fmadd_ps(a, b, c);
        neg(a) -> __m512 => _mm512_xor_ps(a, _mm512_set1_ps(-0.0));
        abs(a) -> __m512 => _mm512_abs_ps(a);
        sqrt(a) -> __m512 => _mm512_sqrt_ps(a);
        round(a) -> __m512 => _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a);
        min(a, b) -> __m512 => _mm512_min_ps(a, b);
        max(a, b) -> __m512 => _mm512_max_ps(a, b);
        lt(a, b) -> __mmask16 => _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b);
        le(a, b) -> __mmask16 => _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b);
        eq(a, b) -> __mmask16 => _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b);
    }

    #[inline(always)]
    fn select(self, mask: __mmask16, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_mask_blend_ps(mask, b, a) }
    }

    #[inline(always)]
    fn mask_bits(self, mask: __mmask16) -> u32 {
        u32::from(mask)
    }

    #[inline(always)]
    fn first_lanes(self, count: usize) -> __mmask16 {
        self.move_mask(count)
    }

    #[inline(always)]
    fn copysign(self, magnitude: __m512, sign: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512 DQ.
        unsafe {
            let sign_bit = _mm512_set1_ps(-0.0);
            _mm512_or_ps(
                _mm512_andnot_ps(sign_bit, magnitude),
                _mm512_and_ps(sign_bit, sign),
            )
        }
    }

    #[inline(always)]
    fn exp2_integral(self, n: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512 F.
        unsafe {
            let biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
        }
    }

    #[inline(always)]
    fn split_exponent(self, a: __m512) -> (__m512, __m512) {
        // SAFETY: the token proves AVX-512 F and DQ.
        unsafe {
            let fraction = _mm512_and_ps(a, _mm512_castsi512_ps(_mm512_set1_epi32(0x007f_ffff)));
            let biased = _mm512_srli_epi32::<23>(_mm512_castps_si512(a));
            let exponent = _mm512_cvtepi32_ps(_mm512_sub_epi32(biased, _mm512_set1_epi32(126)));
            (_mm512_or_ps(fraction, _mm512_set1_ps(0.5)), exponent)
        }
    }

    #[inline(always)]
    fn reduce_sum(self, a: __m512) -> f32 {
        // SAFETY: the token proves AVX-512 DQ.
        unsafe {
            let eight = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let four = _mm_add_ps(
                _mm256_castps256_ps128(eight),
                _mm256_extractf128_ps::<1>(eight),
            );
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }

    #[inline(always)]
    fn reduce_max(self, a: __m512) -> f32 {
        // SAFETY: the token proves AVX-512 DQ.
        unsafe {
            let eight = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let four = _mm_max_ps(
                _mm256_castps256_ps128(eight),
                _mm256_extractf128_ps::<1>(eight),
            );
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
}

/// Where a kernel is compiled for AVX-512.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl")]
fn enter<K: Kernel<f32>>(simd: Avx512, kernel: K) -> K::Output {
    kernel.run(simd)
}
