//! Softmax of rows.

/// `y[j] = e^x[j] / Σ e^x[i]`, row by row, from `x − max x` so that nothing overflows.
#[must_use]
pub fn softmax(x: &[f64], columns: usize) -> Vec<f64> {
    let row = |row: &[f64]| {
        let log_sum = log_sum_exp(row);
        row.iter().map(|x| (x - log_sum).exp()).collect::<Vec<_>>()
    };
    x.chunks_exact(columns).flat_map(row).collect()
}

/// `dx[j] = y[j] · (dy[j] − Σ y[i] · dy[i])`, row by row.
#[must_use]
pub fn softmax_backward(y: &[f64], dy: &[f64], columns: usize) -> Vec<f64> {
    let row = |(y, dy): (&[f64], &[f64])| {
        let dot: f64 = y.iter().zip(dy).map(|(y, dy)| y * dy).sum();
        y.iter()
            .zip(dy)
            .map(|(y, dy)| y * (dy - dot))
            .collect::<Vec<_>>()
    };
    let rows = y.chunks_exact(columns).zip(dy.chunks_exact(columns));
    rows.flat_map(row).collect()
}

/// `ln Σ e^x`.
#[must_use]
pub fn log_sum_exp(row: &[f64]) -> f64 {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + row.iter().map(|x| (x - max).exp()).sum::<f64>().ln()
}
