//! The LSTM's way back.
//!
//! ```text
//! for each step, the one read last first:
//!     d = [di', df', dg', do']·Uᵀ + the state's own gradient       with ' of the step read after: in the register tile
//!     e = f'⊙e' + d⊙o⊙(1 − tanh²(c))                               the gradient of the cell c
//!     di = e⊙g⊙i⊙(1 − i); df = e⊙c₋₁⊙f⊙(1 − f); dg = e⊙i⊙(1 − g²); do = d⊙tanh(c)⊙o⊙(1 − o)
//! one product over all steps for each weight and for the inputs
//! ```
//!
//! The sums of the biases' gradients run in the order of the steps here, the samples of each ascending.

use super::{Lstm, Parts};
use crate::float::Float;
use crate::gemm::MatrixMut;
use crate::rnn::ahead::Ahead;
use crate::rnn::back::{Incoming, PAIR, Sums, Tile, add_own};
use crate::rnn::block::take;
use crate::rnn::column::{Column, ColumnMut, Place};
use crate::rnn::products::{Columns, InputGradients, add_weight_gradient, input_gradients};
use crate::rnn::tile::{MOST_ROWS, Rows};
use crate::rnn::walk::Reading;
use crate::rnn::{Backward, Sequence};
use crate::simd::{Kernel, Simd};

pub(crate) struct BackwardPass<'a, T> {
    pub(super) lstm: Lstm,
    pub(super) pass: Backward<'a, T>,
}

/// One step on the way back.
struct StepBack<'a, T> {
    reading: Reading<'a>,
    units: usize,
    /// `[N][U]`, the cell before the step.
    before: &'a [T],
    /// The gradient of the state after the step that is the state's own, if it has one.
    own: Option<Rows<'a, T>>,
    /// `[N][U]`, the gradient of the state before a padded step; zero of other steps, through which it comes by Uᵀ alone.
    dh: &'a mut [T],
    /// `[N][U]`, the gradient of the cell: after the step, then before it.
    dc: &'a mut [T],
    /// `[N][4·U]`: i, f, g, o, then the gradients of their sums; those of the step read after, if there is one.
    gates: &'a mut [T],
    next_gates: Option<&'a [T]>,
    /// `[N][U]`, tanh of the cell after.
    squashed: &'a [T],
    /// `[4][U]`, the sums of the gates' gradients.
    totals: &'a mut [T],
}

impl<T: Float> Kernel<T> for BackwardPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { lstm, pass } = self;
        let sequence = lstm.sequence;
        let Backward {
            weights,
            dstates,
            gradients,
            mut scratch,
            ..
        } = pass;
        let Sequence { samples, units, .. } = sequence;
        let transposed = lstm.transposed();
        let strips = take(&mut scratch, transposed.len());
        transposed.fill(simd, weights.recurrent, strips);
        let dh = take(&mut scratch, sequence.block());
        let dc = take(&mut scratch, sequence.block());
        dh.fill(T::ZERO);
        dc.fill(T::ZERO);
        let totals = take(&mut scratch, 4 * units);
        totals.fill(T::ZERO);
        let Parts {
            states,
            cells,
            gates,
            squashed,
        } = lstm.parts(pass.saved);
        for t in sequence.read(0..sequence.steps).rev() {
            let (before, _) = sequence.beside(cells, t);
            let (gates, next_gates) = sequence.with_next(gates, t, 4 * units);
            let mut step = StepBack {
                reading: Reading::new(pass.lengths, t),
                units,
                before,
                own: dstates.step(&sequence, t),
                dh: &mut *dh,
                dc: &mut *dc,
                gates,
                next_gates,
                squashed: &squashed[sequence.step(t, units)],
                totals: &mut *totals,
            };
            for spot in transposed.spots::<S>(samples) {
                let tile = transposed.tile(strips, spot);
                step.run(simd, tile);
            }
        }
        for (bias, total) in gradients.bias.iter_mut().zip(&*totals) {
            *bias += *total;
        }
        let previous = Columns::of(sequence.previous(states), 0..units, units);
        let dgates = Columns::of(gates, 0..4 * units, 4 * units);
        let drecurrent = MatrixMut::row_major(gradients.recurrent, 4 * units);
        add_weight_gradient(simd, sequence.rows(), previous, dgates, drecurrent, scratch);
        let operands = InputGradients {
            x: pass.x,
            weight: weights.weight,
            dx: pass.dx,
            dweight: gradients.weight,
        };
        input_gradients(simd, &sequence, gates, operands, scratch);
    }
}

