//! Reproducible test inputs.
//!
//! A counter run through the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
//! generators", 2014): element `i` of seed `s` is a function of both alone, so an input never depends on what was drawn
//! before it.

/// The 64 bits that belong to element `index` of `seed`.
#[must_use]
pub fn bits(seed: u64, index: u64) -> u64 {
    const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
    let start = mix(seed.wrapping_add(GOLDEN_GAMMA));
    mix(start.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN_GAMMA)))
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// `len` numbers, uniform in `[-1, 1)`.
#[must_use]
pub fn fill(seed: u64, len: usize) -> Vec<f64> {
    (0..len as u64)
        .map(|index| unit(bits(seed, index)) * 2.0 - 1.0)
        .collect()
}

/// As [`fill`], rounded to `f32` and back, so that an `f32` kernel and its `f64` reference start from equal numbers.
#[must_use]
pub fn fill_f32(seed: u64, len: usize) -> Vec<f32> {
    fill(seed, len).into_iter().map(|x| x as f32).collect()
}

/// `len` integers in `0..below`.
///
/// # Panics
/// If `below` is zero.
#[must_use]
pub fn ints(seed: u64, len: usize, below: u32) -> Vec<u32> {
    assert!(below > 0, "ints: nothing lies below zero");
    (0..len as u64)
        .map(|index| scale(bits(seed, index), u64::from(below)) as u32)
        .collect()
}

/// `len` integers in `-magnitude..=magnitude`, as floats.
///
/// Sums and products of few of them are exact in `f32`, so kernels that add in different orders must agree to the bit.
#[must_use]
pub fn small_integers(seed: u64, len: usize, magnitude: u32) -> Vec<f64> {
    ints(seed, len, 2 * magnitude + 1)
        .into_iter()
        .map(|n| f64::from(n) - f64::from(magnitude))
        .collect()
}

/// `len` numbers in `[-1, 1)`, no two of them equal and each 2 / `len` from its neighbour: a maximum has no rivals, and a small
/// step does not change which one it is.
#[must_use]
pub fn distinct(seed: u64, len: usize) -> Vec<f64> {
    permutation(seed, len)
        .into_iter()
        .map(|rank| 2.0 * rank as f64 / len as f64 - 1.0)
        .collect()
}

/// The numbers `0..len` in random order (Fisher and Yates).
#[must_use]
pub fn permutation(seed: u64, len: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    for last in (1..len).rev() {
        let other = scale(bits(seed, last as u64), last as u64 + 1) as usize;
        order.swap(last, other);
    }
    order
}

/// `bits` as a fraction of 2⁶⁴, times `below`, rounded down.
fn scale(bits: u64, below: u64) -> u64 {
    ((u128::from(bits) * u128::from(below)) >> 64) as u64
}

/// The top 53 bits as a fraction of one.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::{distinct, fill, ints, permutation, small_integers};

    #[test]
    fn numbers_depend_on_seed_and_index_alone() {
        assert_eq!(fill(7, 5), fill(7, 50)[..5]);
        assert_ne!(fill(7, 5), fill(8, 5));
    }

    #[test]
    fn uniform_numbers_have_the_moments_of_the_uniform_distribution() {
        let values = fill(1, 100_000);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((square - 1.0 / 3.0).abs() < 0.01, "mean square {square}");
        assert!(values.iter().all(|x| (-1.0..1.0).contains(x)));
    }

    #[test]
    fn integers_reach_every_value_below_the_bound() {
        let mut seen = [0usize; 7];
        for n in ints(3, 7_000, 7) {
            seen[n as usize] += 1;
        }
        assert!(
            seen.iter().all(|&count| (800..1200).contains(&count)),
            "{seen:?}"
        );
        let small = small_integers(3, 1000, 2);
        for value in [-2.0, -1.0, 0.0, 1.0, 2.0] {
            assert!(small.contains(&value));
        }
        assert!(small.iter().all(|x| x.abs() <= 2.0));
    }

    #[test]
    fn distinct_numbers_have_no_ties() {
        let mut order = permutation(5, 100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
        let mut values = distinct(5, 100);
        values.sort_by(f64::total_cmp);
        assert!(values.windows(2).all(|pair| pair[1] - pair[0] > 0.019));
    }
}
