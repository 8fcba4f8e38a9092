//! The matrix products of the cells: of all steps at once, of one step, and those of the gradients.

use std::ops::Range;

use super::Sequence;
use crate::float::Float;
use crate::gemm::{self, Epilogue, Gemm, MatrixMut, MatrixRef, Start};
use crate::simd::Simd;

/// Scratch that every product of a block with so many gates gets along with.
pub(super) const fn products_len(sequence: &Sequence, gates: usize) -> usize {
    let Sequence {
        features, units, ..
    } = *sequence;
    let (rows, columns) = (sequence.rows(), gates * units);
    let inputs = max(
        gemm::scratch_len(columns, features),
        gemm::scratch_len(features, columns),
    );
    let steps = max(
        gemm::scratch_len(columns, units),
        gemm::scratch_len(units, columns),
    );
    let weights = gemm::scratch_len(columns, rows);
    max(max(inputs, weights), steps)
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// g = x·W + b for a stretch of steps, `[rows][columns]`.
#[inline(always)]
pub(super) fn project<S: Simd>(
    simd: S,
    sequence: &Sequence,
    steps: Range<usize>,
    inputs: Projection<'_, S::Elem>,
    g: &mut [S::Elem],
    scratch: &mut [S::Elem],
) {
    let Sequence {
        samples, features, ..
    } = *sequence;
    let columns = inputs.bias.len();
    let (start, rows) = (steps.start * samples, steps.len() * samples);
    let product = Gemm {
        m: rows,
        n: columns,
        k: features,
        a: MatrixRef::row_major(&inputs.x[start * features..][..rows * features], features),
        b: MatrixRef::row_major(inputs.weight, columns),
        start: Start::Zero,
        epilogue: Epilogue {
            bias: Some(inputs.bias),
            ..Epilogue::NONE
        },
    };
    product.run_with(
        simd,
        MatrixMut::row_major(&mut g[start * columns..][..rows * columns], columns),
        scratch,
    );
}

/// The operands of [`project`].
#[derive(Clone, Copy)]
pub(super) struct Projection<'a, T> {
    pub(super) x: &'a [T],
    pub(super) weight: &'a [T],
    pub(super) bias: &'a [T],
}

/// A matrix within the columns of a wider one: `rows` × `columns`, rows `row_stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a, T> {
    pub(super) data: &'a [T],
    pub(super) columns: usize,
    pub(super) row_stride: usize,
}

impl<'a, T> Columns<'a, T> {
    /// Columns `range` of rows of `width` numbers.
    pub(super) fn of(data: &'a [T], range: Range<usize>, width: usize) -> Self {
        Self {
            data: &data[range.start.min(data.len())..],
            columns: range.len(),
            row_stride: width,
        }
    }

    pub(super) fn matrix(self) -> MatrixRef<'a, T> {
        MatrixRef {
            data: self.data,
            row_stride: self.row_stride,
            column_stride: 1,
        }
    }
}

/// C += A·B with `rows` rows of A and C, B row-major.
#[inline(always)]
pub(super) fn add_product<S: Simd>(
    simd: S,
    rows: usize,
    a: Columns<'_, S::Elem>,
    b: Columns<'_, S::Elem>,
    c: MatrixMut<'_, S::Elem>,
    scratch: &mut [S::Elem],
) {
    let product = Gemm {
        m: rows,
        n: b.columns,
        k: a.columns,
        a: a.matrix(),
        b: b.matrix(),
        start: Start::Accumulate,
        epilogue: Epilogue::NONE,
    };
    product.run_with(simd, c, scratch);
}

/// C += Aᵀ·B over `rows` rows of both: a weight's gradient.
#[inline(always)]
pub(super) fn add_weight_gradient<S: Simd>(
    simd: S,
    rows: usize,
    a: Columns<'_, S::Elem>,
    b: Columns<'_, S::Elem>,
    c: MatrixMut<'_, S::Elem>,
    scratch: &mut [S::Elem],
) {
    let product = Gemm {
        m: a.columns,
        n: b.columns,
        k: rows,
        a: a.matrix().transposed(),
        b: b.matrix(),
        start: Start::Accumulate,
        epilogue: Epilogue::NONE,
    };
    product.run_with(simd, c, scratch);
}

/// dW += xᵀ·g, and dx = g·Wᵀ if asked for: the gradients on the side of the inputs, from those of the gates.
#[inline(always)]
pub(super) fn input_gradients<S: Simd>(
    simd: S,
    sequence: &Sequence,
    g: &[S::Elem],
    operands: InputGradients<'_, S::Elem>,
    scratch: &mut [S::Elem],
) {
    let InputGradients {
        x,
        weight,
        dx,
        dweight,
    } = operands;
    let (rows, features) = (sequence.rows(), sequence.features);
    let columns = g.len().checked_div(rows).unwrap_or(0);
    let x = Columns {
        data: x,
        columns: features,
        row_stride: features,
    };
    let g = Columns {
        data: g,
        columns,
        row_stride: columns,
    };
    add_weight_gradient(
        simd,
        rows,
        x,
        g,
        MatrixMut::row_major(dweight, columns),
        scratch,
    );
    let Some(dx) = dx else { return };
    let product = Gemm {
        m: rows,
        n: features,
        k: columns,
        a: g.matrix(),
        b: MatrixRef::row_major(weight, columns).transposed(),
        start: Start::Zero,
        epilogue: Epilogue::NONE,
    };
    product.run_with(simd, MatrixMut::row_major(dx, features), scratch);
}

/// The operands of [`input_gradients`].
pub(super) struct InputGradients<'a, T> {
    pub(super) x: &'a [T],
    pub(super) weight: &'a [T],
    pub(super) dx: Option<&'a mut [T]>,
    pub(super) dweight: &'a mut [T],
}

/// Vectors of columns summed side by side, so that a cache line is read once and additions overlap.
const V: usize = 4;

/// sums\[j\] += Σ rows\[i\]\[j\], the rows in ascending order.
#[inline(always)]
pub(super) fn add_rows<S: Simd>(
    simd: S,
    rows: Columns<'_, S::Elem>,
    count: usize,
    sums: &mut [S::Elem],
) {
    for (strip, sums) in sums[..rows.columns].chunks_mut(V * S::LANES).enumerate() {
        let width = sums.len();
        let mut totals = [simd.zero(); V];
        for v in 0..V {
            totals[v] = simd.load_partial(&sums[width.min(v * S::LANES)..]);
        }
        for i in 0..count {
            let row = &rows.data[i * rows.row_stride + strip * V * S::LANES..][..width];
            for v in 0..V {
                let terms = simd.load_partial(&row[width.min(v * S::LANES)..]);
                totals[v] = simd.add(totals[v], terms);
            }
        }
        for v in 0..V {
            simd.store_partial(totals[v], &mut sums[width.min(v * S::LANES)..]);
        }
    }
}

/// `target[j][i] = source[i][j]` for a matrix of `columns` columns.
pub(super) fn transpose<T: Float>(source: &[T], columns: usize, target: &mut [T]) {
    let rows = source.len().checked_div(columns).unwrap_or(0);
    for i in 0..rows {
        for j in 0..columns {
            target[j * rows + i] = source[i * columns + j];
        }
    }
}
