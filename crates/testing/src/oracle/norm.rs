//! Normalisations: of every column over the batch (Ioffe and Szegedy, 2015), and of every row (Ba et al., 2016).

/// The mean of every column, and the mean of its squared deviations (the plain variance, not the unbiased one).
#[must_use]
pub fn column_statistics(x: &[f64], columns: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = (x.len() / columns) as f64;
    let mean: Vec<f64> = super::matmul::column_sums(x, columns)
        .iter()
        .map(|sum| sum / rows)
        .collect();
    let square = |(at, x): (usize, &f64)| (x - mean[at % columns]).powi(2);
    let squares: Vec<f64> = x.iter().enumerate().map(square).collect();
    let variance = super::matmul::column_sums(&squares, columns)
        .iter()
        .map(|sum| sum / rows)
        .collect();
    (mean, variance)
}

/// Scale and shift of a normalisation, and what keeps its divisor from zero.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// One factor a column.
    pub weight: &'a [f64],
    /// One term a column.
    pub bias: &'a [f64],
    /// Added to the variance.
    pub epsilon: f64,
}

/// `y = (x − mean) / √(variance + ε) · weight + bias`, column by column: batch normalisation with the statistics given.
#[must_use]
pub fn batch_norm(x: &[f64], mean: &[f64], variance: &[f64], affine: &Affine<'_>) -> Vec<f64> {
    let columns = affine.weight.len();
    let normalise = |(at, x): (usize, &f64)| {
        let c = at % columns;
        (x - mean[c]) / (variance[c] + affine.epsilon).sqrt() * affine.weight[c] + affine.bias[c]
    };
    x.iter().enumerate().map(normalise).collect()
}

/// Batch normalisation with the batch's own statistics.
#[must_use]
pub fn batch_norm_training(x: &[f64], affine: &Affine<'_>) -> Vec<f64> {
    let (mean, variance) = column_statistics(x, affine.weight.len());
    batch_norm(x, &mean, &variance, affine)
}

/// `momentum · old + (1 − momentum) · new`: how a running statistic follows the batches'.
#[must_use]
pub fn running(old: &[f64], new: &[f64], momentum: f64) -> Vec<f64> {
    let follow = |(old, new): (&f64, &f64)| momentum * old + (1.0 - momentum) * new;
    old.iter().zip(new).map(follow).collect()
}

/// `y = (x − mean) / √(variance + ε) · weight + bias` with the statistics of every row.
#[must_use]
pub fn layer_norm(x: &[f64], affine: &Affine<'_>) -> Vec<f64> {
    let columns = affine.weight.len();
    let row = |row: &[f64]| {
        let (mean, variance) = column_statistics(row, 1);
        let deviation = (variance[0] + affine.epsilon).sqrt();
        let normalise =
            |(c, x): (usize, &f64)| (x - mean[0]) / deviation * affine.weight[c] + affine.bias[c];
        row.iter().enumerate().map(normalise).collect::<Vec<_>>()
    };
    x.chunks_exact(columns).flat_map(row).collect()
}
