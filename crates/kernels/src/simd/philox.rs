//! Random words for many elements at once, with AVX2; [`crate::random`] says what they are.
//!
//! A round takes two products of 32 by 32 bits a block, so every word stands in the low half of 64 bits, as a product
//! takes it; what is left in the high half is not looked at. Compilers turn the portable loops into vectors only in part.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_blend_epi32, _mm256_mul_epu32, _mm256_permute2x128_si256,
    _mm256_set_epi64x, _mm256_set1_epi64x, _mm256_slli_epi64, _mm256_srli_epi64,
    _mm256_storeu_si256, _mm256_unpackhi_epi64, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use crate::random::{MANY, MULTIPLIERS, ROUNDS, Random, WEYL};

/// Vectors of four blocks that go through the rounds side by side.
const V: usize = MANY / 16;

/// The words of blocks from `index` on, in order.
///
/// # Safety
/// The machine has AVX2.
#[inline(always)]
pub(super) unsafe fn words(random: Random, index: u64) -> [u32; MANY] {
    let mut words = [0; MANY];
    // SAFETY: the caller vouches for AVX2; each of the V times two stores writes eight of the sixteen words of a chunk.
    unsafe {
        let mut counters = [start(random, index); V];
        for v in 1..V {
            let four = _mm256_set1_epi64x(4);
            let index = _mm256_add_epi64(counters[v - 1][0], four);
            (counters[v][0], counters[v][1]) = (index, _mm256_srli_epi64::<32>(index));
        }
        rounds(random.seed, &mut counters);
        for (counter, words) in counters.into_iter().zip(words.chunks_exact_mut(16)) {
            let [low, high] = in_order(counter);
            _mm256_storeu_si256(words.as_mut_ptr().cast(), low);
            _mm256_storeu_si256(words[8..].as_mut_ptr().cast(), high);
        }
    }
    words
}

/// The counters of four blocks.
///
/// # Safety
/// The machine has AVX2.
#[inline(always)]
unsafe fn start(random: Random, index: u64) -> [__m256i; 4] {
    let at = |i: u64| index.wrapping_add(i).cast_signed();
    // SAFETY: the caller vouches for AVX2.
    unsafe {
        let index = _mm256_set_epi64x(at(3), at(2), at(1), at(0));
        [
            index,
            _mm256_srli_epi64::<32>(index),
            _mm256_set1_epi64x(i64::from(random.step)),
            _mm256_set1_epi64x(i64::from(random.stream)),
        ]
    }
}

/// All rounds under a key.
///
/// # Safety
/// The machine has AVX2.
#[inline(always)]
unsafe fn rounds(key: u64, counters: &mut [[__m256i; 4]; V]) {
    let mut key = [key as u32, (key >> 32) as u32];
    for _ in 0..ROUNDS {
        for counter in counters.iter_mut() {
            let [c0, c1, c2, c3] = *counter;
            // SAFETY: the caller vouches for AVX2.
            *counter = unsafe {
                let p0 = _mm256_mul_epu32(c0, _mm256_set1_epi64x(i64::from(MULTIPLIERS[0])));
                let p1 = _mm256_mul_epu32(c2, _mm256_set1_epi64x(i64::from(MULTIPLIERS[1])));
                let [high_0, high_1] = [_mm256_srli_epi64::<32>(p0), _mm256_srli_epi64::<32>(p1)];
                let c1 = _mm256_xor_si256(c1, _mm256_set1_epi64x(i64::from(key[0])));
                let c3 = _mm256_xor_si256(c3, _mm256_set1_epi64x(i64::from(key[1])));
                [
                    _mm256_xor_si256(high_1, c1),
                    p1,
                    _mm256_xor_si256(high_0, c3),
                    p0,
                ]
            };
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
}

/// Four blocks one after the other, from the low halves of their words.
///
/// # Safety
/// The machine has AVX2.
#[inline(always)]
unsafe fn in_order([c0, c1, c2, c3]: [__m256i; 4]) -> [__m256i; 2] {
    // SAFETY: the caller vouches for AVX2.
    unsafe {
        let first = _mm256_blend_epi32::<0xAA>(c0, _mm256_slli_epi64::<32>(c1));
        let second = _mm256_blend_epi32::<0xAA>(c2, _mm256_slli_epi64::<32>(c3));
        let even = _mm256_unpacklo_epi64(first, second);
        let odd = _mm256_unpackhi_epi64(first, second);
        [
            _mm256_permute2x128_si256::<0x20>(even, odd),
            _mm256_permute2x128_si256::<0x31>(even, odd),
        ]
    }
}
