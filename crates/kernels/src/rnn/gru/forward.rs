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
use crate::rnn::inputs::{Inputs, StepInputs, input_sums};
use crate::rnn::strips::{Strip, WIDTH};
use crate::rnn::tile::{Lanes, MOST_ROWS, Rows, add_products, groups};
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
        let Sequence { samples, units, .. } = self.sequence;
        let strips = self.strips();
        for strip in strips.iter(prepared) {
            for lane in (0..WIDTH.min(units - strip.unit)).step_by(S::LANES) {
                for (n, rows) in groups(samples, most_rows::<S>()) {
                    let tile = Tile { strip, lane, n };
                    let mut sums = [[simd.zero(); 4]; MOST_ROWS];
                    gather(simd, self.reset_after, &step, tile, rows, &mut sums);
                    if self.reset_after {
                        finish_after(simd, &mut step, tile, &mut sums[..rows]);
                    } else {
                        open_before(simd, &mut step, tile, &mut sums[..rows]);
                    }
                }
            }
        }
        if self.reset_after {
            return;
        }
        for strip in strips.iter(prepared) {
            for lane in (0..WIDTH.min(units - strip.unit)).step_by(S::LANES) {
                for (n, rows) in groups(samples, most_rows::<S>()) {
                    let tile = Tile { strip, lane, n };
                    let mut sums = [[simd.zero(); 4]; MOST_ROWS];
                    gather_candidate(simd, &step, tile, rows, &mut sums);
                    finish_before(simd, &mut step, tile, &mut sums[..rows]);
                }
            }
        }
    }
}

/// Rows of a tile: three sums each, three vectors of weights and a number have to fit the registers.
const fn most_rows<S: Simd>() -> usize {
    if S::REGISTERS >= 32 { 8 } else { 4 }
}

/// Some samples and one vector of units.
#[derive(Clone, Copy)]
struct Tile<'a, T> {
    strip: Strip<'a, T>,
    /// The first unit within the strip.
    lane: usize,
    /// The first sample.
    n: usize,
}

impl<'a, T: Float> Tile<'a, T> {
    /// The first unit.
    const fn unit(&self) -> usize {
        self.strip.unit + self.lane
    }

