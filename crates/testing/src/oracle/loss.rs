//! Losses of one row, and their gradients.
//!
//! A batch's value is `Σ weight · loss / Σ weight` over its rows; a masked step has weight zero. Losses of real numbers are means over
//! the row. Cross-entropies start from logits.

use super::activation::{relu, sigmoid};
use super::softmax::{log_sum_exp, softmax};

/// A row's loss: its value, and the gradient at the row's outputs.
pub type Loss = (f64, Vec<f64>);

/// `−Σ t[j] · ln softmax(x)[j]` with shares `t` smoothed to `(1 − s) · t + s / classes`.
#[must_use]
pub fn cross_entropy(logits: &[f64], shares: &[f64], smoothing: f64) -> Loss {
    let classes = logits.len() as f64;
    let smooth = |t: &f64| (1.0 - smoothing) * t + smoothing / classes;
    let shares: Vec<f64> = shares.iter().map(smooth).collect();
    let log_sum = log_sum_exp(logits);
    let value = shares
        .iter()
        .zip(logits)
        .map(|(t, x)| t * (log_sum - x))
        .sum();
    let total: f64 = shares.iter().sum();
    let gradient = softmax(logits, logits.len())
        .iter()
        .zip(&shares)
        .map(|(p, t)| total * p - t)
        .collect();
    (value, gradient)
}

/// [`cross_entropy`] whose whole share belongs to one class.
#[must_use]
pub fn sparse_cross_entropy(logits: &[f64], class: u32, smoothing: f64) -> Loss {
    let mut shares = vec![0.0; logits.len()];
    shares[class as usize] = 1.0;
    cross_entropy(logits, &shares, smoothing)
}

/// The mean over j of `−t · ln σ(x) − (1 − t) · ln(1 − σ(x))`, computed as `max(x, 0) − x·t + ln(1 + e^−|x|)`.
#[must_use]
pub fn binary_cross_entropy(logits: &[f64], shares: &[f64]) -> Loss {
    let loss = |x: f64, t: f64| relu(x) - x * t + (-x.abs()).exp().ln_1p();
    mean(logits, shares, loss, |x, t| sigmoid(x) - t)
}

/// The mean of `(y − t)²`.
#[must_use]
pub fn mse(output: &[f64], target: &[f64]) -> Loss {
    mean(
        output,
        target,
        |y, t| (y - t) * (y - t),
        |y, t| 2.0 * (y - t),
    )
}

/// The mean of `|y − t|`; its gradient is zero where they are equal.
#[must_use]
pub fn mae(output: &[f64], target: &[f64]) -> Loss {
    mean(output, target, |y, t| (y - t).abs(), |y, t| sign(y - t))
}

/// The mean of `e²/2` where the error `e = |y − t|` is at most δ, else `δ·e − δ²/2` (Huber, 1964).
#[must_use]
pub fn huber(output: &[f64], target: &[f64], delta: f64) -> Loss {
    let loss = |y: f64, t: f64| {
        let e = (y - t).abs();
        if e <= delta {
            e * e / 2.0
        } else {
            delta * e - delta * delta / 2.0
        }
    };
    mean(output, target, loss, |y, t| (y - t).clamp(-delta, delta))
}

/// `Σ weight · loss / Σ weight` and its gradient, from the losses of the rows.
#[must_use]
pub fn weighted(rows: &[Loss], weights: &[f64]) -> Loss {
    let total: f64 = weights.iter().sum();
    let value = rows
        .iter()
        .zip(weights)
        .map(|((value, _), w)| value * w / total)
        .sum();
    let scale = |((_, gradient), w): (&Loss, &f64)| {
        gradient.iter().map(|g| g * w / total).collect::<Vec<_>>()
    };
    let gradient = rows.iter().zip(weights).flat_map(scale).collect();
    (value, gradient)
}

fn mean(
    output: &[f64],
    target: &[f64],
    loss: impl Fn(f64, f64) -> f64,
    derivative: impl Fn(f64, f64) -> f64,
) -> Loss {
    assert_eq!(output.len(), target.len(), "lengths differ");
    let count = output.len() as f64;
    let pairs = || output.iter().zip(target);
    let value = pairs().map(|(&y, &t)| loss(y, t)).sum::<f64>() / count;
    let gradient = pairs().map(|(&y, &t)| derivative(y, t) / count).collect();
    (value, gradient)
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}
