//! The GRU's way back.
//!
//! ```text
//! for each step, the one read last first:
//!     d = z⊙d' + [dz', dr', dq']·Uᵀ + the state's own gradient     with ' of the step read after: in the register tile
//!     dz = d⊙(h − c)⊙z⊙(1 − z); dc = d⊙(1 − z)⊙(1 − c²); dq = dc⊙r; dr = dc⊙q⊙r⊙(1 − r)
//! one product over all steps for each weight and for the inputs
//! ```
//!
//! A GRU that resets before the product has ds = dc·U_hᵀ between dc and dr, so it goes over the units twice: dr = ds⊙h⊙r⊙(1 − r),
//! and ds⊙r goes back, too. The sums of the biases' gradients run in the order of the steps here, the samples of each ascending.

use super::Gru;
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
    pub(super) gru: Gru,
    pub(super) pass: Backward<'a, T>,
}

/// One step on the way back.
struct StepBack<'a, T> {
    reading: Reading<'a>,
    units: usize,
    /// `[N][U]`, the state before the step.
    before: &'a [T],
    /// The gradient of the state after the step that is the state's own, if it has one.
    own: Option<Rows<'a, T>>,
    /// `[N][U]`, of the gradient of the state before the step what comes not through Uᵀ; likewise of the state after it, at first.
    dh: &'a mut [T],
    /// `[N][3·U]`: z, r, c, then the gradients of their sums; those of the step read after, if there is one.
    gates: &'a mut [T],
    next_gates: Option<&'a [T]>,
    /// `[N][U]`: q, and after the product its gradient; that of the step read after.
    q: &'a mut [T],
    next_q: Option<&'a [T]>,
    /// `[4][U]`, the sums of the gradients of z, r, c and q.
    totals: &'a mut [T],
}

