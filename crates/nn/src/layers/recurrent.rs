//! The recurrent layers: one direction over a block of sequences.

use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_autograd::ops::dropout::StepDropout;
use plywood_kernels::Float;
use plywood_kernels::rnn::{
    self, Advance, Backward, Forward, Inputs, Sequence, StateGradient, WeightGradients, Weights,
};
use plywood_shape::layers::{Gru, Lstm, Recurrent, Returns, SimpleRnn};
use plywood_shape::{Plan, Rows};

/// Parameters are prepared alike for any number of rows.
pub(super) const ONE: Rows = Rows {
    samples: 1,
    steps: 1,
};

/// A recurrent declaration brought to the sizes of a block.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell {
    Simple(rnn::SimpleRnn),
    Gru(rnn::Gru),
    Lstm(rnn::Lstm),
}

/// One direction of a recurrent layer over a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direction {
    cell: Cell,
    sequence: Sequence,
    returns: Returns,
    dropout: f64,
}

impl Direction {
    /// `layer`, whose plan is `plan`, over `rows`; the other way round with `reverse`.
    pub(super) fn of(layer: Recurrent, plan: &Plan, rows: Rows, reverse: bool) -> Self {
        let (units, returns, dropout, own) = match layer {
            Recurrent::SimpleRnn(l) => (l.units, l.returns, l.dropout, l.reverse),
            Recurrent::Gru(l) => (l.units, l.returns, l.dropout, l.reverse),
            Recurrent::Lstm(l) => (l.units, l.returns, l.dropout, l.reverse),
        };
        let sequence = Sequence {
            samples: rows.samples,
            steps: rows.steps,
            features: plan.input.features().get(),
            units: units.get(),
            reverse: own != reverse,
        };
        let cell = match layer {
            Recurrent::SimpleRnn(_) => Cell::Simple(rnn::SimpleRnn { sequence }),
            Recurrent::Gru(layer) => Cell::Gru(rnn::Gru {
                sequence,
                reset_after: layer.reset_after,
            }),
            Recurrent::Lstm(_) => Cell::Lstm(rnn::Lstm { sequence }),
        };
        Self {
            cell,
            sequence,
            returns,
            dropout,
        }
    }

    pub(super) fn units(&self) -> usize {
        self.sequence.units
    }

    /// Numbers of its parameters: weight, recurrent weight, bias.
    fn parameter_lens(&self, all: usize) -> (usize, usize) {
        let Sequence {
            features, units, ..
        } = self.sequence;
        let gates = match self.cell {
            Cell::Simple(_) => 1,
            Cell::Gru(_) => 3,
            Cell::Lstm(_) => 4,
        };
        debug_assert!(all >= (features + units) * gates * units);
        (features * gates * units, units * gates * units)
    }

    pub(super) fn saved_len(&self) -> usize {
        match self.cell {
            Cell::Simple(cell) => cell.saved_len(),
            Cell::Gru(cell) => cell.saved_len(),
            Cell::Lstm(cell) => cell.saved_len(),
        }
    }

    /// Scratch for either pass, the copy of dropped inputs included.
    pub(super) fn scratch_len(&self) -> usize {
        let own = match self.cell {
            Cell::Simple(cell) => cell.scratch_len(),
            Cell::Gru(cell) => cell.scratch_len(),
            Cell::Lstm(cell) => cell.scratch_len(),
        };
        own + self.dropped_len()
    }

    fn dropped_len(&self) -> usize {
        if self.dropout > 0.0 {
            self.sequence.rows() * self.sequence.features
        } else {
            0
        }
    }

    /// The mask on the inputs; none while nothing is dropped.
    fn mask<T: Float>(&self, pass: &Pass<'_, T>) -> Option<StepDropout> {
        (pass.training && self.dropout > 0.0).then_some(StepDropout {
            random: pass.noise.random,
            rate: self.dropout,
            samples: self.sequence.samples,
            features: self.sequence.features,
            first_sample: pass.noise.first_sample,
            reverse: self.sequence.reverse,
        })
    }

