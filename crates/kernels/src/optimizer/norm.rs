//! The squared length of a gradient, for clipping by the global norm.

use crate::float::Float;

/// Partial sums side by side, whatever the instruction set.
const PARTS: usize = 16;

/// Σ x² in `f64`. Element i goes to partial sum i mod 16, and the partial sums are added in ascending order, so the bits
/// depend on the slice alone.
pub fn sum_of_squares<T: Float>(values: &[T]) -> f64 {
    let mut parts = [0.0; PARTS];
    let chunks = values.chunks_exact(PARTS);
    let rest = chunks.remainder();
    for chunk in chunks {
        for i in 0..PARTS {
            let x = chunk[i].to_f64();
            parts[i] += x * x;
        }
    }
    for (part, x) in parts.iter_mut().zip(rest) {
        *part += x.to_f64() * x.to_f64();
    }
    let mut sum = 0.0;
    for part in parts {
        sum += part;
    }
    sum
}