impl<T: Float> Kernel<T> for BackwardPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { gru, pass } = self;
        let sequence = gru.sequence;
        let Backward {
            weights,
            dstates,
            gradients,
            mut scratch,
            ..
        } = pass;
        let Sequence { samples, units, .. } = sequence;
        let transposed = gru.transposed();
        let strips = take(&mut scratch, transposed.len());
        transposed.fill(simd, weights.recurrent, strips);
        let dh = take(&mut scratch, sequence.block());
        dh.fill(T::ZERO);
        let totals = take(&mut scratch, 4 * units);
        totals.fill(T::ZERO);
        let (states, rest) = pass.saved.split_at_mut(sequence.states_len());
        let (gates, q) = rest.split_at_mut(3 * sequence.rows() * units);
        for t in sequence.read(0..sequence.steps).rev() {
            let (before, _) = sequence.beside(states, t);
            let (gates, next_gates) = sequence.with_next(gates, t, 3 * units);
            let (q, next_q) = sequence.with_next(q, t, units);
            let mut step = StepBack {
                reading: Reading::new(pass.lengths, t),
                units,
                before,
                own: dstates.step(&sequence, t),
                dh: &mut *dh,
                gates,
                next_gates,
                q,
                next_q,
                totals: &mut *totals,
            };
            for spot in transposed.spots::<S>(samples) {
                let tile = transposed.tile(strips, spot);
                if gru.reset_after {
                    step.after(simd, tile);
                } else {
                    step.open_before(simd, tile);
                }
            }
            if !gru.reset_after {
                for spot in transposed.spots::<S>(samples) {
                    let tile = transposed.tile(strips, spot);
                    step.finish_before(simd, tile);
                }
            }
        }
        gru.add_biases(totals, gradients.bias);
        gru.add_recurrent(simd, states, [&*gates, q], gradients.recurrent, scratch);
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
    /// Rows of dz and dr of the step read after; none behind the step read last.
    #[inline(always)]
    fn incoming(&self) -> Rows<'_, T> {
        let u = self.units;
        let next = self.next_gates.map(|next| Rows::new(next, 3 * u, 2 * u));
        next.unwrap_or(Rows::NONE)
    }

    /// What the finish of a tile reads: z, r, c, q, the state before, and the own gradient of that after.
    #[inline(always)]
    fn ahead(&self, tile: Tile<'_, T>) -> Ahead<T, 6> {
        let Place {
            n,
            unit: j,
            units: u,
            ..
        } = tile.place;
        let gates = &self.gates[3 * n * u + j..];
        let before = (&self.before[n * u + j..], u);
        let own = self
            .own
            .map_or(before, |own| (&own.data[n * own.stride + j..], own.stride));
        let buffers = [
            (gates, 3 * u),
            (&gates[u..], 3 * u),
            (&gates[2 * u..], 3 * u),
            (&self.q[n * u + j..], u),
            before,
            own,
        ];
        Ahead::new(buffers, tile.vectors)
    }

    /// Reset after: the gradients of the gates of a tile.
    #[inline(always)]
    fn after<S: Simd<Elem = T>>(&mut self, simd: S, tile: Tile<'_, T>) {
        let u = self.units;
        let next_q = self.next_q.map(|next| Rows::new(next, u, u));
        let incoming = Incoming {
            start: Some(&*self.dh),
            gates: [self.incoming(), next_q.unwrap_or(Rows::NONE)],
            first: 0,
        };
        let mut sums = [[simd.zero(); PAIR]; MOST_ROWS];
        tile.gather(simd, incoming, self.ahead(tile), &mut sums);
        for v in 0..PAIR {
            let Some(place) = tile.vector(v) else { break };
            if place.is_full::<S>() {
                self.finish_after::<S, true>(simd, place, &sums, v);
            } else {
                self.finish_after::<S, false>(simd, place, &sums, v);
            }
        }
    }

    #[inline(always)]
    fn finish_after<S: Simd<Elem = T>, const FULL: bool>(
        &mut self,
        simd: S,
        place: Place,
        sums: &Sums<S::Vector>,
        v: usize,
    ) {
        let (zero, one) = (simd.zero(), simd.splat(T::ONE));
        let own = self.own.map(|own| Column::<S, FULL>::of(simd, place, own));
        let before = Column::<S, FULL>::new(simd, place, self.before);
        let mut gates = ColumnMut::<S, FULL>::new(simd, place, self.gates, 3);
        let mut q_column = ColumnMut::<S, FULL>::new(simd, place, self.q, 1);
        let mut dh = ColumnMut::<S, FULL>::new(simd, place, self.dh, 1);
        let mut totals = [zero; 4];
        for r in 0..place.rows {
            let d = add_own(simd, sums[r][v], own, r);
            if !self.reading.is_valid(place.n + r) {
                for g in 0..3 {
                    gates.store(r, g, zero);
                }
                q_column.store(r, 0, zero);
                dh.store(r, 0, d);
                continue;
            }
            let (z, reset, c) = (gates.load(r, 0), gates.load(r, 1), gates.load(r, 2));
            let (q, h) = (q_column.load(r, 0), before.load(r, 0));
            let keep = simd.sub(one, z);
            let dz = simd.mul(simd.mul(d, simd.sub(h, c)), simd.mul(z, keep));
            let dc = simd.mul(simd.mul(d, keep), simd.sub(one, simd.mul(c, c)));
            let dr = simd.mul(simd.mul(dc, q), simd.mul(reset, simd.sub(one, reset)));
            let dq = simd.mul(dc, reset);
            gates.store(r, 0, dz);
            gates.store(r, 1, dr);
            gates.store(r, 2, dc);
            q_column.store(r, 0, dq);
            dh.store(r, 0, simd.mul(d, z));
            let terms = [dz, dr, dc, dq];
            for g in 0..4 {
                totals[g] = simd.add(totals[g], terms[g]);
            }
        }
        let mut column = ColumnMut::<S, FULL>::new(simd, place.one_row(), self.totals, 4);
        for g in 0..4 {
            column.store(0, g, simd.add(column.load(0, g), totals[g]));
        }
    }

    /// Reset before: dz and dc of a tile; r, which has to wait, stays.
    #[inline(always)]
    fn open_before<S: Simd<Elem = T>>(&mut self, simd: S, tile: Tile<'_, T>) {
        let incoming = Incoming {
            start: Some(&*self.dh),
            gates: [self.incoming(), Rows::NONE],
            first: 0,
        };
        let mut sums = [[simd.zero(); PAIR]; MOST_ROWS];
        tile.gather(simd, incoming, self.ahead(tile), &mut sums);
        for v in 0..PAIR {
            let Some(place) = tile.vector(v) else { break };
            if place.is_full::<S>() {
                self.open_column::<S, true>(simd, place, &sums, v);
            } else {
                self.open_column::<S, false>(simd, place, &sums, v);
            }
        }
    }

    #[inline(always)]
    fn open_column<S: Simd<Elem = T>, const FULL: bool>(
        &mut self,
        simd: S,
        place: Place,
        sums: &Sums<S::Vector>,
        v: usize,
    ) {
        let (zero, one) = (simd.zero(), simd.splat(T::ONE));
        let own = self.own.map(|own| Column::<S, FULL>::of(simd, place, own));
        let before = Column::<S, FULL>::new(simd, place, self.before);
        let mut gates = ColumnMut::<S, FULL>::new(simd, place, self.gates, 3);
        let mut q = ColumnMut::<S, FULL>::new(simd, place, self.q, 1);
        let mut dh = ColumnMut::<S, FULL>::new(simd, place, self.dh, 1);
        let mut totals = [zero; 2];
        for r in 0..place.rows {
            let d = add_own(simd, sums[r][v], own, r);
            if !self.reading.is_valid(place.n + r) {
                for g in 0..3 {
                    gates.store(r, g, zero);
                }
                q.store(r, 0, zero);
                dh.store(r, 0, d);
                continue;
            }
            let (z, c, h) = (gates.load(r, 0), gates.load(r, 2), before.load(r, 0));
            let keep = simd.sub(one, z);
            let dz = simd.mul(simd.mul(d, simd.sub(h, c)), simd.mul(z, keep));
            let dc = simd.mul(simd.mul(d, keep), simd.sub(one, simd.mul(c, c)));
            gates.store(r, 0, dz);
            gates.store(r, 2, dc);
            dh.store(r, 0, simd.mul(d, z));
            totals = [simd.add(totals[0], dz), simd.add(totals[1], dc)];
        }
        let mut column = ColumnMut::<S, FULL>::new(simd, place.one_row(), self.totals, 4);
        for (g, total) in [(0, totals[0]), (2, totals[1])] {
            column.store(0, g, simd.add(column.load(0, g), total));
        }
    }

    /// Reset before: ds = dc·U_hᵀ of a tile, the gradient of r⊙h, and from it dr and a part of dh.
    #[inline(always)]
    fn finish_before<S: Simd<Elem = T>>(&mut self, simd: S, tile: Tile<'_, T>) {
        let u = self.units;
        let dc = Rows::new(&*self.gates, 3 * u, 3 * u).part(2 * u, u);
        let incoming = Incoming {
            start: None,
            gates: [dc, Rows::NONE],
            first: 2 * u,
        };
        let mut sums = [[simd.zero(); PAIR]; MOST_ROWS];
        tile.gather(simd, incoming, Ahead::<T, 0>::none(), &mut sums);
        for v in 0..PAIR {
            let Some(place) = tile.vector(v) else { break };
            if place.is_full::<S>() {
                self.finish_column::<S, true>(simd, place, &sums, v);
            } else {
                self.finish_column::<S, false>(simd, place, &sums, v);
            }
        }
    }

    #[inline(always)]
    fn finish_column<S: Simd<Elem = T>, const FULL: bool>(
        &mut self,
        simd: S,
        place: Place,
        sums: &Sums<S::Vector>,
        v: usize,
    ) {
        let one = simd.splat(T::ONE);
        let before = Column::<S, FULL>::new(simd, place, self.before);
        let mut gates = ColumnMut::<S, FULL>::new(simd, place, self.gates, 3);
        let mut dh = ColumnMut::<S, FULL>::new(simd, place, self.dh, 1);
        let mut total = simd.zero();
        for r in 0..place.rows {
            if !self.reading.is_valid(place.n + r) {
                continue;
            }
            let (ds, h, reset) = (sums[r][v], before.load(r, 0), gates.load(r, 1));
            let through = simd.mul(reset, simd.sub(one, reset));
            let dr = simd.mul(simd.mul(ds, h), through);
            gates.store(r, 1, dr);
            dh.store(r, 0, simd.mul_add(ds, reset, dh.load(r, 0)));
            total = simd.add(total, dr);
        }
        let mut column = ColumnMut::<S, FULL>::new(simd, place.one_row(), self.totals, 4);
        column.store(0, 1, simd.add(column.load(0, 1), total));
    }
}

