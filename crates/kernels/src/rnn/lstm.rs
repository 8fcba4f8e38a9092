//! Long short-term memory (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers, Schmidhuber and Cummins, 2000).
//!
//! ```text
//! i, f, o = σ(x·W + h·U + b)      g = tanh(x·W + h·U + b)
//! c' = f⊙c + i⊙g                  h' = o⊙tanh(c')
//! ```
//!
//! Gates lie in the order `i, f, g, o`. Saved are the states, the cells likewise, then for every row the four gates side
//! by side, then tanh(c').

use super::block::{Needs, carry, pass_back, sigmoid_row, start, state_gradient, take, tanh_row};
use super::products::{
    Columns, InputGradients, Projection, add_product, add_rows, add_weight_gradient,
    input_gradients, products_len, project, transpose,
};
use super::{Backward, Forward, Sequence};
use crate::float::Float;
use crate::gemm::MatrixMut;
use crate::math::tanh;
use crate::simd::{Isa, Kernel, Simd};

/// An LSTM over a block of sequences. Gates `i, f, g, o`, the third being the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lstm {
    /// Sizes and direction.
    pub sequence: Sequence,
}

impl Lstm {
    /// Numbers kept from forward to backward: states and cells, then four gates and tanh(c') a row.
    #[must_use]
    pub const fn saved_len(&self) -> usize {
        2 * self.sequence.states_len() + 5 * self.sequence.rows() * self.sequence.units
    }

    /// Numbers of scratch for either pass.
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        let Sequence { units, .. } = self.sequence;
        4 * units * units + 2 * self.sequence.block() + products_len(&self.sequence, 4)
    }

    /// The states of all steps, on the active instruction set.
    ///
    /// # Panics
    /// If a slice has another length than the block's sizes say, or a length exceeds the steps.
    pub fn forward<T: Float>(&self, pass: Forward<'_, T>) {
        self.forward_on(Isa::active(), pass);
    }

    /// [`forward`](Self::forward) on a given instruction set.
    ///
    /// # Panics
    /// As [`forward`](Self::forward), and if this machine lacks `isa`.
    pub fn forward_on<T: Float>(&self, isa: Isa, pass: Forward<'_, T>) {
        self.sequence.check_forward(&pass, 4, self.needs());
        T::lstm_forward(isa, ForwardPass { lstm: *self, pass });
    }

    /// The gradients, after a forward pass, on the active instruction set.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward<T: Float>(&self, pass: Backward<'_, T>) {
        self.backward_on(Isa::active(), pass);
    }

    /// [`backward`](Self::backward) on a given instruction set.
    ///
    /// # Panics
    /// As [`forward_on`](Self::forward_on).
    pub fn backward_on<T: Float>(&self, isa: Isa, pass: Backward<'_, T>) {
        self.sequence.check_backward(&pass, 4, self.needs());
        T::lstm_backward(isa, BackwardPass { lstm: *self, pass });
    }

    const fn needs(&self) -> Needs {
        Needs {
            bias: 4 * self.sequence.units,
            carried: 2 * self.sequence.units,
            saved: self.saved_len(),
            scratch: self.scratch_len(),
        }
    }

    /// What is saved, cut up.
    fn parts<'s, T>(&self, saved: &'s mut [T]) -> Parts<'s, T> {
        let Sequence { units, .. } = self.sequence;
        let (states, rest) = saved.split_at_mut(self.sequence.states_len());
        let (cells, rest) = rest.split_at_mut(self.sequence.states_len());
        let (gates, squashed) = rest.split_at_mut(4 * self.sequence.rows() * units);
        Parts {
            states,
            cells,
            gates,
            squashed,
        }
    }
}

struct Parts<'s, T> {
    /// `[T + 1][N][U]`
    states: &'s mut [T],
    /// `[T + 1][N][U]`
    cells: &'s mut [T],
    /// `[T·N][4·U]`
    gates: &'s mut [T],
    /// tanh(c'), `[T·N][U]`
    squashed: &'s mut [T],
}

pub(crate) struct ForwardPass<'a, T> {
    lstm: Lstm,
    pass: Forward<'a, T>,
}

