//! The LSTM's way back.

use super::{Lstm, Parts};
use crate::float::Float;
use crate::gemm::MatrixMut;
use crate::rnn::block::{pass_back, state_gradient, take};
use crate::rnn::products::{
    Columns, InputGradients, add_product, add_rows, add_weight_gradient, input_gradients, transpose,
};
use crate::rnn::{Backward, Sequence};
use crate::simd::{Kernel, Simd};

pub(crate) struct BackwardPass<'a, T> {
    pub(super) lstm: Lstm,
    pub(super) pass: Backward<'a, T>,
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

/// One row of a step.
struct Cell<'a, T> {
    /// The cell before.
    c: &'a [T],
    /// i, f, g, o, then the gradients of their sums.
    gates: &'a mut [T],
    /// tanh of the cell after.
    squashed: &'a mut [T],
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
