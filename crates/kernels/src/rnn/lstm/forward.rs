//! The LSTM's way forth, for training and for inference by the same step.
//!
//! ```text
//! for each vector of units, for each tile of samples:
//!     sums i, f, g, o = x·W + b + h·U               in the register tile
//!     i, f, o = σ; g = tanh; c' = f⊙c + i⊙g; h' = o⊙tanh(c')
//! ```
//!
//! Only h' and c' go to memory, and what the way back needs if there is one. The non-linearities of a tile run gate by gate over
//! its samples: many of them are then under way at once, where in one row the two tanh that wait for each other would add up
//! their latencies.

use super::{Lstm, Parts};
use crate::float::Float;
use crate::math::{gate_sigmoid, gate_tanh};
use crate::rnn::inputs::{Inputs, StepInputs, input_sums};
use crate::rnn::strips::{Strip, WIDTH};
use crate::rnn::tile::{Lanes, MOST_ROWS, Rows, add_products, groups};
use crate::rnn::walk::{Reading, States};
use crate::rnn::{Advance, Forward, Sequence};
use crate::simd::{Kernel, Simd};

pub(crate) struct ForwardPass<'a, T> {
    pub(super) lstm: Lstm,
    pub(super) pass: Forward<'a, T>,
}

pub(crate) struct AdvancePass<'a, T> {
    pub(super) lstm: Lstm,
    pub(super) pass: Advance<'a, T>,
}

/// One step on the way forth.
struct Step<'a, T> {
    reading: Reading<'a>,
    inputs: StepInputs<'a, T>,
    /// `[N][U]`, the states before the step.
    before: Rows<'a, T>,
    /// `[N][U]`, to be written.
    after: &'a mut [T],
    cells: Cells<'a, T>,
    /// `[N][4·U]`, i, f, g, o to be written, and `[N][U]`, tanh(c'); empty where nobody needs them.
    gates: &'a mut [T],
    squashed: &'a mut [T],
}

/// The cells before and after a step.
enum Cells<'a, T> {
    /// `[N][U]` each.
    Kept { before: &'a [T], after: &'a mut [T] },
    /// Behind the states in rows of 2·U, one in place of the other.
    Carried(&'a mut [T]),
}

impl<T: Float> Cells<'_, T> {
    /// The cells of sample `n` from unit `j` of `units` on.
    #[inline(always)]
    fn load<S: Simd<Elem = T>>(&self, simd: S, n: usize, units: usize, j: usize) -> S::Vector {
        simd.load_partial(match self {
            Self::Kept { before, .. } => &before[n * units..][j..units],
            Self::Carried(rows) => &rows[(2 * n + 1) * units..][j..units],
        })
    }

    #[inline(always)]
    fn store<S: Simd<Elem = T>>(
        &mut self,
        simd: S,
        cell: S::Vector,
        n: usize,
        units: usize,
        j: usize,
    ) {
        let to = match self {
            Self::Kept { after, .. } => &mut after[n * units..][j..units],
            Self::Carried(rows) => &mut rows[(2 * n + 1) * units..][j..units],
        };
        simd.store_partial(cell, to);
    }
}

/// i, f, g, o of a tile.
type Sums<V> = [[V; 4]; MOST_ROWS];

impl<T: Float> Kernel<T> for ForwardPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { lstm, pass } = self;
        let sequence = lstm.sequence;
        let Sequence { units, .. } = sequence;
        let Parts {
            states,
            cells,
            gates,
            squashed,
        } = lstm.parts(pass.saved);
        states[sequence.initial()].fill(T::ZERO);
        cells[sequence.initial()].fill(T::ZERO);
        for t in sequence.read(0..sequence.steps) {
            let (before, after) = sequence.around(states, t);
            let (cells_before, cells_after) = sequence.around(cells, t);
            let step = Step {
                reading: Reading::new(pass.lengths, t),
                inputs: Inputs::Rows(pass.x).step(&sequence, t, 0),
                before: Rows::new(before, units, units),
                after,
                cells: Cells::Kept {
                    before: cells_before,
                    after: cells_after,
                },
                gates: &mut gates[sequence.step(t, 4 * units)],
                squashed: &mut squashed[sequence.step(t, units)],
            };
            lstm.step(simd, step, pass.prepared);
        }
    }
}