impl<T: Float> Kernel<T> for ForwardPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { lstm, pass } = self;
        let sequence = lstm.sequence;
        let Forward {
            x,
            weights,
            lengths,
            carried,
            saved,
            scratch,
        } = pass;
        let Sequence { samples, units, .. } = sequence;
        let Parts {
            states,
            cells,
            gates,
            squashed,
        } = lstm.parts(saved);
        start(&sequence, carried, 0, states);
        start(&sequence, carried, 1, cells);
        let inputs = Projection {
            x,
            weight: weights.weight,
            bias: weights.bias,
        };
        let recurrent = Columns::of(weights.recurrent, 0..4 * units, 4 * units);
        for steps in sequence.chunks() {
            project(simd, &sequence, steps.clone(), inputs, gates, scratch);
            for t in sequence.read(steps) {
                let (before, after) = sequence.around(states, t);
                let (cells_before, cells_after) = sequence.around(cells, t);
                let gates = &mut gates[sequence.step(t, 4 * units)];
                let squashed = &mut squashed[sequence.step(t, units)];
                let sums = MatrixMut::row_major(gates, 4 * units);
                add_product(
                    simd,
                    samples,
                    Columns::of(before, 0..units, units),
                    recurrent,
                    sums,
                    scratch,
                );
                for n in 0..samples {
                    let row = n * units..(n + 1) * units;
                    if Sequence::is_valid(lengths, n, t) {
                        let cell = Cell {
                            c: &cells_before[row.clone()],
                            gates: &mut gates[4 * n * units..][..4 * units],
                            squashed: &mut squashed[row.clone()],
                        };
                        step(simd, cell, &mut cells_after[row.clone()], &mut after[row]);
                    } else {
                        after[row.clone()].copy_from_slice(&before[row.clone()]);
                        cells_after[row.clone()].copy_from_slice(&cells_before[row]);
                    }
                }
            }
        }
        carry(&sequence, states, 0, carried);
        carry(&sequence, cells, 1, carried);
    }
}

/// One row of a step.
struct Cell<'a, T> {
    /// The cell before.
    c: &'a [T],
    /// i, f, g, o: forth from sums to gates, back from gates to the gradients of the sums.
    gates: &'a mut [T],
    /// tanh of the cell after.
    squashed: &'a mut [T],
}

/// The gates, the cell and the state of a row from its sums.
#[inline(always)]
fn step<S: Simd>(simd: S, row: Cell<'_, S::Elem>, cell: &mut [S::Elem], state: &mut [S::Elem]) {
    let Cell { c, gates, squashed } = row;
    let (i_f, g_o) = gates.split_at_mut(2 * c.len());
    let (g_row, o_row) = g_o.split_at_mut(c.len());
    sigmoid_row(simd, i_f);
    tanh_row(simd, g_row);
    sigmoid_row(simd, o_row);
    let (i_row, f_row) = i_f.split_at(c.len());
    let mut j = 0;
    while j < c.len() {
        let (i, f) = (
            simd.load_partial(&i_row[j..]),
            simd.load_partial(&f_row[j..]),
        );
        let (g, o) = (
            simd.load_partial(&g_row[j..]),
            simd.load_partial(&o_row[j..]),
        );
        let c = simd.mul_add(f, simd.load_partial(&c[j..]), simd.mul(i, g));
        let s = tanh(simd, c);
        simd.store_partial(c, &mut cell[j..]);
        simd.store_partial(s, &mut squashed[j..]);
        simd.store_partial(simd.mul(o, s), &mut state[j..]);
        j += S::LANES;
    }
}

pub(crate) struct BackwardPass<'a, T> {
    lstm: Lstm,
    pass: Backward<'a, T>,
}

