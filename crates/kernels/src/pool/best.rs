//! The largest of several vectors and, in bytes, which of them it was.

use crate::simd::{MAX_LANES, Simd};

/// A vector of maxima so far, and for each lane the number of the candidate that it came from.
#[derive(Clone, Copy)]
pub(crate) struct Best<S: Simd> {
    pub(crate) value: S::Vector,
    /// Byte i of the whole is lane i's.
    numbers: [u64; 2],
}

impl<S: Simd> Best<S> {
    /// The first candidate and its number.
    #[inline(always)]
    pub(crate) fn first(value: S::Vector, number: u8) -> Self {
        Self {
            value,
            numbers: [EVERY_BYTE * u64::from(number); 2],
        }
    }

    /// The best of candidates 0 to 3: as three challenges, in fewer steps.
    #[inline(always)]
    pub(crate) fn of_four(simd: S, candidates: [S::Vector; 4]) -> Self {
        let mut value = candidates[0];
        let mut taken = [0; 4];
        for i in 1..4 {
            (value, taken[i]) = larger(simd, value, candidates[i]);
        }
        let odd = taken[3] | (taken[1] & !taken[2]);
        let high = taken[3] | taken[2];
        let mut numbers = [0; 2];
        for half in 0..S::LANES.div_ceil(8) {
            numbers[half] = low_bits(odd >> (8 * half)) | low_bits(high >> (8 * half)) << 1;
        }
        Self { value, numbers }
    }

    /// Takes the lanes of a further candidate that are larger, or NaN: of equal ones the first stays, and the last NaN.
    #[inline(always)]
    pub(crate) fn challenge(&mut self, simd: S, value: S::Vector, number: u8) {
        let taken;
        (self.value, taken) = larger(simd, self.value, value);
        for half in 0..S::LANES.div_ceil(8) {
            let lanes = whole_bytes(taken >> (8 * half));
            let number = EVERY_BYTE * u64::from(number);
            self.numbers[half] = (self.numbers[half] & !lanes) | (number & lanes);
        }
    }

    /// Writes the numbers of as many lanes as there are bytes.
    #[inline(always)]
    pub(crate) fn store_numbers(&self, bytes: &mut [u8]) {
        if bytes.len() == 8 {
            bytes.copy_from_slice(&self.numbers[0].to_le_bytes());
            return;
        }
        let mut all = [0; MAX_LANES];
        all[..8].copy_from_slice(&self.numbers[0].to_le_bytes());
        all[8..].copy_from_slice(&self.numbers[1].to_le_bytes());
        bytes.copy_from_slice(&all[..bytes.len()]);
    }
}

/// The larger of two, or the last NaN, and the lanes in which it is the second.
#[inline(always)]
fn larger<S: Simd>(simd: S, first: S::Vector, second: S::Vector) -> (S::Vector, u32) {
    let is_larger = simd.lt(first, second);
    let is_number = simd.eq(second, second);
    let larger = simd.select(is_larger, second, first);
    let taken = simd.mask_bits(is_larger) | !simd.mask_bits(is_number);
    (simd.select(is_number, larger, second), taken)
}

const EVERY_BYTE: u64 = 0x0101_0101_0101_0101;

/// Byte i is 255 where bit i is set, else 0, for the low eight bits.
#[inline(always)]
fn whole_bytes(bits: u32) -> u64 {
    low_bits(bits) * 0xff
}

/// Byte i is bit i, for the low eight bits.
#[inline(always)]
fn low_bits(bits: u32) -> u64 {
    // Bit i alone stays in byte i, adding 127 carries it into the byte's top bit, and the top bits become bytes.
    let own_bit = (u64::from(bits & 0xff) * EVERY_BYTE) & 0x8040_2010_0804_0201;
    ((own_bit + 0x7f * EVERY_BYTE) >> 7) & EVERY_BYTE
}

#[cfg(test)]
mod tests {
    use super::Best;
    use crate::simd::{Isa, Kernel, MAX_LANES, Simd};
    use crate::{AlignedVec, Float};

    #[test]
    fn bits_become_bytes() {
        for bits in 0..256 {
            let bytes = super::whole_bytes(bits).to_le_bytes();
            for (i, byte) in bytes.into_iter().enumerate() {
                assert_eq!(byte, if bits >> i & 1 == 1 { 255 } else { 0 });
            }
        }
    }

    /// Four candidates in every order of smaller, equal, larger and not a number.
    struct EveryFour;

    impl Kernel<f32> for EveryFour {
        type Output = ();

        fn run<S: Simd<Elem = f32>>(self, simd: S) {
            let values = [-1.0, 0.0, 2.0, f32::NAN];
            for first in (0..256).step_by(S::LANES) {
                let mut candidates = [simd.zero(); 4];
                for (place, candidate) in candidates.iter_mut().enumerate() {
                    let mut lanes = AlignedVec::zeroed(MAX_LANES);
                    for (lane, case) in lanes.iter_mut().zip(first..256) {
                        *lane = values[case >> (2 * place) & 3];
                    }
                    *candidate = simd.load(&lanes);
                }
                let mut one_by_one = Best::<S>::first(candidates[0], 0);
                for (number, candidate) in candidates.into_iter().enumerate().skip(1) {
                    one_by_one.challenge(simd, candidate, number as u8);
                }
                let at_once = Best::<S>::of_four(simd, candidates);
                let [found, expected] = [at_once, one_by_one].map(|best| {
                    let (mut value, mut numbers) = ([0.0; MAX_LANES], [0; MAX_LANES]);
                    simd.store(best.value, &mut value);
                    best.store_numbers(&mut numbers[..S::LANES]);
                    (value.map(f32::to_bits), numbers)
                });
                assert_eq!(found, expected, "cases from {first} on");
            }
        }
    }

    #[test]
    fn four_at_once_are_three_challenges() {
        for isa in Isa::available() {
            f32::dispatch_on(isa, EveryFour);
        }
    }
}
