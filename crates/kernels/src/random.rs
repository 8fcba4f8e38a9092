//! Random numbers addressed by what they are for, not by when they are drawn.
//!
//! Philox4x32-10 (Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011) maps a 128-bit
//! counter and a 64-bit key to 128 random bits. The key is the seed; the counter holds stream, step and element. Any
//! element of any step can be drawn alone, in any order, on any thread, and a checkpoint needs to save no state.

use crate::float::Float;

pub(crate) const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
pub(crate) const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
pub(crate) const ROUNDS: usize = 10;
/// Words that a kernel draws at once: those of eight blocks, enough to hide the latency of a product.
pub const MANY: usize = 32;

/// The Philox4x32-10 bijection of a counter under a key.
#[inline(always)]
pub const fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    let mut i = 0;
    while i < ROUNDS {
        (c0, c1, c2, c3) = round([c0, c1, c2, c3], [k0, k1]);
        k0 = k0.wrapping_add(WEYL[0]);
        k1 = k1.wrapping_add(WEYL[1]);
        i += 1;
    }
    [c0, c1, c2, c3]
}

/// One round: two products of 32 by 32 bits, whose halves change places.
#[inline(always)]
const fn round(counter: [u32; 4], key: [u32; 2]) -> (u32, u32, u32, u32) {
    let p0 = MULTIPLIERS[0] as u64 * counter[0] as u64;
    let p1 = MULTIPLIERS[1] as u64 * counter[2] as u64;
    let (high_0, high_1) = ((p0 >> 32) as u32, (p1 >> 32) as u32);
    (
        high_1 ^ counter[1] ^ key[0],
        p1 as u32,
        high_0 ^ counter[3] ^ key[1],
        p0 as u32,
    )
}

/// A sequence of random words, addressed by seed, stream and step.
///
/// A stream is one use of randomness (a dropout layer, the shuffling, an initialiser), a step one occasion of it (a
/// training step, an epoch).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Random {
    /// The user's seed.
    pub seed: u64,
    /// Which use of randomness.
    pub stream: u32,
    /// Which occasion.
    pub step: u32,
}

impl Random {
    /// Words 4·`index` to 4·`index` + 3.
    #[inline(always)]
    pub const fn block(self, index: u64) -> [u32; 4] {
        let counter = [index as u32, (index >> 32) as u32, self.step, self.stream];
        philox4x32(counter, [self.seed as u32, (self.seed >> 32) as u32])
    }

    /// The words of blocks from `index` on, in order.
    #[inline(always)]
    pub(crate) fn words(self, index: u64) -> [u32; MANY] {
        let mut words = [0; MANY];
        for (i, words) in words.as_chunks_mut().0.iter_mut().enumerate() {
            *words = self.block(index.wrapping_add(i as u64));
        }
        words
    }

    /// The word of one element.
    #[inline(always)]
    pub const fn at(self, element: u64) -> u32 {
        self.block(element / 4)[(element % 4) as usize]
    }

    /// A standard normal number that belongs to an element: that of [`Sequence::normal`] from the words of block `element` alone.
    pub fn normal_at<T: Float>(self, element: u64) -> T {
        let mut words = Sequence {
            random: self,
            block: [0; 4],
            next: element.wrapping_mul(4),
        };
        words.normal()
    }

    /// The words in order from element 0.
    pub const fn sequence(self) -> Sequence {
        Sequence {
            random: self,
            block: [0; 4],
            next: 0,
        }
    }
}

/// The words of a [`Random`] one after the other, turned into numbers, choices and permutations.
#[derive(Clone, Debug)]
pub struct Sequence {
    random: Random,
    block: [u32; 4],
    next: u64,
}

impl Sequence {
    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        let lane = (self.next % 4) as usize;
        if lane == 0 {
            self.block = self.random.block(self.next / 4);
        }
        self.next += 1;
        self.block[lane]
    }

    /// The next 64 random bits, low word first.
    pub fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        low | u64::from(self.next_u32()) << 32
    }

    /// Uniform in [0, 1): a multiple of 2⁻²⁴ for `f32` (one word), of 2⁻⁵³ for `f64` (two words).
    pub fn uniform<T: Float>(&mut self) -> T {
        if T::BYTES == 4 {
            T::from_f64(f64::from(self.next_u32() >> 8) / f64::from(1_u32 << 24))
        } else {
            T::from_f64((self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64)
        }
    }

    /// Standard normal: the cosine half of Box and Muller's transform of two uniform numbers of 53 bits, computed in
    /// `f64` for both types.
    pub fn normal<T: Float>(&mut self) -> T {
        let radius = (-2.0 * (1.0 - self.uniform::<f64>()).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.uniform::<f64>();
        T::from_f64(radius * angle.cos())
    }

    /// Uniform in 0..n without bias (Lemire, *Fast random integer generation in an interval*, 2019).
    ///
    /// # Panics
    /// If n is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "below: nothing lies below 0");
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= n.wrapping_neg() % n {
                return (product >> 64) as u64;
            }
        }
    }

    /// Shuffles a slice, every order equally likely (Fisher and Yates).
    pub fn shuffle<E>(&mut self, values: &mut [E]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Random, philox4x32};

    /// The known answers published with Random123 (`kat_vectors`, philox4x32 10).
    #[test]
    fn gives_the_published_answers() {
        let cases = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, answer) in cases {
            assert_eq!(philox4x32(counter, key), answer);
        }
    }

    #[test]
    fn a_sequence_visits_the_elements_in_order() {
        let random = Random {
            seed: 0x1234_5678_9abc_def0,
            stream: 3,
            step: 7,
        };
        let mut sequence = random.sequence();
        for element in 0..11 {
            assert_eq!(sequence.next_u32(), random.at(element));
        }
        assert_ne!(random.at(0), Random { step: 8, ..random }.at(0));
        assert_ne!(
            random.at(0),
            Random {
                stream: 4,
                ..random
            }
            .at(0)
        );
        assert_ne!(random.at(0), Random { seed: 1, ..random }.at(0));
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut sequence = Random {
            seed: 1,
            stream: 0,
            step: 0,
        }
        .sequence();
        let n = 200_000;
        let (mut uniform, mut mean, mut square, mut fourth) = (0.0, 0.0, 0.0, 0.0);
        for _ in 0..n {
            let u = f64::from(sequence.uniform::<f32>());
            assert!((0.0..1.0).contains(&u));
            uniform += u;
            let x = sequence.normal::<f64>();
            (mean, square, fourth) = (mean + x, square + x * x, fourth + x.powi(4));
        }
        let n = f64::from(n);
        assert!((uniform / n - 0.5).abs() < 0.003);
        assert!(
            (mean / n).abs() < 0.01
                && (square / n - 1.0).abs() < 0.02
                && (fourth / n - 3.0).abs() < 0.15
        );
    }

    #[test]
    fn choices_and_orders_are_equally_likely() {
        let mut sequence = Random {
            seed: 2,
            stream: 0,
            step: 0,
        }
        .sequence();
        let mut counts = [0_i32; 7];
        let mut orders = std::collections::BTreeMap::new();
        for _ in 0..70_000 {
            counts[sequence.below(7) as usize] += 1;
            let mut values = [0, 1, 2];
            sequence.shuffle(&mut values);
            *orders.entry(values).or_insert(0_i32) += 1;
        }
        assert!(
            counts.iter().all(|count| (count - 10_000).abs() < 500),
            "{counts:?}"
        );
        assert_eq!(orders.len(), 6);
        assert!(
            orders.values().all(|count| (count - 11_667).abs() < 550),
            "{orders:?}"
        );
    }
}
