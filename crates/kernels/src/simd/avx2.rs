//! AVX2 with FMA: eight `f32` in a vector, sixteen registers.
//!
//! Intrinsics: Intel Intrinsics Guide. Every `unsafe` block below rests on the token: an [`Avx2`] exists only where
//! [`Avx2::detect`] saw the features.

use std::arch::x86_64::{
    __m256, __m256i, _CMP_EQ_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC,
    _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T0, _mm_add_ps, _mm_add_ss, _mm_cvtsi64_si128,
    _mm_cvtsi128_si64, _mm_cvtss_f32, _mm_loadu_ps, _mm_max_ps, _mm_max_ss, _mm_movehl_ps,
    _mm_packs_epi32, _mm_packus_epi16, _mm_prefetch, _mm_shuffle_ps, _mm256_add_epi32,
    _mm256_add_ps, _mm256_and_ps, _mm256_andnot_ps, _mm256_blendv_ps, _mm256_castps_si256,
    _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmp_ps,
    _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32, _mm256_cvtps_epi32, _mm256_div_ps,
    _mm256_extractf128_ps, _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_max_ps, _mm256_min_ps,
    _mm256_movemask_ps, _mm256_mul_ps, _mm256_or_ps, _mm256_permutevar8x32_ps, _mm256_round_ps,
    _mm256_set_m128, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_shuffle_ps,
    _mm256_slli_epi32, _mm256_sqrt_ps, _mm256_srli_epi32, _mm256_storeu_ps, _mm256_sub_epi32,
    _mm256_sub_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps, _mm256_xor_ps,
};

use super::sealed::Sealed;
use super::{Isa, Kernel, Simd, philox};
use crate::random::{MANY, Random};

const LANES: usize = 8;

/// A window of eight into this table, starting at 8 − n, has its first n entries set.
static FIRST_LANES: [i32; 2 * LANES] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// 2²³: a whole number plus this one has the number in the lowest bits of its mantissa, of which a permutation reads as many as
/// choose a lane.
pub(super) const LOOKUP_BIAS: f32 = 8_388_608.0;

/// Proof that this machine has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token, if this machine has AVX2 and FMA. Cheap: the standard library caches what it found.
    #[inline]
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    /// The mask of the first `count` lanes, as the masked moves want it.
    #[inline(always)]
    fn move_mask(self, count: usize) -> __m256i {
        let start = LANES
            .checked_sub(count)
            .expect("a count of at most the lanes");
        // SAFETY: `start ≤ 8`, so eight entries from there lie in the table of sixteen; the token proves AVX.
        unsafe { _mm256_loadu_si256(FIRST_LANES.as_ptr().add(start).cast()) }
    }
}

impl Sealed for Avx2 {}

/// Stamps an operation that is one expression of intrinsics.
macro_rules! intrinsic {
    ($($name:ident($($argument:ident),+) -> $output:ty => $value:expr;)*) => {
        $(#[inline(always)]
        fn $name(self, $($argument: __m256),+) -> $output {
            // SAFETY: the token proves AVX2 and FMA.
            unsafe { $value }
        })*
    };
}

impl Simd for Avx2 {
    type Elem = f32;
    type Vector = __m256;
    type Mask = __m256;
    const LANES: usize = LANES;
    const REGISTERS: usize = 16;
    const ISA: Isa = Isa::Avx2;

    #[inline(always)]
    fn enter<K: Kernel<f32>>(self, kernel: K) -> K::Output {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { enter(self, kernel) }
    }

    #[inline(always)]
    fn random_words(self, random: Random, index: u64) -> [u32; MANY] {
        // SAFETY: the token proves AVX2.
        unsafe { philox::words(random, index) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: the token proves AVX.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load_ptr(self, source: *const f32) -> __m256 {
        // SAFETY: the caller vouches for eight elements, the token for AVX.
        unsafe { _mm256_loadu_ps(source) }
    }

    #[inline(always)]
    unsafe fn store_ptr(self, v: __m256, target: *mut f32) {
        // SAFETY: the caller vouches for eight elements, the token for AVX.
        unsafe { _mm256_storeu_ps(target, v) }
    }

    #[inline(always)]
    unsafe fn load_ptr_partial(self, source: *const f32, count: usize) -> __m256 {
        // SAFETY: the caller vouches for `count` elements; lanes outside the mask are not read. The token proves AVX.
        unsafe { _mm256_maskload_ps(source, self.move_mask(count)) }
    }

    #[inline(always)]
    unsafe fn store_ptr_partial(self, v: __m256, target: *mut f32, count: usize) {
        // SAFETY: the caller vouches for `count` elements; lanes outside the mask are not written. The token proves AVX.
        unsafe { _mm256_maskstore_ps(target, self.move_mask(count), v) }
    }

    #[inline(always)]
    fn load_bytes(self, source: &[u8]) -> __m256 {
        let mut bytes = [0; LANES];
        match source.first_chunk() {
            Some(whole) => bytes = *whole,
            None => bytes[..source.len()].copy_from_slice(source),
        }
        // SAFETY: the token proves AVX2.
        unsafe {
            let bytes = _mm_cvtsi64_si128(i64::from_le_bytes(bytes));
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))
        }
    }

    #[inline(always)]
    fn store_bytes(self, v: __m256, target: &mut [u8]) {
        // SAFETY: the token proves AVX2.
        let bytes = unsafe {
            let numbers = _mm256_cvtps_epi32(v);
            let (low, high) = (
                _mm256_castsi256_si128(numbers),
                _mm256_extracti128_si256::<1>(numbers),
            );
            let words = _mm_packs_epi32(low, high);
            _mm_cvtsi128_si64(_mm_packus_epi16(words, words)).to_le_bytes()
        };
        match target.first_chunk_mut() {
            Some(whole) => *whole = bytes,
            None => target.copy_from_slice(&bytes[..target.len()]),
        }
    }