impl<T: Float> Kernel<T> for AdvancePass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { lstm, pass } = self;
        let sequence = lstm.sequence;
        let Sequence { samples, units, .. } = sequence;
        let projected = lstm.projected_len();
        let (turns, rest) = pass.scratch.split_at_mut(2 * sequence.block());
        let initial = &mut rest[..sequence.block()];
        for n in 0..samples {
            initial[n * units..][..units].copy_from_slice(&pass.carried[2 * n * units..][..units]);
        }
        let mut states = States::new(&sequence, pass.returns, pass.y, turns);
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
                before: Rows::new(before.unwrap_or(&*initial), units, units),
                after,
                cells: Cells::Carried(&mut *pass.carried),
                gates: &mut [],
                squashed: &mut [],
            };
            lstm.step(simd, step, pass.prepared);
        }
        states.finish(pass.carried, 2 * units);
    }
}

impl Lstm {
    /// The states and cells after a step.
    #[inline(always)]
    fn step<S: Simd>(&self, simd: S, mut step: Step<'_, S::Elem>, prepared: &[S::Elem]) {
        let Sequence { samples, units, .. } = self.sequence;
        for strip in self.strips().iter(prepared) {
            for lane in (0..WIDTH.min(units - strip.unit)).step_by(S::LANES) {
                for (n, rows) in groups(samples, most_rows::<S>()) {
                    let tile = Tile { strip, lane, n };
                    let mut sums = [[simd.zero(); 4]; MOST_ROWS];
                    gather(simd, &step, tile, rows, &mut sums);
                    finish(simd, &mut step, tile, &mut sums[..rows]);
                }
            }
        }
    }
}

/// Rows of a tile: four sums each, four vectors of weights and a number have to fit the registers.
const fn most_rows<S: Simd>() -> usize {
    if S::REGISTERS >= 32 { 6 } else { 2 }
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

/// All sums of a tile of `rows` samples.
#[inline(always)]
fn gather<S: Simd>(
    simd: S,
    step: &Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    rows: usize,
    sums: &mut Sums<S::Vector>,
) {
    match rows {
        1 => gather_rows::<S, 1>(simd, step, tile, sums),
        2 => gather_rows::<S, 2>(simd, step, tile, sums),
        3 => gather_rows::<S, 3>(simd, step, tile, sums),
        4 => gather_rows::<S, 4>(simd, step, tile, sums),
        5 => gather_rows::<S, 5>(simd, step, tile, sums),
        _ => gather_rows::<S, 6>(simd, step, tile, sums),
    }
}

#[inline(always)]
fn gather_rows<S: Simd, const R: usize>(
    simd: S,
    step: &Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    into: &mut Sums<S::Vector>,
) {
    let sums = input_sums::<S, R, 4>(simd, step.inputs, tile.n, tile.strip, tile.lane);
    let recurrent = Lanes {
        weights: tile.strip.recurrent,
        gates: 4,
        gate: 0,
        lane: tile.lane,
    };
    let sums = add_products::<S, R, 4>(simd, sums, step.before, tile.n, recurrent);
    into[..R].copy_from_slice(&sums);
}

/// Gates, cells and states of a tile from its sums.
#[inline(always)]
fn finish<S: Simd>(
    simd: S,
    step: &mut Step<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
    sums: &mut [[S::Vector; 4]],
) {
    let (u, j) = (step.before.len, tile.strip.unit + tile.lane);
    for [i, f, g, o] in &mut *sums {
        *i = gate_sigmoid(simd, *i);
        *f = gate_sigmoid(simd, *f);
        *g = gate_tanh(simd, *g);
        *o = gate_sigmoid(simd, *o);
    }
    for (r, sums) in sums.iter().enumerate() {
        let n = tile.n + r;
        let [i, f, g, o] = *sums;
        let before = step.cells.load(simd, n, u, j);
        if !step.reading.is_valid(n) {
            let h = simd.load_partial(&step.before.row(n)[j..]);
            simd.store_partial(h, &mut step.after[n * u..][j..u]);
            step.cells.store(simd, before, n, u, j);
            continue;
        }
        let cell = simd.mul_add(f, before, simd.mul(i, g));
        let squashed = gate_tanh(simd, cell);
        step.cells.store(simd, cell, n, u, j);
        simd.store_partial(simd.mul(o, squashed), &mut step.after[n * u..][j..u]);
        if !step.gates.is_empty() {
            let gates = &mut step.gates[4 * n * u..][..4 * u];
            simd.store_partial(i, &mut gates[j..u]);
            simd.store_partial(f, &mut gates[u + j..2 * u]);
            simd.store_partial(g, &mut gates[2 * u + j..3 * u]);
            simd.store_partial(o, &mut gates[3 * u + j..]);
            simd.store_partial(squashed, &mut step.squashed[n * u..][j..u]);
        }
    }
}
