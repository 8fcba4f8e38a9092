//! The GRU's way forth, for training and for inference by the same step.
//!
//! ```text
//! for each vector of units, for each tile of samples:
//!     sums z, r, c = x·W + b                        in the register tile
//!     sums z, r += h·U; q = h·U_h + d               likewise
//!     z, r = σ; c = tanh(c + r⊙q); h' = z⊙h + (1 − z)⊙c
//! ```
//!
//! Only h' goes to memory, and what the way back needs if there is one. A GRU that resets before the product needs r⊙h of all
//! units first, so it goes over the units twice, with z and c waiting in memory. The non-linearities of a tile run gate by
//! gate over its samples: many of them are then under way at once, where in one row those that wait for each other would add up
//! their latencies.

use super::Gru;
use crate::float::Float;
use crate::math::{gate_sigmoid, gate_tanh};
use crate::rnn::column::{Column, ColumnMut, Place};
use crate::rnn::inputs::{Inputs, StepInputs, input_sums};
use crate::rnn::strips::Tile;
use crate::rnn::tile::{MOST_ROWS, OnRows, Rows, add_products, on_rows};
use crate::rnn::walk::{Reading, States};
use crate::rnn::{Advance, Forward, Sequence};
use crate::simd::{Kernel, Simd};

pub(crate) struct ForwardPass<'a, T> {
    pub(super) gru: Gru,
    pub(super) pass: Forward<'a, T>,
}

pub(crate) struct AdvancePass<'a, T> {
    pub(super) gru: Gru,
    pub(super) pass: Advance<'a, T>,
}

/// One step on the way forth.
struct Step<'a, T> {
    reading: Reading<'a>,
    inputs: StepInputs<'a, T>,
    /// `[N][U]`, before the step.
    before: Rows<'a, T>,
    /// `[N][U]`, to be written.
    after: &'a mut [T],
    /// `[N][3·U]`, z, r, c to be written, and `[N][U]`, q; empty where nobody needs them.
    gates: &'a mut [T],
    q: &'a mut [T],
}

/// z, r, the inputs' part of c and q of a tile.
type Sums<V> = [[V; 4]; MOST_ROWS];

impl<T: Float> Kernel<T> for ForwardPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { gru, pass } = self;
        let sequence = gru.sequence;
        let Sequence { units, .. } = sequence;
        let (states, rest) = pass.saved.split_at_mut(sequence.states_len());
        let (gates, q) = rest.split_at_mut(3 * sequence.rows() * units);
        states[sequence.initial()].fill(T::ZERO);
        for t in sequence.read(0..sequence.steps) {
            let (before, after) = sequence.around(states, t);
            let step = Step {
                reading: Reading::new(pass.lengths, t),
                inputs: Inputs::Rows(pass.x).step(&sequence, t, 0),
                before: Rows::new(before, units, units),
                after,
                gates: &mut gates[sequence.step(t, 3 * units)],
                q: &mut q[sequence.step(t, units)],
            };
            gru.step(simd, step, pass.prepared);
        }
    }
}

impl<T: Float> Kernel<T> for AdvancePass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { gru, pass } = self;
        let sequence = gru.sequence;
        let Sequence { samples, units, .. } = sequence;
        let projected = gru.projected_len();
        let (other, waiting) = pass.scratch.split_at_mut(2 * sequence.block());
        let waits = if gru.reset_after { 0 } else { samples * units };
        let (gates, q) = waiting[..4 * waits].split_at_mut(3 * waits);
        let mut states = States::new(&sequence, pass.returns, pass.y, other);
        let mut ahead = sequence.read(0..sequence.steps);
        pass.inputs
            .ask_for(simd, &sequence, ahead.next(), projected);
        for t in sequence.read(0..sequence.steps) {
            pass.inputs
                .ask_for(simd, &sequence, ahead.next(), projected);
            let (before, after) = states.around(t);
            let step = Step {
                reading: Reading::new(pass.lengths, t),
                inputs: pass.inputs.step(&sequence, t, projected),
                before: Rows::new(before.unwrap_or(&*pass.carried), units, units),
                after,
                gates: &mut *gates,
                q: &mut *q,
            };
            gru.step(simd, step, pass.prepared);
        }
        states.finish(pass.carried, units);
    }
}