impl Gru {
    /// The gradients of the biases, from the sums of those of z, r, c and q.
    fn add_biases<T: Float>(&self, totals: &[T], biases: &mut [T]) {
        let u = self.sequence.units;
        let (inputs, state) = biases.split_at_mut(3 * u);
        let (zr, q) = (&totals[..2 * u], &totals[3 * u..]);
        let add = |biases: &mut [T], totals: &mut dyn Iterator<Item = &T>| {
            for (bias, total) in biases.iter_mut().zip(totals) {
                *bias += *total;
            }
        };
        add(inputs, &mut totals.iter());
        // Without biases of the state there is nothing to add to.
        add(state, &mut zr.iter().chain(q));
    }

    /// The gradient of U, from those of all gates and of q.
    #[inline(always)]
    fn add_recurrent<S: Simd>(
        &self,
        simd: S,
        states: &[S::Elem],
        [gates, q]: [&[S::Elem]; 2],
        du: &mut [S::Elem],
        scratch: &mut [S::Elem],
    ) {
        let (u, rows) = (self.sequence.units, self.sequence.rows());
        let previous = Columns::of(self.sequence.previous(states), 0..u, u);
        let q = Columns::of(q, 0..u, u);
        let dc = Columns::of(gates, 2 * u..3 * u, 3 * u);
        let dzr = Columns::of(gates, 0..2 * u, 3 * u);
        let (h_input, h_gradient) = if self.reset_after {
            (previous, q)
        } else {
            (q, dc)
        };
        let du_zr = MatrixMut::row_major(du, 3 * u);
        add_weight_gradient(simd, rows, previous, dzr, du_zr, scratch);
        let start = (2 * u).min(du.len());
        let du_h = MatrixMut {
            data: &mut du[start..],
            row_stride: 3 * u,
        };
        add_weight_gradient(simd, rows, h_input, h_gradient, du_h, scratch);
    }
}