    #[inline(always)]
    fn lookup(self, table: __m256, index: __m256, offset: __m256) -> __m256 {
        // SAFETY: the token proves AVX2.
        unsafe {
            let offset = _mm256_add_ps(offset, _mm256_set1_ps(LOOKUP_BIAS));
            let lanes = _mm256_castps_si256(_mm256_add_ps(index, offset));
            _mm256_permutevar8x32_ps(table, lanes)
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
        // SAFETY: the caller vouches for both squares, the token for AVX.
        unsafe {
            transpose_half(source, source_stride, target, target_stride);
            transpose_half(
                source.add(4),
                source_stride,
                target.add(4 * target_stride),
                target_stride,
            );
        }
    }

    intrinsic! {
        add(a, b) -> __m256 => _mm256_add_ps(a, b);
        sub(a, b) -> __m256 => _mm256_sub_ps(a, b);
        mul(a, b) -> __m256 => _mm256_mul_ps(a, b);
        div(a, b) -> __m256 => _mm256_div_ps(a, b);
        mul_add(a, b, c) -> __m256 => _mm256_fmadd_ps(a, b, c);
        neg(a) -> __m256 => _mm256_xor_ps(a, _mm256_set1_ps(-0.0));
        abs(a) -> __m256 => _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
        sqrt(a) -> __m256 => _mm256_sqrt_ps(a);
        round(a) -> __m256 => _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a);
        min(a, b) -> __m256 => _mm256_min_ps(a, b);
        max(a, b) -> __m256 => _mm256_max_ps(a, b);
        lt(a, b) -> __m256 => _mm256_cmp_ps::<_CMP_LT_OQ>(a, b);
        le(a, b) -> __m256 => _mm256_cmp_ps::<_CMP_LE_OQ>(a, b);
        eq(a, b) -> __m256 => _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b);
        select(mask, a, b) -> __m256 => _mm256_blendv_ps(b, a, mask);
        mask_bits(mask) -> u32 => _mm256_movemask_ps(mask) as u32;
    }

    #[inline(always)]
    fn first_lanes(self, count: usize) -> __m256 {
        // SAFETY: the token proves AVX.
        unsafe { _mm256_castsi256_ps(self.move_mask(count)) }
    }

    #[inline(always)]
    fn copysign(self, magnitude: __m256, sign: __m256) -> __m256 {
        // SAFETY: the token proves AVX.
        unsafe {
            let sign_bit = _mm256_set1_ps(-0.0);
            _mm256_or_ps(
                _mm256_andnot_ps(sign_bit, magnitude),
                _mm256_and_ps(sign_bit, sign),
            )
        }
    }

    #[inline(always)]
    fn exp2_integral(self, n: __m256) -> __m256 {
        // SAFETY: the token proves AVX2.
        unsafe {
            let biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
        }
    }

    #[inline(always)]
    fn split_exponent(self, a: __m256) -> (__m256, __m256) {
        // SAFETY: the token proves AVX2.
        unsafe {
            let fraction = _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x007f_ffff)));
            let biased = _mm256_srli_epi32::<23>(_mm256_castps_si256(a));
            let exponent = _mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(126)));
            (_mm256_or_ps(fraction, _mm256_set1_ps(0.5)), exponent)
        }
    }

    #[inline(always)]
    fn reduce_sum(self, a: __m256) -> f32 {
        // SAFETY: the token proves AVX.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }

    #[inline(always)]
    fn reduce_max(self, a: __m256) -> f32 {
        // SAFETY: the token proves AVX.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
}

/// Transposes eight rows of four elements into four rows of eight: a vector holds a piece of row i and one of row i + 4,
/// and the transposition of four by four happens within the halves.
///
/// # Safety
/// The machine has AVX; `source` is valid for reading eight rows of four, `target` for writing four rows of eight.
#[inline(always)]
pub(super) unsafe fn transpose_half(
    source: *const f32,
    source_stride: usize,
    target: *mut f32,
    target_stride: usize,
) {
    // SAFETY: the caller vouches for AVX and for both areas.
    unsafe {
        let mut rows = [_mm256_setzero_ps(); 4];
        for i in 0..4 {
            let low = _mm_loadu_ps(source.add(i * source_stride));
            let high = _mm_loadu_ps(source.add((i + 4) * source_stride));
            rows[i] = _mm256_set_m128(high, low);
        }
        let low_01 = _mm256_unpacklo_ps(rows[0], rows[1]);
        let high_01 = _mm256_unpackhi_ps(rows[0], rows[1]);
        let low_23 = _mm256_unpacklo_ps(rows[2], rows[3]);
        let high_23 = _mm256_unpackhi_ps(rows[2], rows[3]);
        _mm256_storeu_ps(target, _mm256_shuffle_ps::<0x44>(low_01, low_23));
        _mm256_storeu_ps(
            target.add(target_stride),
            _mm256_shuffle_ps::<0xEE>(low_01, low_23),
        );
        _mm256_storeu_ps(
            target.add(2 * target_stride),
            _mm256_shuffle_ps::<0x44>(high_01, high_23),
        );
        _mm256_storeu_ps(
            target.add(3 * target_stride),
            _mm256_shuffle_ps::<0xEE>(high_01, high_23),
        );
    }
}

/// Where a kernel is compiled for AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
fn enter<K: Kernel<f32>>(simd: Avx2, kernel: K) -> K::Output {
    kernel.run(simd)
}