impl Gru {
    /// The states after a step.
    #[inline(always)]
    fn step<S: Simd>(&self, simd: S, mut step: Step<'_, S::Elem>, prepared: &[S::Elem]) {
        let (samples, most) = (self.sequence.samples, most_rows::<S>());
        let strips = self.strips();
        let mut sums = [[simd.zero(); 4]; MOST_ROWS];
        for spot in strips.spots::<S>(samples, most) {
            let tile = strips.tile(prepared, spot);
            let gather = Gather::<S> {
                reset_after: self.reset_after,
                step: &step,
                tile,
                into: &mut sums,
            };
            on_rows(simd, tile.place.rows, most, gather);
            match (self.reset_after, tile.place.is_full::<S>()) {
                (true, true) => step.finish_after::<S, true>(simd, tile.place, &mut sums),
                (true, false) => step.finish_after::<S, false>(simd, tile.place, &mut sums),
                (false, true) => step.open_before::<S, true>(simd, tile.place, &mut sums),
                (false, false) => step.open_before::<S, false>(simd, tile.place, &mut sums),
            }
        }
        if self.reset_after {
            return;
        }
        for spot in strips.spots::<S>(samples, most) {
            let tile = strips.tile(prepared, spot);
            let gather = Candidate::<S> {
                step: &step,
                tile,
                into: &mut sums,
            };
            on_rows(simd, tile.place.rows, most, gather);
            if tile.place.is_full::<S>() {
                step.finish_before::<S, true>(simd, tile.place, &sums);
            } else {
                step.finish_before::<S, false>(simd, tile.place, &sums);
            }
        }
    }
}

/// Rows of a tile: three sums each, three vectors of weights and a number have to fit the registers.
const fn most_rows<S: Simd>() -> usize {
    if S::REGISTERS >= 32 { 8 } else { 4 }
}

/// All sums of a tile.
struct Gather<'s, 'a, S: Simd> {
    reset_after: bool,
    step: &'s Step<'a, S::Elem>,
    tile: Tile<'s, S::Elem>,
    into: &'s mut Sums<S::Vector>,
}

impl<S: Simd> OnRows<S> for Gather<'_, '_, S> {
    #[inline(always)]
    fn run<const R: usize>(self, simd: S) {
        let Self {
            reset_after,
            step,
            tile,
            into,
        } = self;
        let (zero, n) = (simd.zero(), tile.place.n);
        let mut sums = input_sums::<S, R, 3>(simd, step.inputs, tile);
        for r in 0..R {
            into[r][2] = sums[r][2];
            sums[r][2] = zero;
        }
        let recurrent = tile.lanes(tile.recurrent, 0);
        if reset_after {
            let sums = add_products::<S, R, 3>(simd, sums, step.before, n, recurrent);
            let bias = tile.bias(simd, 3);
            for r in 0..R {
                (into[r][0], into[r][1]) = (sums[r][0], sums[r][1]);
                into[r][3] = simd.add(sums[r][2], bias);
            }
        } else {
            let mut two = [[zero; 2]; R];
            for r in 0..R {
                two[r] = [sums[r][0], sums[r][1]];
            }
            let sums = add_products::<S, R, 2>(simd, two, step.before, n, recurrent);
            for r in 0..R {
                (into[r][0], into[r][1]) = (sums[r][0], sums[r][1]);
            }
        }
    }
}

/// Reset before: the candidate's sums, which began with the inputs' part, and r⊙h·U_h.
struct Candidate<'s, 'a, S: Simd> {
    step: &'s Step<'a, S::Elem>,
    tile: Tile<'s, S::Elem>,
    into: &'s mut Sums<S::Vector>,
}

