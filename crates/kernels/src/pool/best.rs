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

    /// Takes the lanes of a further candidate that are larger, or NaN: of equal ones the first stays, and the last NaN.
    #[inline(always)]
    pub(crate) fn challenge(&mut self, simd: S, value: S::Vector, number: u8) {
        let is_larger = simd.lt(self.value, value);
        let is_number = simd.eq(value, value);
        let larger = simd.select(is_larger, value, self.value);
        self.value = simd.select(is_number, larger, value);
        let taken = simd.mask_bits(is_larger) | !simd.mask_bits(is_number);
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

const EVERY_BYTE: u64 = 0x0101_0101_0101_0101;

/// Byte i is 255 where bit i is set, else 0, for the low eight bits.
#[inline(always)]
fn whole_bytes(bits: u32) -> u64 {
    // Bit i alone stays in byte i, adding 127 carries it into the byte's top bit, and the top bits become bytes.
    let own_bit = (u64::from(bits & 0xff) * EVERY_BYTE) & 0x8040_2010_0804_0201;
    (((own_bit + 0x7f * EVERY_BYTE) >> 7) & EVERY_BYTE) * 0xff
}

#[cfg(test)]
mod tests {
    #[test]
    fn bits_become_bytes() {
        for bits in 0..256 {
            let bytes = super::whole_bytes(bits).to_le_bytes();
            for (i, byte) in bytes.into_iter().enumerate() {
                assert_eq!(byte, if bits >> i & 1 == 1 { 255 } else { 0 });
            }
        }
    }
}
