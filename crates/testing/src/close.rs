//! Comparisons of slices whose failure names the first wrong number and the worst one.

use std::fmt::Debug;

/// A float that can be compared in `f64` and by its bits.
pub trait Number: Copy + Debug {
    /// The same number in double precision.
    fn to_f64(self) -> f64;

    /// The representation, widened.
    fn bits(self) -> u64;
}

impl Number for f32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }
}

impl Number for f64 {
    fn to_f64(self) -> f64 {
        self
    }

    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// Asserts `|actual − expected| ≤ atol + rtol · |expected|` for every element.
///
/// Infinities must be equal; a NaN is close to a NaN alone.
///
/// # Panics
/// Where lengths differ or an element is further off, with the first such element, the worst one, and how many there are.
#[track_caller]
pub fn assert_close<A: Number, E: Number>(actual: &[A], expected: &[E], rtol: f64, atol: f64) {
    if let Some(fault) = difference(actual, expected, rtol, atol) {
        panic!("{fault}");
    }
}

/// As [`assert_close`], with `what` at the head of the message.
///
/// # Panics
/// As [`assert_close`].
#[track_caller]
pub fn assert_close_named<A: Number, E: Number>(
    what: &str,
    actual: &[A],
    expected: &[E],
    rtol: f64,
    atol: f64,
) {
    if let Some(fault) = difference(actual, expected, rtol, atol) {
        panic!("{what}: {fault}");
    }
}

/// Asserts that both slices hold the same bits, signs of zero and payloads of NaNs included.
///
/// # Panics
/// Where lengths differ or a bit does, with the first such element.
#[track_caller]
pub fn assert_same_bits<F: Number>(actual: &[F], expected: &[F]) {
    assert_eq!(actual.len(), expected.len(), "lengths differ");
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert!(
            a.bits() == e.bits(),
            "element {i} of {}: got {a:?} ({:#x}), expected {e:?} ({:#x})",
            actual.len(),
            a.bits(),
            e.bits(),
        );
    }
}

/// What [`assert_close`] would say, or `None` where everything is close.
#[must_use]
pub fn difference<A: Number, E: Number>(
    actual: &[A],
    expected: &[E],
    rtol: f64,
    atol: f64,
) -> Option<String> {
    if actual.len() != expected.len() {
        return Some(format!(
            "got {} elements, expected {}",
            actual.len(),
            expected.len()
        ));
    }
    let mut first = None;
    let mut worst = (0, 0.0);
    let mut far = 0;
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        let (a, e) = (a.to_f64(), e.to_f64());
        if is_close(a, e, rtol, atol) {
            continue;
        }
        far += 1;
        first.get_or_insert((i, a, e));
        let error = (a - e).abs();
        if error.is_nan() || error > worst.1 {
            worst = (i, if error.is_nan() { f64::INFINITY } else { error });
        }
    }
    let (i, a, e) = first?;
    Some(format!(
        "element {i} of {}: got {a:e}, expected {e:e} (rtol {rtol:e}, atol {atol:e}); {far} are off, the worst by {:e} at {}",
        actual.len(),
        worst.1,
        worst.0,
    ))
}

fn is_close(actual: f64, expected: f64, rtol: f64, atol: f64) -> bool {
    if actual.is_nan() || expected.is_nan() {
        return actual.is_nan() && expected.is_nan();
    }
    let error = (actual - expected).abs();
    actual == expected || error.is_finite() && error <= atol + rtol * expected.abs()
}

#[cfg(test)]
mod tests {
    use super::{assert_close, assert_same_bits, difference};

    #[test]
    fn close_numbers_pass_and_far_ones_are_named() {
        assert_close(&[1.0f32, 2.0], &[1.0f64, 2.000_01], 1e-5, 0.0);
        let fault = difference(&[1.0, 2.5, 9.0], &[1.0, 2.0, 3.0], 0.0, 0.1).unwrap();
        assert!(
            fault.starts_with("element 1 of 3: got 2.5e0, expected 2e0"),
            "{fault}"
        );
        assert!(
            fault.ends_with("2 are off, the worst by 6e0 at 2"),
            "{fault}"
        );
    }

    #[test]
    fn not_a_number_is_never_close_to_a_number() {
        assert!(difference(&[f64::NAN], &[0.0], 1.0, f64::MAX).is_some());
        assert!(difference(&[0.0], &[f64::NAN], 1.0, f64::MAX).is_some());
        assert!(difference(&[f64::NAN], &[f64::NAN], 0.0, 0.0).is_none());
        assert!(difference(&[f64::INFINITY], &[1.0], 1.0, f64::MAX).is_some());
        assert!(difference(&[1.0], &[f64::INFINITY], 1.0, 1.0).is_some());
        assert!(difference(&[f64::INFINITY], &[f64::INFINITY], 0.0, 0.0).is_none());
    }

    #[test]
    fn lengths_must_agree() {
        let fault = difference(&[1.0], &[1.0, 1.0], 1.0, 1.0);
        assert_eq!(fault.unwrap(), "got 1 elements, expected 2");
    }

    #[test]
    #[should_panic(expected = "element 0 of 1: got -0.0")]
    fn bits_tell_the_zeros_apart() {
        assert_same_bits(&[-0.0f32], &[0.0]);
    }
}