    /// Numbers derived from the parameters.
    pub(super) fn prepared_len(&self) -> usize {
        match self.cell {
            Cell::Simple(cell) => cell.prepared_len(),
            Cell::Gru(cell) => cell.prepared_len(),
            Cell::Lstm(cell) => cell.prepared_len(),
        }
    }

    pub(super) fn prepare<T: Float>(&self, parameters: &[T], prepared: &mut [T]) {
        let weights = self.weights(parameters);
        match self.cell {
            Cell::Simple(cell) => cell.prepare(&weights, prepared),
            Cell::Gru(cell) => cell.prepare(&weights, prepared),
            Cell::Lstm(cell) => cell.prepare(&weights, prepared),
        }
    }

    /// Numbers of the product of a row of inputs, for a cell that takes products which are ready.
    fn projected_len(&self) -> Option<usize> {
        match self.cell {
            _ if self.sequence.reverse => None,
            Cell::Simple(_) => None,
            Cell::Gru(cell) => Some(cell.projected_len()),
            Cell::Lstm(cell) => Some(cell.projected_len()),
        }
    }

    /// Makes them.
    fn project<T: Float>(&self, prepared: &[T], x: &[T], projected: &mut [T]) {
        match self.cell {
            Cell::Simple(_) => {}
            Cell::Gru(cell) => cell.project(prepared, x, projected),
            Cell::Lstm(cell) => cell.project(prepared, x, projected),
        }
    }

    /// Fills what is saved, whose first part are the states.
    pub(super) fn forward<T: Float>(
        &self,
        pass: &Pass<'_, T>,
        own: Own<'_, T>,
        x: &[T],
        memory: Memory<'_, T>,
    ) {
        let (dropped, scratch) = memory.scratch.split_at_mut(self.dropped_len());
        let x = self.inputs(pass, x, dropped);
        let forward = Forward {
            x,
            weights: self.weights(own.parameters),
            prepared: own.prepared,
            lengths: pass.lengths,
            saved: memory.saved,
            scratch,
        };
        match self.cell {
            Cell::Simple(cell) => cell.forward(forward),
            Cell::Gru(cell) => cell.forward(forward),
            Cell::Lstm(cell) => cell.forward(forward),
        }
    }

    /// A piece of an inference: what is passed on goes straight to `y`.
    pub(super) fn advance<T: Float>(
        &self,
        pass: &Pass<'_, T>,
        own: Own<'_, T>,
        x: &[T],
        y: &mut [T],
        memory: Memory<'_, T>,
    ) {
        let advance = Advance {
            inputs: pass.lookup.map_or(Inputs::Rows(x), Inputs::Tokens),
            weights: self.weights(own.parameters),
            prepared: own.prepared,
            lengths: pass.lengths,
            carried: memory.carried,
            returns: self.returns,
            y,
            scratch: memory.scratch,
        };
        match self.cell {
            Cell::Simple(cell) => cell.advance(advance),
            Cell::Gru(cell) => cell.advance(advance),
            Cell::Lstm(cell) => cell.advance(advance),
        }
    }

