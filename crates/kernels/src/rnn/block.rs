//! What the cells share: the walk over a block's steps, its products and its checks.

use std::ops::Range;

use plywood_shape::layers::Returns;

use super::{Backward, Forward, Sequence, StateGradient, Weights};
use crate::float::Float;
use crate::gemm::{self, Epilogue, Gemm, MatrixMut, MatrixRef, Start};
use crate::simd::Simd;

/// Rows whose inputs are projected at once: their gates then still lie in the second-level cache when their steps come.
const CHUNK_ROWS: usize = 128;

impl Sequence {
    /// Stretches of steps in reading order; of each stretch the steps in the order of time.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let Self { steps, reverse, .. } = *self;
        let size = (CHUNK_ROWS / self.samples.max(1)).max(1);
        (0..steps).step_by(size).map(move |i| {
            let end = (i + size).min(steps);
            if reverse {
                steps - end..steps - i
            } else {
                i..end
            }
        })
    }

    /// The steps of a stretch in reading order.
    pub(super) fn read(
        &self,
        steps: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let Self { reverse, .. } = *self;
        let (start, end) = (steps.start, steps.end);
        steps.map(move |t| if reverse { start + end - 1 - t } else { t })
    }

    /// The states before and after step `t`.
    pub(super) fn around<'s, T>(&self, states: &'s mut [T], t: usize) -> (&'s [T], &'s mut [T]) {
        let block = self.block();
        let (earlier, later) = states[t * block..][..2 * block].split_at_mut(block);
        if self.reverse {
            (later, earlier)
        } else {
            (earlier, later)
        }
    }

    /// The states before and after step `t`, to read.
    pub(super) fn beside<'s, T>(&self, states: &'s [T], t: usize) -> (&'s [T], &'s [T]) {
        let block = self.block();
        let (earlier, later) = states[t * block..][..2 * block].split_at(block);
        if self.reverse {
            (later, earlier)
        } else {
            (earlier, later)
        }
    }

    /// The states before every step, `[T·N][U]` in the order of time.
    pub(super) fn previous<'s, T>(&self, states: &'s [T]) -> &'s [T] {
        let start = if self.reverse { self.block() } else { 0 };
        &states[start..][..self.rows() * self.units]
    }

    /// The rows of step `t` in a buffer of `columns` numbers a row.
    pub(super) const fn step(&self, t: usize, columns: usize) -> Range<usize> {
        let len = self.samples * columns;
        t * len..(t + 1) * len
    }

    /// Whether step `t` of sample `n` is valid.
    #[inline(always)]
    pub(super) fn is_valid(lengths: &[u32], n: usize, t: usize) -> bool {
        lengths.is_empty() || t < lengths[n] as usize
    }

    fn check<T>(&self, x: &[T], weights: &Weights<'_, T>, lengths: &[u32], gates: usize) {
        let (units, columns) = (self.units, gates * self.units);
        assert!(
            x.len() == self.rows() * self.features,
            "rnn: {} inputs for {} steps of {} samples of {} features",
            x.len(),
            self.steps,
            self.samples,
            self.features
        );
        assert!(
            weights.weight.len() == self.features * columns,
            "rnn: weight is not [{}][{columns}]",
            self.features
        );
        assert!(
            weights.recurrent.len() == units * columns,
            "rnn: recurrent is not [{units}][{columns}]"
        );
        assert!(
            lengths.is_empty() || lengths.len() == self.samples,
            "rnn: {} lengths for {} samples",
            lengths.len(),
            self.samples
        );
        for (n, &length) in lengths.iter().enumerate() {
            assert!(
                length as usize <= self.steps,
                "rnn: sample {n} has length {length} of {} steps",
                self.steps
            );
        }
    }

    /// Panics unless a forward pass has the sizes of this block, for a cell of so many gates.
    pub(super) fn check_forward<T>(&self, pass: &Forward<'_, T>, gates: usize, needs: Needs) {
        self.check(pass.x, &pass.weights, pass.lengths, gates);
        needs.check(pass.weights.bias, pass.saved, pass.scratch);
    }

    /// Panics unless a backward pass has the sizes of this block, for a cell of so many gates.
    pub(super) fn check_backward<T>(&self, pass: &Backward<'_, T>, gates: usize, needs: Needs) {
        self.check(pass.x, &pass.weights, pass.lengths, gates);
        needs.check(pass.weights.bias, pass.saved, pass.scratch);
        let Weights {
            weight,
            recurrent,
            bias,
        } = pass.weights;
        let gradients = &pass.gradients;
        assert!(
            gradients.weight.len() == weight.len(),
            "rnn: the gradient of weight has another size"
        );
        assert!(
            gradients.recurrent.len() == recurrent.len(),
            "rnn: the gradient of recurrent has another size"
        );
        assert!(
            gradients.bias.len() == bias.len(),
            "rnn: the gradient of bias has another size"
        );
        if let Some(dx) = &pass.dx {
            assert!(
                dx.len() == pass.x.len(),
                "rnn: {} input gradients for {} inputs",
                dx.len(),
                pass.x.len()
            );
        }
        let rows = match pass.dstates.returns {
            Returns::Last => self.samples,
            Returns::Sequence => self.rows(),
        };
        let StateGradient {
            data, row_stride, ..
        } = pass.dstates;
        assert!(
            row_stride >= self.units,
            "rnn: rows of state gradients overlap"
        );
        let needed = if rows == 0 {
            0
        } else {
            (rows - 1) * row_stride + self.units
        };
        assert!(
            data.len() >= needed,
            "rnn: {} numbers of state gradients, {needed} needed",
            data.len()
        );
    }
}

