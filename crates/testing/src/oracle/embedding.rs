//! Embedding: rows of a table, picked by tokens.

/// `y[i] = weight[tokens[i]]`; `weight` is `[vocabulary][features]`.
#[must_use]
pub fn gather(tokens: &[u32], weight: &[f64], features: usize) -> Vec<f64> {
    let row = |&token: &u32| &weight[token as usize * features..][..features];
    tokens.iter().flat_map(row).copied().collect()
}

/// `dweight[token] = Σ dy[i]` over the rows i that picked the token, in ascending order.
#[must_use]
pub fn scatter(tokens: &[u32], dy: &[f64], vocabulary: usize, features: usize) -> Vec<f64> {
    let mut dweight = vec![0.0; vocabulary * features];
    for (&token, dy) in tokens.iter().zip(dy.chunks_exact(features)) {
        for (sum, gradient) in dweight[token as usize * features..].iter_mut().zip(dy) {
            *sum += gradient;
        }
    }
    dweight
}
