//! Activations and their derivatives, both as functions of the input `x`.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// `max(x, 0)`.
#[must_use]
pub fn relu(x: f64) -> f64 {
    if x > 0.0 { x } else { 0.0 }
}

/// 1 above zero, else 0.
#[must_use]
pub fn relu_derivative(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { 0.0 }
}

/// `x` above zero, else `slope · x`.
#[must_use]
pub fn leaky_relu(x: f64, slope: f64) -> f64 {
    if x > 0.0 { x } else { slope * x }
}

/// 1 above zero, else the slope.
#[must_use]
pub fn leaky_relu_derivative(x: f64, slope: f64) -> f64 {
    if x > 0.0 { 1.0 } else { slope }
}

/// `σ(x) = 1 / (1 + e⁻ˣ)`.
#[must_use]
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `σ(x) · σ(−x)`, which is `σ(x)(1 − σ(x))` without its cancellation.
#[must_use]
pub fn sigmoid_derivative(x: f64) -> f64 {
    sigmoid(x) * sigmoid(-x)
}

/// `tanh x`.
#[must_use]
pub fn tanh(x: f64) -> f64 {
    x.tanh()
}

/// `1 / cosh² x`.
#[must_use]
pub fn tanh_derivative(x: f64) -> f64 {
    1.0 / (x.cosh() * x.cosh())
}

/// `x · σ(x)`.
#[must_use]
pub fn silu(x: f64) -> f64 {
    x * sigmoid(x)
}

/// `σ(x) + x · σ'(x)`.
#[must_use]
pub fn silu_derivative(x: f64) -> f64 {
    sigmoid(x) + x * sigmoid_derivative(x)
}

/// `x · Φ(x)` with the normal distribution Φ (Hendrycks and Gimpel, 2016): the exact form.
#[must_use]
pub fn gelu(x: f64) -> f64 {
    x * normal(x)
}

/// `Φ(x) + x · φ(x)`.
#[must_use]
pub fn gelu_derivative(x: f64) -> f64 {
    normal(x) + x * (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// The distribution function of the normal distribution.
fn normal(x: f64) -> f64 {
    0.5 * erfc(-x * FRAC_1_SQRT_2)
}

/// The error function, `2/√π ∫₀ˣ e^(−t²) dt`.
#[must_use]
pub fn erf(x: f64) -> f64 {
    if x.abs() < SERIES_BELOW {
        erf_series(x)
    } else {
        1.0 - erfc(x)
    }
}

/// `1 − erf x`, precise where that is small.
#[must_use]
pub fn erfc(x: f64) -> f64 {
    if x < SERIES_BELOW {
        return if x > -SERIES_BELOW {
            1.0 - erf_series(x)
        } else {
            2.0 - erfc(-x)
        };
    }
    // Continued fraction (Abramowitz and Stegun, 7.1.14), from its tail.
    let mut tail = x;
    for k in (1..=TERMS).rev() {
        tail = x + k as f64 / 2.0 / tail;
    }
    (-x * x).exp() / PI.sqrt() / tail
}

const SERIES_BELOW: f64 = 2.0;
const TERMS: usize = 150;

/// `2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1))` (Abramowitz and Stegun, 7.1.6): all terms have one sign.
fn erf_series(x: f64) -> f64 {
    let mut term = x;
    let mut sum = 0.0;
    for n in 0..TERMS {
        sum += term;
        term *= 2.0 * x * x / (2 * n + 3) as f64;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::{SERIES_BELOW, erf, erfc};
    use crate::assert_close;

    #[test]
    fn the_error_function_has_its_tabulated_values() {
        // Abramowitz and Stegun, table 7.1 and 7.3.
        let table = [erf(0.5), erf(1.0), erf(1.5), erf(2.0), erf(-1.0)];
        let expected = [
            0.520_499_877_8,
            0.842_700_792_9,
            0.966_105_146_5,
            0.995_322_265_0,
            -0.842_700_792_9,
        ];
        assert_close(&table, &expected, 0.0, 1e-10);
    }

    #[test]
    fn series_and_fraction_meet() {
        let (below, above) = (SERIES_BELOW - 1e-9, SERIES_BELOW + 1e-9);
        let slope = (erfc(above) - erfc(below)) / (above - below);
        let expected = -2.0 / std::f64::consts::PI.sqrt() * (-SERIES_BELOW * SERIES_BELOW).exp();
        assert_close(&[slope], &[expected], 1e-5, 0.0);
    }
}