impl<S: Simd> OnRows<S> for Candidate<'_, '_, S> {
    #[inline(always)]
    fn run<const R: usize>(self, simd: S) {
        let Self { step, tile, into } = self;
        let Place { n, unit, units, .. } = tile.place;
        let mut sums = [[simd.zero(); 1]; R];
        for r in 0..R {
            let row = &step.gates[3 * (n + r) * units..][..3 * units];
            sums[r][0] = simd.load_partial(&row[2 * units + unit..]);
        }
        let reset = Rows::new(&*step.q, units, units);
        let recurrent = tile.lanes(tile.recurrent, 2);
        let sums = add_products::<S, R, 1>(simd, sums, reset, n, recurrent);
        for r in 0..R {
            into[r][2] = sums[r][0];
        }
    }
}

impl<T: Float> Step<'_, T> {
    /// Reset after: gates and states of a tile from z, r, c and q.
    #[inline(always)]
    fn finish_after<S: Simd<Elem = T>, const FULL: bool>(
        &mut self,
        simd: S,
        place: Place,
        sums: &mut Sums<S::Vector>,
    ) {
        for sums in &mut sums[..place.rows] {
            sums[0] = gate_sigmoid(simd, sums[0]);
            sums[1] = gate_sigmoid(simd, sums[1]);
        }
        let before = Column::<S, FULL>::of(simd, place, self.before);
        let mut after = ColumnMut::<S, FULL>::new(simd, place, self.after, 1);
        let mut kept = if self.gates.is_empty() {
            None
        } else {
            let gates = ColumnMut::<S, FULL>::new(simd, place, self.gates, 3);
            Some((gates, ColumnMut::<S, FULL>::new(simd, place, self.q, 1)))
        };
        for r in 0..place.rows {
            let [z, reset, c, q] = sums[r];
            let h = before.load(r, 0);
            if !self.reading.is_valid(place.n + r) {
                after.store(r, 0, h);
                continue;
            }
            let c = gate_tanh(simd, simd.mul_add(reset, q, c));
            after.store(r, 0, simd.mul_add(z, simd.sub(h, c), c));
            if let Some((gates, kept_q)) = &mut kept {
                gates.store(r, 0, z);
                gates.store(r, 1, reset);
                gates.store(r, 2, c);
                kept_q.store(r, 0, q);
            }
        }
    }

    /// Reset before: z, r and q = r⊙h of a tile, and the inputs' part of c where c will be.
    #[inline(always)]
    fn open_before<S: Simd<Elem = T>, const FULL: bool>(
        &mut self,
        simd: S,
        place: Place,
        sums: &mut Sums<S::Vector>,
    ) {
        let before = Column::<S, FULL>::of(simd, place, self.before);
        let mut gates = ColumnMut::<S, FULL>::new(simd, place, self.gates, 3);
        let mut q = ColumnMut::<S, FULL>::new(simd, place, self.q, 1);
        for r in 0..place.rows {
            let [z, reset, c, _] = sums[r];
            let (z, reset) = (gate_sigmoid(simd, z), gate_sigmoid(simd, reset));
            gates.store(r, 0, z);
            gates.store(r, 1, reset);
            gates.store(r, 2, c);
            q.store(r, 0, simd.mul(reset, before.load(r, 0)));
        }
    }

    /// Reset before: c and the states of a tile.
    #[inline(always)]
    fn finish_before<S: Simd<Elem = T>, const FULL: bool>(
        &mut self,
        simd: S,
        place: Place,
        sums: &Sums<S::Vector>,
    ) {
        let before = Column::<S, FULL>::of(simd, place, self.before);
        let mut after = ColumnMut::<S, FULL>::new(simd, place, self.after, 1);
        let mut gates = ColumnMut::<S, FULL>::new(simd, place, self.gates, 3);
        for r in 0..place.rows {
            let c = gate_tanh(simd, sums[r][2]);
            let (z, h) = (gates.load(r, 0), before.load(r, 0));
            gates.store(r, 2, c);
            let state = simd.mul_add(z, simd.sub(h, c), c);
            let valid = self.reading.is_valid(place.n + r);
            after.store(r, 0, if valid { state } else { h });
        }
    }
}