/// The lengths a cell expects.
#[derive(Clone, Copy)]
pub(super) struct Needs {
    pub(super) bias: usize,
    pub(super) saved: usize,
    pub(super) scratch: usize,
}

impl Needs {
    fn check<T>(self, bias: &[T], saved: &[T], scratch: &[T]) {
        assert!(
            bias.len() == self.bias,
            "rnn: a bias of {}, expected {}",
            bias.len(),
            self.bias
        );
        assert!(
            saved.len() == self.saved,
            "rnn: {} numbers to save in, expected {}",
            saved.len(),
            self.saved
        );
        assert!(
            scratch.len() >= self.scratch,
            "rnn: scratch of {}, {} needed",
            scratch.len(),
            self.scratch
        );
    }
}

impl<'a, T> StateGradient<'a, T> {
    /// The gradient of the state after step `t` of sample `n`; none where that state was not passed on.
    #[inline(always)]
    pub(super) fn row(&self, sequence: &Sequence, n: usize, t: usize) -> Option<&'a [T]> {
        let row = match self.returns {
            Returns::Sequence => t * sequence.samples + n,
            Returns::Last if sequence.last_step() == Some(t) => n,
            Returns::Last => return None,
        };
        Some(&self.data[row * self.row_stride..][..sequence.units])
    }
}

/// d of lane group `j`: what came back from the later steps and, where there is one, the state's own gradient.
#[inline(always)]
pub(super) fn state_gradient<S: Simd>(
    simd: S,
    dh: &[S::Elem],
    own: Option<&[S::Elem]>,
    j: usize,
) -> S::Vector {
    let d = simd.load_partial(&dh[j..]);
    match own {
        Some(own) => simd.add(d, simd.load_partial(&own[j..])),
        None => d,
    }
}

/// What a padded step does on the way back: all of d goes to the state before.
#[inline(always)]
pub(super) fn pass_back<S: Simd>(simd: S, own: Option<&[S::Elem]>, dh: &mut [S::Elem]) {
    let mut j = 0;
    while j < dh.len() {
        let d = state_gradient(simd, dh, own, j);
        simd.store_partial(d, &mut dh[j..]);
        j += S::LANES;
    }
}

/// Takes `len` elements off the front.
pub(super) fn take<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (taken, left) = std::mem::take(rest).split_at_mut(len);
    *rest = left;
    taken
}

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
    let columns = if rows == 0 { 0 } else { g.len() / rows };
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

/// sums\[j\] += Σ rows\[i\]\[j\], the rows in ascending order.
#[inline(always)]
pub(super) fn add_rows<S: Simd>(
    simd: S,
    rows: Columns<'_, S::Elem>,
    count: usize,
    sums: &mut [S::Elem],
) {
    let mut j = 0;
    while j < rows.columns {
        let width = (rows.columns - j).min(S::LANES);
        let mut sum = simd.load_partial(&sums[j..j + width]);
        for i in 0..count {
            sum = simd.add(
                sum,
                simd.load_partial(&rows.data[i * rows.row_stride + j..][..width]),
            );
        }
        simd.store_partial(sum, &mut sums[j..j + width]);
        j += width;
    }
}

/// `target[j][i] = source[i][j]` for a matrix of `columns` columns.
pub(super) fn transpose<T: Float>(source: &[T], columns: usize, target: &mut [T]) {
    let rows = if columns == 0 {
        0
    } else {
        source.len() / columns
    };
    for i in 0..rows {
        for j in 0..columns {
            target[j * rows + i] = source[i * columns + j];
        }
    }
}