    /// The states that the layer passes on: of every step, or of the one read last.
    pub(super) fn output<'s, T: Float>(&self, saved: &'s [T]) -> &'s [T] {
        match self.returns {
            Returns::Sequence => self.sequence.states(saved),
            Returns::Last => self.sequence.last(saved),
        }
    }

    /// Gradients from that of the states passed on, whose rows lie `row_stride` numbers apart.
    pub(super) fn backward<T: Float>(
        &self,
        pass: &Pass<'_, T>,
        parameters: &[T],
        flow: DirectionFlow<'_, T>,
        memory: Memory<'_, T>,
    ) {
        let (dropped, scratch) = memory.scratch.split_at_mut(self.dropped_len());
        let x = self.inputs(pass, flow.x, dropped);
        let (weight, recurrent) = self.parameter_lens(parameters.len());
        let (dweight, rest) = flow.gradient.split_at_mut(weight);
        let (drecurrent, dbias) = rest.split_at_mut(recurrent);
        let mut dx = flow.dx;
        let backward = Backward {
            x,
            weights: self.weights(parameters),
            lengths: pass.lengths,
            saved: memory.saved,
            dstates: StateGradient {
                returns: self.returns,
                data: flow.dy,
                row_stride: flow.row_stride,
            },
            dx: dx.as_deref_mut(),
            gradients: WeightGradients {
                weight: dweight,
                recurrent: drecurrent,
                bias: dbias,
            },
            scratch,
        };
        match self.cell {
            Cell::Simple(cell) => cell.backward(backward),
            Cell::Gru(cell) => cell.backward(backward),
            Cell::Lstm(cell) => cell.backward(backward),
        }
        if let (Some(mask), Some(dx)) = (self.mask(pass), dx) {
            mask.apply_in_place(dx);
        }
    }

    fn inputs<'b, T: Float>(
        &self,
        pass: &Pass<'_, T>,
        x: &'b [T],
        dropped: &'b mut [T],
    ) -> &'b [T] {
        let Some(mask) = self.mask(pass) else {
            return x;
        };
        dropped.copy_from_slice(x);
        mask.apply_in_place(dropped);
        dropped
    }

    fn weights<'p, T: Float>(&self, parameters: &'p [T]) -> Weights<'p, T> {
        let (weight, recurrent) = self.parameter_lens(parameters.len());
        let (weight, rest) = parameters.split_at(weight);
        let (recurrent, bias) = rest.split_at(recurrent);
        Weights {
            weight,
            recurrent,
            bias,
        }
    }
}

/// What belongs to one direction.
#[derive(Clone, Copy)]
pub(super) struct Own<'a, T> {
    pub(super) parameters: &'a [T],
    pub(super) prepared: &'a [T],
}

/// What flows back through one direction.
pub(super) struct DirectionFlow<'a, T> {
    pub(super) x: &'a [T],
    pub(super) dy: &'a [T],
    pub(super) row_stride: usize,
    pub(super) dx: Option<&'a mut [T]>,
    pub(super) gradient: &'a mut [T],
}

macro_rules! recurrent_layers {
    ($($layer:ident),*) => {$(
        impl<T: Float> Layer<T> for $layer {
            fn scratch_len(&self, plan: &Plan, rows: Rows) -> usize {
                Direction::of(Recurrent::$layer(*self), plan, rows, false).scratch_len()
            }

            fn prepared_len(&self, plan: &Plan) -> usize {
                Direction::of(Recurrent::$layer(*self), plan, ONE, false).prepared_len()
            }

            fn prepare(&self, plan: &Plan, parameters: &[T], prepared: &mut [T]) {
                let cell = Direction::of(Recurrent::$layer(*self), plan, ONE, false);
                cell.prepare(parameters, prepared);
            }

            fn projected_len(&self, plan: &Plan) -> Option<usize> {
                Direction::of(Recurrent::$layer(*self), plan, ONE, false).projected_len()
            }

            fn project(&self, plan: &Plan, prepared: &[T], x: &[T], projected: &mut [T]) {
                let cell = Direction::of(Recurrent::$layer(*self), plan, ONE, false);
                cell.project(prepared, x, projected);
            }

            fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
                let cell = Direction::of(Recurrent::$layer(*self), pass.plan, pass.rows, false);
                let own = Own {
                    parameters: pass.parameters,
                    prepared: pass.prepared,
                };
                if !memory.carried.is_empty() {
                    return cell.advance(pass, own, x, y, memory);
                }
                let saved = memory.saved;
                let memory = Memory {
                    saved: &mut *saved,
                    ..memory
                };
                cell.forward(pass, own, x, memory);
                y.copy_from_slice(cell.output(saved));
            }

            fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
                let cell = Direction::of(Recurrent::$layer(*self), pass.plan, pass.rows, false);
                let flow = DirectionFlow {
                    x: flow.x,
                    dy: flow.dy,
                    row_stride: cell.units(),
                    dx: flow.dx,
                    gradient: flow.gradient,
                };
                cell.backward(pass, pass.parameters, flow, memory);
            }
        }
    )*};
}

recurrent_layers!(SimpleRnn, Gru, Lstm);