    const fn lanes(&self, weights: &'a [T], gate: usize) -> Lanes<'a, T> {
        Lanes {
            weights,
            gates: 3,
            gate,
            lane: self.lane,
        }
    }

    #[inline(always)]
    fn bias<S: Simd<Elem = T>>(&self, simd: S, row: usize) -> S::Vector {
        simd.load(&self.strip.biases[row * WIDTH + self.lane..])
    }
}

/// All sums of a tile of `rows` samples.
#[inline(always)]
fn gather<S: Simd>(
    simd: S,
    reset_after: bool,
    step: &Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    rows: usize,
    sums: &mut Sums<S::Vector>,
) {
    match rows {
        1 => gather_rows::<S, 1>(simd, reset_after, step, tile, sums),
        2 => gather_rows::<S, 2>(simd, reset_after, step, tile, sums),
        3 => gather_rows::<S, 3>(simd, reset_after, step, tile, sums),
        4 => gather_rows::<S, 4>(simd, reset_after, step, tile, sums),
        5 => gather_rows::<S, 5>(simd, reset_after, step, tile, sums),
        6 => gather_rows::<S, 6>(simd, reset_after, step, tile, sums),
        7 => gather_rows::<S, 7>(simd, reset_after, step, tile, sums),
        _ => gather_rows::<S, 8>(simd, reset_after, step, tile, sums),
    }
}

#[inline(always)]
fn gather_rows<S: Simd, const R: usize>(
    simd: S,
    reset_after: bool,
    step: &Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    into: &mut Sums<S::Vector>,
) {
    let mut sums = input_sums::<S, R, 3>(simd, step.inputs, tile.n, tile.strip, tile.lane);
    for r in 0..R {
        into[r][2] = sums[r][2];
        sums[r][2] = simd.zero();
    }
    let recurrent = tile.lanes(tile.strip.recurrent, 0);
    if reset_after {
        let sums = add_products::<S, R, 3>(simd, sums, step.before, tile.n, recurrent);
        let bias = tile.bias(simd, 3);
        for r in 0..R {
            (into[r][0], into[r][1]) = (sums[r][0], sums[r][1]);
            into[r][3] = simd.add(sums[r][2], bias);
        }
    } else {
        let mut two = [[simd.zero(); 2]; R];
        for r in 0..R {
            two[r] = [sums[r][0], sums[r][1]];
        }
        let sums = add_products::<S, R, 2>(simd, two, step.before, tile.n, recurrent);
        for r in 0..R {
            (into[r][0], into[r][1]) = (sums[r][0], sums[r][1]);
        }
    }
}

/// Reset before: the candidate's sums, which began with the inputs' part, and r⊙h·U_h.
#[inline(always)]
fn gather_candidate<S: Simd>(
    simd: S,
    step: &Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    rows: usize,
    sums: &mut Sums<S::Vector>,
) {
    match rows {
        1 => candidate_rows::<S, 1>(simd, step, tile, sums),
        2 => candidate_rows::<S, 2>(simd, step, tile, sums),
        3 => candidate_rows::<S, 3>(simd, step, tile, sums),
        4 => candidate_rows::<S, 4>(simd, step, tile, sums),
        5 => candidate_rows::<S, 5>(simd, step, tile, sums),
        6 => candidate_rows::<S, 6>(simd, step, tile, sums),
        7 => candidate_rows::<S, 7>(simd, step, tile, sums),
        _ => candidate_rows::<S, 8>(simd, step, tile, sums),
    }
}

#[inline(always)]
fn candidate_rows<S: Simd, const R: usize>(
    simd: S,
    step: &Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    into: &mut Sums<S::Vector>,
) {
    let units = step.before.len;
    let mut sums = [[simd.zero(); 1]; R];
    for r in 0..R {
        let row = &step.gates[3 * (tile.n + r) * units..][..3 * units];
        sums[r][0] = simd.load_partial(&row[2 * units + tile.unit()..]);
    }
    let reset = Rows::new(&*step.q, units, units);
    let recurrent = tile.lanes(tile.strip.recurrent, 2);
    let sums = add_products::<S, R, 1>(simd, sums, reset, tile.n, recurrent);
    for r in 0..R {
        into[r][2] = sums[r][0];
    }
}

/// Reset after: gates and states of a tile from z, r, c and q.
#[inline(always)]
fn finish_after<S: Simd>(
    simd: S,
    step: &mut Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    sums: &mut [[S::Vector; 4]],
) {
    let (u, j) = (step.before.len, tile.unit());
    for sums in &mut *sums {
        sums[0] = gate_sigmoid(simd, sums[0]);
        sums[1] = gate_sigmoid(simd, sums[1]);
    }
    for (r, sums) in sums.iter_mut().enumerate() {
        let n = tile.n + r;
        let [z, reset, c, q] = *sums;
        let h = simd.load_partial(&step.before.row(n)[j..]);
        let c = gate_tanh(simd, simd.mul_add(reset, q, c));
        let state = simd.mul_add(z, simd.sub(h, c), c);
        let valid = step.reading.is_valid(n);
        let after = &mut step.after[n * u..][..u];
        simd.store_partial(if valid { state } else { h }, &mut after[j..]);
        if valid && !step.gates.is_empty() {
            let gates = &mut step.gates[3 * n * u..][..3 * u];
            simd.store_partial(z, &mut gates[j..u]);
            simd.store_partial(reset, &mut gates[u + j..2 * u]);
            simd.store_partial(c, &mut gates[2 * u + j..]);
            simd.store_partial(q, &mut step.q[n * u..][j..u]);
        }
    }
}

/// Reset before: z, r and q = r⊙h of a tile, and the inputs' part of c where c will be.
#[inline(always)]
fn open_before<S: Simd>(
    simd: S,
    step: &mut Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    sums: &mut [[S::Vector; 4]],
) {
    let (u, j) = (step.before.len, tile.unit());
    for (r, sums) in sums.iter_mut().enumerate() {
        let n = tile.n + r;
        let (z, reset) = (gate_sigmoid(simd, sums[0]), gate_sigmoid(simd, sums[1]));
        let h = simd.load_partial(&step.before.row(n)[j..]);
        let gates = &mut step.gates[3 * n * u..][..3 * u];
        simd.store_partial(z, &mut gates[j..u]);
        simd.store_partial(reset, &mut gates[u + j..2 * u]);
        simd.store_partial(sums[2], &mut gates[2 * u + j..]);
        simd.store_partial(simd.mul(reset, h), &mut step.q[n * u..][j..u]);
    }
}

/// Reset before: c and the states of a tile.
#[inline(always)]
fn finish_before<S: Simd>(
    simd: S,
    step: &mut Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    sums: &mut [[S::Vector; 4]],
) {
    let (u, j) = (step.before.len, tile.unit());
    for (r, sums) in sums.iter().enumerate() {
        let n = tile.n + r;
        let c = gate_tanh(simd, sums[2]);
        let h = simd.load_partial(&step.before.row(n)[j..]);
        let gates = &mut step.gates[3 * n * u..][..3 * u];
        let z = simd.load_partial(&gates[j..u]);
        simd.store_partial(c, &mut gates[2 * u + j..]);
        let state = simd.mul_add(z, simd.sub(h, c), c);
        let valid = step.reading.is_valid(n);
        let after = &mut step.after[n * u..][..u];
        simd.store_partial(if valid { state } else { h }, &mut after[j..]);
    }
}
