//! The matrix product.

/// `C[i][j] = Σₚ A[i][p] · B[p][j]`.
///
/// # Shapes
/// `a` is m×k, `b` k×n, the result m×n.
///
/// # Panics
/// Where a slice has another length.
#[must_use]
pub fn matmul(a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    assert_eq!(a.len(), m * k, "A is {m}×{k}");
    assert_eq!(b.len(), k * n, "B is {k}×{n}");
    let mut c = vec![0.0; m * n];
    for i in 0..m {
        for j in 0..n {
            for p in 0..k {
                c[i * n + j] += a[i * k + p] * b[p * n + j];
            }
        }
    }
    c
}

/// The transpose of a matrix of `rows` × `columns`.
#[must_use]
pub fn transpose(a: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    assert_eq!(a.len(), rows * columns, "A is {rows}×{columns}");
    let element = |at: usize| a[at % rows * columns + at / rows];
    (0..rows * columns).map(element).collect()
}

/// `y[i][j] = b[j] + Σₚ x[i][p] · w[p][j]`: a dense layer; w is k×n.
#[must_use]
pub fn dense(x: &[f64], weight: &[f64], bias: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    let mut y = matmul(x, weight, [m, k, n]);
    for row in y.chunks_exact_mut(n) {
        for (y, b) in row.iter_mut().zip(bias) {
            *y += b;
        }
    }
    y
}

/// The sum of every column of a matrix of `columns` columns.
#[must_use]
pub fn column_sums(a: &[f64], columns: usize) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    for (at, value) in a.iter().enumerate() {
        sums[at % columns] += value;
    }
    sums
}
