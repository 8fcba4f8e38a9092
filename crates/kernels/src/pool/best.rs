//! The largest of several vectors, and which of them it was.

use crate::float::Float as _;
use crate::simd::Simd;

/// A vector of maxima so far, and for each lane the number of the candidate that it came from.
#[derive(Clone, Copy)]
pub(crate) struct Best<S: Simd> {
    pub(crate) value: S::Vector,
    number: S::Vector,
}

impl<S: Simd> Best<S> {
    /// The first candidate and its number.
    #[inline(always)]
    pub(crate) fn first(simd: S, value: S::Vector, number: u8) -> Self {
        Self {
            value,
            number: simd.splat(S::Elem::from_f64(f64::from(number))),
        }
    }

    /// The best of candidates 0 to 3.
    #[inline(always)]
    pub(crate) fn of_four(simd: S, candidates: [S::Vector; 4]) -> Self {
        let mut best = Self::first(simd, candidates[0], 0);
        for i in 1..4 {
            best.challenge(simd, candidates[i], i as u8);
        }
        best
    }

    /// Takes the lanes of a further candidate that are larger, or NaN: of equal ones the first stays, and the last NaN.
    #[inline(always)]
    pub(crate) fn challenge(&mut self, simd: S, value: S::Vector, number: u8) {
        let number = simd.splat(S::Elem::from_f64(f64::from(number)));
        let is_larger = simd.lt(self.value, value);
        let is_number = simd.eq(value, value);
        let larger = simd.select(is_larger, value, self.value);
        let of_larger = simd.select(is_larger, number, self.number);
        self.value = simd.select(is_number, larger, value);
        self.number = simd.select(is_number, of_larger, number);
    }

    /// Writes the numbers of as many lanes as there are bytes.
    #[inline(always)]
    pub(crate) fn store_numbers(&self, simd: S, bytes: &mut [u8]) {
        simd.store_bytes(self.number, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::Best;
    use crate::simd::{Isa, Kernel, MAX_LANES, Simd};
    use crate::{AlignedVec, Float};

    /// Four candidates in every order of smaller, equal, larger and not a number.
    struct EveryFour;

    impl Kernel<f32> for EveryFour {
        type Output = ();

        fn run<S: Simd<Elem = f32>>(self, simd: S) {
            let values = [-1.0, 0.0, 2.0, f32::NAN];
            let of_case = |case: usize| [0, 1, 2, 3].map(|place| values[case >> (2 * place) & 3]);
            for first in (0..256).step_by(S::LANES) {
                let mut candidates = [simd.zero(); 4];
                for (place, candidate) in candidates.iter_mut().enumerate() {
                    let mut lanes = AlignedVec::zeroed(MAX_LANES);
                    for (lane, case) in lanes.iter_mut().zip(first..256) {
                        *lane = of_case(case)[place];
                    }
                    *candidate = simd.load(&lanes);
                }
                let best = Best::<S>::of_four(simd, candidates);
                let (mut found, mut numbers) = ([0.0; MAX_LANES], [0; MAX_LANES]);
                simd.store(best.value, &mut found);
                best.store_numbers(simd, &mut numbers[..S::LANES]);
                for lane in 0..S::LANES.min(256 - first) {
                    let (value, number) = first_of_largest(of_case(first + lane));
                    let case = of_case(first + lane);
                    assert_eq!(found[lane].to_bits(), value.to_bits(), "{case:?}");
                    assert_eq!(numbers[lane], number, "{case:?}");
                }
            }
        }
    }

    /// The definition: a later candidate counts if it is larger or not a number.
    fn first_of_largest(candidates: [f32; 4]) -> (f32, u8) {
        let mut best = (candidates[0], 0);
        for (candidate, number) in candidates.into_iter().zip(0..).skip(1) {
            if candidate > best.0 || candidate.is_nan() {
                best = (candidate, number);
            }
        }
        best
    }

    #[test]
    fn the_first_of_equals_and_the_last_nan_win() {
        for isa in Isa::available() {
            f32::dispatch_on(isa, EveryFour);
        }
    }
}
