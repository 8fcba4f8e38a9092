//! Gradients by central differences, for whatever has no naive backward pass.

/// `∂f/∂x[i] ≈ (f(x + ε eᵢ) − f(x − ε eᵢ)) / 2ε` for every `i`; the error is of the order ε² plus rounding / ε, so 1e-5 suits `f64`.
#[must_use]
pub fn numeric_gradient(f: impl Fn(&[f64]) -> f64, x: &[f64], epsilon: f64) -> Vec<f64> {
    let mut moved = x.to_vec();
    let mut gradient = Vec::with_capacity(x.len());
    for i in 0..x.len() {
        moved[i] = x[i] + epsilon;
        let above = f(&moved);
        moved[i] = x[i] - epsilon;
        let below = f(&moved);
        moved[i] = x[i];
        gradient.push((above - below) / (2.0 * epsilon));
    }
    gradient
}

/// `Σ a[i] · b[i]`: an upstream gradient times an output is the scalar whose gradient a backward pass computes.
#[must_use]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "lengths differ");
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::numeric_gradient;
    use crate::assert_close;

    #[test]
    fn of_a_product_it_is_the_other_factor() {
        let gradient = numeric_gradient(|x| x[0] * x[1] + x[2].sin(), &[2.0, 3.0, 0.0], 1e-5);
        assert_close(&gradient, &[3.0, 2.0, 1.0], 1e-9, 0.0);
    }
}