impl<T: Float> Kernel<T> for BackwardPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { lstm, pass } = self;
        let sequence = lstm.sequence;
        let Backward {
            x,
            weights,
            lengths,
            saved,
            dstates,
            dx,
            gradients,
            mut scratch,
        } = pass;
        let Sequence { samples, units, .. } = sequence;
        let transposed = take(&mut scratch, 4 * units * units);
        transpose(weights.recurrent, 4 * units, transposed);
        let dh = take(&mut scratch, sequence.block());
        let dc = take(&mut scratch, sequence.block());
        dh.fill(T::ZERO);
        dc.fill(T::ZERO);
        let Parts {
            states,
            cells,
            gates,
            squashed,
        } = lstm.parts(saved);
        for t in sequence.read(0..sequence.steps).rev() {
            let (before, _) = sequence.beside(cells, t);
            let gates = &mut gates[sequence.step(t, 4 * units)];
            let squashed = &mut squashed[sequence.step(t, units)];
            for n in 0..samples {
                let row = n * units..(n + 1) * units;
                let own = dstates.row(&sequence, n, t);
                let gates = &mut gates[4 * n * units..][..4 * units];
                if Sequence::is_valid(lengths, n, t) {
                    let cell = Cell {
                        c: &before[row.clone()],
                        gates,
                        squashed: &mut squashed[row.clone()],
                    };
                    step_back(simd, cell, own, &mut dh[row.clone()], &mut dc[row]);
                } else {
                    gates.fill(T::ZERO);
                    pass_back(simd, own, &mut dh[row]);
                }
            }
            let (a, b) = (
                Columns::of(gates, 0..4 * units, 4 * units),
                Columns::of(transposed, 0..units, units),
            );
            add_product(
                simd,
                samples,
                a,
                b,
                MatrixMut::row_major(dh, units),
                scratch,
            );
        }
        let previous = Columns::of(sequence.previous(states), 0..units, units);
        let dgates = Columns::of(gates, 0..4 * units, 4 * units);
        let drecurrent = MatrixMut::row_major(gradients.recurrent, 4 * units);
        add_weight_gradient(simd, sequence.rows(), previous, dgates, drecurrent, scratch);
        add_rows(simd, dgates, sequence.rows(), gradients.bias);
        let operands = InputGradients {
            x,
            weight: weights.weight,
            dx,
            dweight: gradients.weight,
        };
        input_gradients(simd, &sequence, gates, operands, scratch);
    }
}

/// The gradients of a row's sums in the place of its gates; dc becomes that of the cell before. Of the state before,
/// everything comes through the product.
#[inline(always)]
fn step_back<S: Simd>(
    simd: S,
    row: Cell<'_, S::Elem>,
    own: Option<&[S::Elem]>,
    dh: &mut [S::Elem],
    dc_row: &mut [S::Elem],
) {
    let Cell { c, gates, squashed } = row;
    let one = simd.splat(S::Elem::ONE);
    let (i_row, rest) = gates.split_at_mut(c.len());
    let (f_row, rest) = rest.split_at_mut(c.len());
    let (g_row, o_row) = rest.split_at_mut(c.len());
    let mut j = 0;
    while j < c.len() {
        let d = state_gradient(simd, dh, own, j);
        let (i, f) = (
            simd.load_partial(&i_row[j..]),
            simd.load_partial(&f_row[j..]),
        );
        let (g, o) = (
            simd.load_partial(&g_row[j..]),
            simd.load_partial(&o_row[j..]),
        );
        let (s, c) = (
            simd.load_partial(&squashed[j..]),
            simd.load_partial(&c[j..]),
        );
        let through = simd.mul(simd.mul(d, o), simd.sub(one, simd.mul(s, s)));
        let dc = simd.add(simd.load_partial(&dc_row[j..]), through);
        let di = simd.mul(simd.mul(dc, g), simd.mul(i, simd.sub(one, i)));
        let df = simd.mul(simd.mul(dc, c), simd.mul(f, simd.sub(one, f)));
        let dg = simd.mul(simd.mul(dc, i), simd.sub(one, simd.mul(g, g)));
        let r#do = simd.mul(simd.mul(d, s), simd.mul(o, simd.sub(one, o)));
        simd.store_partial(di, &mut i_row[j..]);
        simd.store_partial(df, &mut f_row[j..]);
        simd.store_partial(dg, &mut g_row[j..]);
        simd.store_partial(r#do, &mut o_row[j..]);
        simd.store_partial(simd.mul(dc, f), &mut dc_row[j..]);
        simd.store_partial(simd.zero(), &mut dh[j..]);
        j += S::LANES;
    }
}