impl<T: Float> StepBack<'_, T> {
    /// What the finish of a tile reads: i, f, g, o, tanh of the cell after, the cell before, and the own gradient of the state
    /// after.
    #[inline(always)]
    fn ahead(&self, tile: Tile<'_, T>) -> Ahead<T, 7> {
        let Place {
            n,
            unit: j,
            units: u,
            ..
        } = tile.place;
        let gates = &self.gates[4 * n * u + j..];
        let before = (&self.before[n * u + j..], u);
        let own = self
            .own
            .map_or(before, |own| (&own.data[n * own.stride + j..], own.stride));
        let buffers = [
            (gates, 4 * u),
            (&gates[u..], 4 * u),
            (&gates[2 * u..], 4 * u),
            (&gates[3 * u..], 4 * u),
            (&self.squashed[n * u + j..], u),
            before,
            own,
        ];
        Ahead::new(buffers, tile.vectors)
    }

    /// The gradients of the gates of a tile.
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(&mut self, simd: S, tile: Tile<'_, T>) {
        let u = self.units;
        let next = self.next_gates.map(|next| Rows::new(next, 4 * u, 4 * u));
        let incoming = Incoming {
            start: Some(&*self.dh),
            gates: [next.unwrap_or(Rows::NONE), Rows::NONE],
            first: 0,
        };
        let mut sums = [[simd.zero(); PAIR]; MOST_ROWS];
        tile.gather(simd, incoming, self.ahead(tile), &mut sums);
        for v in 0..PAIR {
            let Some(place) = tile.vector(v) else { break };
            if place.is_full::<S>() {
                self.finish::<S, true>(simd, place, &sums, v);
            } else {
                self.finish::<S, false>(simd, place, &sums, v);
            }
        }
    }

    #[inline(always)]
    fn finish<S: Simd<Elem = T>, const FULL: bool>(
        &mut self,
        simd: S,
        place: Place,
        sums: &Sums<S::Vector>,
        v: usize,
    ) {
        let (zero, one) = (simd.zero(), simd.splat(T::ONE));
        let own = self.own.map(|own| Column::<S, FULL>::of(simd, place, own));
        let before = Column::<S, FULL>::new(simd, place, self.before);
        let squashed = Column::<S, FULL>::new(simd, place, self.squashed);
        let mut gates = ColumnMut::<S, FULL>::new(simd, place, self.gates, 4);
        let mut dcells = ColumnMut::<S, FULL>::new(simd, place, self.dc, 1);
        let mut dh = ColumnMut::<S, FULL>::new(simd, place, self.dh, 1);
        let mut totals = [zero; 4];
        for r in 0..place.rows {
            let d = add_own(simd, sums[r][v], own, r);
            // A padded step: no gate has a gradient, and all of d goes to the state before, as that of the cell does.
            if !self.reading.is_valid(place.n + r) {
                for g in 0..4 {
                    gates.store(r, g, zero);
                }
                dh.store(r, 0, d);
                continue;
            }
            let (i, f) = (gates.load(r, 0), gates.load(r, 1));
            let (g, o) = (gates.load(r, 2), gates.load(r, 3));
            let (s, c) = (squashed.load(r, 0), before.load(r, 0));
            let through = simd.mul(simd.mul(d, o), simd.sub(one, simd.mul(s, s)));
            let dc = simd.add(dcells.load(r, 0), through);
            let terms = [
                simd.mul(simd.mul(dc, g), simd.mul(i, simd.sub(one, i))),
                simd.mul(simd.mul(dc, c), simd.mul(f, simd.sub(one, f))),
                simd.mul(simd.mul(dc, i), simd.sub(one, simd.mul(g, g))),
                simd.mul(simd.mul(d, s), simd.mul(o, simd.sub(one, o))),
            ];
            dcells.store(r, 0, simd.mul(dc, f));
            dh.store(r, 0, zero);
            for g in 0..4 {
                gates.store(r, g, terms[g]);
                totals[g] = simd.add(totals[g], terms[g]);
            }
        }
        let mut column = ColumnMut::<S, FULL>::new(simd, place.one_row(), self.totals, 4);
        for g in 0..4 {
            column.store(0, g, simd.add(column.load(0, g), totals[g]));
        }
    }
}
