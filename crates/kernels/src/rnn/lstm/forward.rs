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
use crate::rnn::column::{Column, ColumnMut, Place};
use crate::rnn::inputs::{Inputs, StepInputs, input_sums};
use crate::rnn::strips::Tile;
use crate::rnn::tile::{MOST_ROWS, OnRows, Rows, add_products, on_rows};
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
        let (samples, most) = (self.sequence.samples, most_rows::<S>());
        let strips = self.strips();
        let mut sums = [[simd.zero(); 4]; MOST_ROWS];
        for spot in strips.spots::<S>(samples, most) {
            let tile = strips.tile(prepared, spot);
            let gather = Gather::<S> {
                step: &step,
                tile,
                into: &mut sums,
            };
            on_rows(simd, tile.place.rows, most, gather);
            if tile.place.is_full::<S>() {
                step.finish::<S, true>(simd, tile.place, &mut sums);
            } else {
                step.finish::<S, false>(simd, tile.place, &mut sums);
            }
        }
    }
}

/// Rows of a tile: four sums each, four vectors of weights and a number have to fit the registers.
const fn most_rows<S: Simd>() -> usize {
    if S::REGISTERS >= 32 { 6 } else { 2 }
}

/// All sums of a tile.
struct Gather<'s, 'a, S: Simd> {
    step: &'s Step<'a, S::Elem>,
    tile: Tile<'s, S::Elem>,
    into: &'s mut Sums<S::Vector>,
}

impl<S: Simd> OnRows<S> for Gather<'_, '_, S> {
    #[inline(always)]
    fn run<const R: usize>(self, simd: S) {
        let Self { step, tile, into } = self;
        let sums = input_sums::<S, R, 4>(simd, step.inputs, tile);
        let recurrent = tile.lanes(tile.recurrent, 0);
        let sums = add_products::<S, R, 4>(simd, sums, step.before, tile.place.n, recurrent);
        into[..R].copy_from_slice(&sums);
    }
}

impl<T: Float> Step<'_, T> {
    /// Gates, cells and states of a tile from its sums.
    #[inline(always)]
    fn finish<S: Simd<Elem = T>, const FULL: bool>(
        &mut self,
        simd: S,
        place: Place,
        sums: &mut Sums<S::Vector>,
    ) {
        for [i, f, g, o] in &mut sums[..place.rows] {
            *i = gate_sigmoid(simd, *i);
            *f = gate_sigmoid(simd, *f);
            *g = gate_tanh(simd, *g);
            *o = gate_sigmoid(simd, *o);
        }
        let before = Column::<S, FULL>::of(simd, place, self.before);
        let mut after = ColumnMut::<S, FULL>::new(simd, place, self.after, 1);
        let u = place.units;
        let (old, mut cells) = match &mut self.cells {
            Cells::Kept { before, after } => {
                let old = Column::<S, FULL>::new(simd, place, before);
                (Some(old), ColumnMut::<S, FULL>::new(simd, place, after, 1))
            }
            Cells::Carried(rows) => {
                let cells = &mut rows[u..];
                (
                    None,
                    ColumnMut::<S, FULL>::strided(simd, place, cells, 2 * u),
                )
            }
        };
        let mut kept = if self.gates.is_empty() {
            None
        } else {
            let gates = ColumnMut::<S, FULL>::new(simd, place, self.gates, 4);
            let squashed = ColumnMut::<S, FULL>::new(simd, place, self.squashed, 1);
            Some((gates, squashed))
        };
        for r in 0..place.rows {
            let [i, f, g, o] = sums[r];
            let old = match old {
                Some(old) => old.load(r, 0),
                None => cells.load(r, 0),
            };
            if !self.reading.is_valid(place.n + r) {
                after.store(r, 0, before.load(r, 0));
                cells.store(r, 0, old);
                continue;
            }
            let cell = simd.mul_add(f, old, simd.mul(i, g));
            let squashed = gate_tanh(simd, cell);
            cells.store(r, 0, cell);
            after.store(r, 0, simd.mul(o, squashed));
            if let Some((gates, kept)) = &mut kept {
                for g in 0..4 {
                    gates.store(r, g, sums[r][g]);
                }
                kept.store(r, 0, squashed);
            }
        }
    }
}
