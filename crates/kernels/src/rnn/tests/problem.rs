//! One problem for every cell: its passes at any precision and level, and its formulas in `f64`, transcribed naively.

use plywood_shape::layers::Returns;

use crate::float::Float;
use crate::random::{self, Random};
use crate::rnn::{
    Advance, Backward, Forward, Gru, Inputs, Lookup, Lstm, Sequence, SimpleRnn, StateGradient,
    WeightGradients, Weights,
};
use crate::simd::Isa;

/// The cells under one interface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    Simple,
    GruAfter,
    GruBefore,
    Lstm,
}

pub(super) const CELLS: [Cell; 4] = [Cell::Simple, Cell::GruAfter, Cell::GruBefore, Cell::Lstm];

impl Cell {
    fn gates(self) -> usize {
        match self {
            Self::Simple => 1,
            Self::GruAfter | Self::GruBefore => 3,
            Self::Lstm => 4,
        }
    }

    fn bias_len(self, units: usize) -> usize {
        let biases = if self == Self::GruAfter { 2 } else { 1 };
        biases * self.gates() * units
    }

    fn lens(self, sequence: Sequence) -> (usize, usize) {
        match self {
            Self::Simple => (
                SimpleRnn { sequence }.saved_len(),
                SimpleRnn { sequence }.scratch_len(),
            ),
            Self::GruAfter | Self::GruBefore => (
                self.gru(sequence).saved_len(),
                self.gru(sequence).scratch_len(),
            ),
            Self::Lstm => (
                Lstm { sequence }.saved_len(),
                Lstm { sequence }.scratch_len(),
            ),
        }
    }

    fn prepared<T: Float>(self, sequence: Sequence, weights: &Weights<'_, T>) -> Vec<T> {
        let of = |len: usize| vec![T::NAN; len];
        match self {
            Self::Simple => of(SimpleRnn { sequence }.prepared_len()),
            Self::GruAfter | Self::GruBefore => {
                let mut prepared = of(self.gru(sequence).prepared_len());
                self.gru(sequence).prepare(weights, &mut prepared);
                prepared
            }
            Self::Lstm => {
                let mut prepared = of(Lstm { sequence }.prepared_len());
                Lstm { sequence }.prepare(weights, &mut prepared);
                prepared
            }
        }
    }

    /// Whether the products of its inputs can be made ahead.
    pub(super) fn projects(self) -> bool {
        self != Self::Simple
    }

    /// The products of the rows of a table, if it has any.
    fn projected(self, isa: Isa, sequence: Sequence, prepared: &[f32], table: &[f32]) -> Vec<f32> {
        let rows = table.len().checked_div(sequence.features).unwrap_or(0);
        match self {
            Self::Simple => vec![],
            Self::GruAfter | Self::GruBefore => {
                let cell = self.gru(sequence);
                let mut projected = vec![f32::NAN; rows * cell.projected_len()];
                cell.project_on(isa, prepared, table, &mut projected);
                projected
            }
            Self::Lstm => {
                let cell = Lstm { sequence };
                let mut projected = vec![f32::NAN; rows * cell.projected_len()];
                cell.project_on(isa, prepared, table, &mut projected);
                projected
            }
        }
    }

    /// Numbers carried a sample.
    fn carried(self, units: usize) -> usize {
        if self == Self::Lstm { 2 * units } else { units }
    }

    fn gru(self, sequence: Sequence) -> Gru {
        Gru {
            sequence,
            reset_after: self == Self::GruAfter,
        }
    }

    fn forward<T: Float>(self, isa: Isa, sequence: Sequence, pass: Forward<'_, T>) {
        match self {
            Self::Simple => SimpleRnn { sequence }.forward_on(isa, pass),
            Self::GruAfter | Self::GruBefore => self.gru(sequence).forward_on(isa, pass),
            Self::Lstm => Lstm { sequence }.forward_on(isa, pass),
        }
    }

    fn advance<T: Float>(self, isa: Isa, sequence: Sequence, pass: Advance<'_, T>) {
        match self {
            Self::Simple => SimpleRnn { sequence }.advance_on(isa, pass),
            Self::GruAfter | Self::GruBefore => self.gru(sequence).advance_on(isa, pass),
            Self::Lstm => Lstm { sequence }.advance_on(isa, pass),
        }
    }

    fn backward<T: Float>(self, isa: Isa, sequence: Sequence, pass: Backward<'_, T>) {
        match self {
            Self::Simple => SimpleRnn { sequence }.backward_on(isa, pass),
            Self::GruAfter | Self::GruBefore => self.gru(sequence).backward_on(isa, pass),
            Self::Lstm => Lstm { sequence }.backward_on(isa, pass),
        }
    }
}

/// A problem: sizes, lengths, inputs, parameters and the gradient of the states, in `f64`.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) cell: Cell,
    pub(super) sequence: Sequence,
    pub(super) lengths: Vec<u32>,
    pub(super) x: Vec<f64>,
    pub(super) weight: Vec<f64>,
    pub(super) recurrent: Vec<f64>,
    pub(super) bias: Vec<f64>,
    pub(super) returns: Returns,
    pub(super) dstates: Vec<f64>,
}

/// What a pass in some precision gave.
pub(super) struct Outcome<T> {
    pub(super) states: Vec<T>,
    pub(super) last: Vec<T>,
    pub(super) dx: Vec<T>,
    pub(super) dweight: Vec<T>,
    pub(super) drecurrent: Vec<T>,
    pub(super) dbias: Vec<T>,
}

fn numbers(sequence: &mut random::Sequence, len: usize, scale: f64) -> Vec<f64> {
    // Multiples of 2⁻²⁰, so that `f32` holds them exactly.
    (0..len)
        .map(|_| {
            ((sequence.uniform::<f64>() * 2.0 - 1.0) * scale * 1_048_576.0).round() / 1_048_576.0
        })
        .collect()
}

impl Problem {
    pub(super) fn new(cell: Cell, sequence: Sequence, masked: bool, returns: Returns) -> Self {
        let Sequence {
            samples,
            steps,
            features,
            units,
            ..
        } = sequence;
        let mut random = Random {
            seed: 7,
            stream: cell.gates() as u32,
            step: (units + 100 * steps) as u32,
        }
        .sequence();
        let columns = cell.gates() * units;
        let lengths = if masked {
            (0..samples)
                .map(|_| random.below(steps as u64 + 1) as u32)
                .collect()
        } else {
            vec![]
        };
        let rows = if returns == Returns::Last {
            samples
        } else {
            sequence.rows()
        };
        Self {
            cell,
            sequence,
            lengths,
            x: numbers(&mut random, sequence.rows() * features, 1.5),
            weight: numbers(&mut random, features * columns, 0.7),
            recurrent: numbers(
                &mut random,
                units * columns,
                1.0 / (1.0 + units as f64).sqrt(),
            ),
            bias: numbers(&mut random, cell.bias_len(units), 0.5),
            returns,
            dstates: numbers(&mut random, rows * units, 1.0),
        }
    }

    /// Forward and backward at a level; everything that is not an input is NaN at first.
    pub(super) fn run<T: Float>(&self, isa: Isa) -> Outcome<T> {
        let cast = |values: &[f64]| values.iter().map(|&v| T::from_f64(v)).collect::<Vec<_>>();
        let (x, weight, recurrent, bias) = (
            cast(&self.x),
            cast(&self.weight),
            cast(&self.recurrent),
            cast(&self.bias),
        );
        let weights = Weights {
            weight: &weight,
            recurrent: &recurrent,
            bias: &bias,
        };
        let (saved_len, scratch_len) = self.cell.lens(self.sequence);
        let (mut saved, mut scratch) = (vec![T::NAN; saved_len], vec![T::NAN; scratch_len]);
        let prepared = self.cell.prepared(self.sequence, &weights);
        let forward = Forward {
            x: &x,
            weights,
            prepared: &prepared,
            lengths: &self.lengths,
            saved: &mut saved,
            scratch: &mut scratch,
        };
        self.cell.forward(isa, self.sequence, forward);
        let states = self.sequence.states(&saved).to_vec();
        let last = self.sequence.last(&saved).to_vec();
        let mut outcome = Outcome {
            states,
            last,
            dx: vec![T::NAN; x.len()],
            dweight: vec![T::ZERO; weight.len()],
            drecurrent: vec![T::ZERO; recurrent.len()],
            dbias: vec![T::ZERO; bias.len()],
        };
        scratch.fill(T::NAN);
        let dstates = cast(&self.dstates);
        let backward = Backward {
            x: &x,
            weights,
            lengths: &self.lengths,
            saved: &mut saved,
            dstates: StateGradient::new(self.returns, &dstates, self.sequence.units),
            dx: Some(&mut outcome.dx),
            gradients: WeightGradients {
                weight: &mut outcome.dweight,
                recurrent: &mut outcome.drecurrent,
                bias: &mut outcome.dbias,
            },
            scratch: &mut scratch,
        };
        self.cell.backward(isa, self.sequence, backward);
        outcome
    }

    /// What is passed on, in pieces of `size` steps; everything that is not an input is NaN at first. `looked_up`, the inputs are
    /// tokens of a table that holds their rows in reverse.
    pub(super) fn in_pieces(&self, isa: Isa, size: usize, looked_up: bool) -> Vec<f32> {
        let cast = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<_>>();
        let (x, weight, recurrent, bias) = (
            cast(&self.x),
            cast(&self.weight),
            cast(&self.recurrent),
            cast(&self.bias),
        );
        let weights = Weights {
            weight: &weight,
            recurrent: &recurrent,
            bias: &bias,
        };
        let Sequence {
            samples,
            steps,
            features,
            units,
            ..
        } = self.sequence;
        let prepared = self.cell.prepared(self.sequence, &weights);
        let tokens: Vec<u32> = (0..self.sequence.rows() as u32).rev().collect();
        let table: Vec<f32> = x
            .rchunks_exact(features.max(1))
            .flatten()
            .copied()
            .collect();
        let projected = self.cell.projected(isa, self.sequence, &prepared, &table);
        let mut carried = vec![0.0; samples * self.cell.carried(units)];
        let mut passed = Vec::new();
        for start in (0..steps).step_by(size) {
            let piece = Sequence {
                steps: size.min(steps - start),
                ..self.sequence
            };
            let lengths = self.lengths.iter();
            let valid = |&length: &u32| length.saturating_sub(start as u32);
            let lengths: Vec<u32> = lengths
                .map(|length| valid(length).min(piece.steps as u32))
                .collect();
            let rows = match self.returns {
                Returns::Last => samples,
                Returns::Sequence => piece.rows(),
            };
            let mut y = vec![f32::NAN; rows * units];
            let (_, scratch) = self.cell.lens(piece);
            let pass = Advance {
                inputs: if looked_up {
                    Inputs::Tokens(Lookup {
                        tokens: &tokens[start * samples..][..piece.rows()],
                        projected: &projected,
                    })
                } else {
                    Inputs::Rows(&x[start * samples * features..][..piece.rows() * features])
                },
                weights,
                prepared: &prepared,
                lengths: &lengths,
                carried: &mut carried,
                returns: self.returns,
                y: &mut y,
                scratch: &mut vec![f32::NAN; scratch],
            };
            self.cell.advance(isa, piece, pass);
            match self.returns {
                Returns::Last => passed = y,
                Returns::Sequence => passed.extend(y),
            }
        }
        passed
    }

    /// The states of all steps, `[T·N][U]`, from the formulas alone.
    pub(super) fn naive_states(&self) -> Vec<f64> {
        let Sequence {
            samples,
            steps,
            features,
            units,
            reverse,
        } = self.sequence;
        let mut states = vec![0.0; steps * samples * units];
        for n in 0..samples {
            let (mut h, mut c) = (vec![0.0; units], vec![0.0; units]);
            for i in 0..steps {
                let t = if reverse { steps - 1 - i } else { i };
                if self.lengths.is_empty() || t < self.lengths[n] as usize {
                    let x = &self.x[(t * samples + n) * features..][..features];
                    self.naive_step(x, &mut h, &mut c);
                }
                states[(t * samples + n) * units..][..units].copy_from_slice(&h);
            }
        }
        states
    }

    fn naive_step(&self, x: &[f64], h: &mut [f64], c: &mut [f64]) {
        let units = self.sequence.units;
        let columns = self.cell.gates() * units;
        let times = |v: &[f64], w: &[f64], column: usize| -> f64 {
            v.iter()
                .enumerate()
                .map(|(p, v)| v * w[p * columns + column])
                .sum()
        };
        let of_x = |gate: usize, j: usize| {
            times(x, &self.weight, gate * units + j) + self.bias[gate * units + j]
        };
        let of_h = |h: &[f64], gate: usize, j: usize| times(h, &self.recurrent, gate * units + j);
        let of_state = |gate: usize, j: usize| self.bias[columns + gate * units + j];
        let old = h.to_vec();
        match self.cell {
            Cell::Simple => {
                for j in 0..units {
                    h[j] = (of_x(0, j) + of_h(&old, 0, j)).tanh();
                }
            }
            Cell::GruAfter => {
                for j in 0..units {
                    let z = sigmoid(of_x(0, j) + of_h(&old, 0, j) + of_state(0, j));
                    let r = sigmoid(of_x(1, j) + of_h(&old, 1, j) + of_state(1, j));
                    let candidate = (of_x(2, j) + r * (of_h(&old, 2, j) + of_state(2, j))).tanh();
                    h[j] = z * old[j] + (1.0 - z) * candidate;
                }
            }
            Cell::GruBefore => {
                let reset: Vec<f64> = (0..units)
                    .map(|j| sigmoid(of_x(1, j) + of_h(&old, 1, j)) * old[j])
                    .collect();
                for j in 0..units {
                    let z = sigmoid(of_x(0, j) + of_h(&old, 0, j));
                    let candidate = (of_x(2, j) + of_h(&reset, 2, j)).tanh();
                    h[j] = z * old[j] + (1.0 - z) * candidate;
                }
            }
            Cell::Lstm => {
                for j in 0..units {
                    let gate = |gate| of_x(gate, j) + of_h(&old, gate, j);
                    c[j] = sigmoid(gate(1)) * c[j] + sigmoid(gate(0)) * gate(2).tanh();
                    h[j] = sigmoid(gate(3)) * c[j].tanh();
                }
            }
        }
    }

    /// Σ states·dstates, whose gradient the backward pass gives.
    fn naive_loss(&self) -> f64 {
        let states = self.naive_states();
        let of_returned = match (self.returns, self.sequence.last_step()) {
            (Returns::Sequence, _) => &states[..],
            (Returns::Last, Some(t)) => {
                &states[t * self.sequence.block()..][..self.sequence.block()]
            }
            (Returns::Last, None) => &[],
        };
        of_returned
            .iter()
            .zip(&self.dstates)
            .map(|(h, d)| h * d)
            .sum()
    }

    pub(super) fn naive_gradient(&self, values: fn(&mut Self) -> &mut Vec<f64>) -> Vec<f64> {
        let mut problem = self.clone();
        (0..values(&mut problem).len())
            .map(|i| {
                let epsilon = 1e-5;
                let at = values(&mut problem)[i];
                values(&mut problem)[i] = at + epsilon;
                let above = problem.naive_loss();
                values(&mut problem)[i] = at - epsilon;
                let below = problem.naive_loss();
                values(&mut problem)[i] = at;
                (above - below) / (2.0 * epsilon)
            })
            .collect()
    }

    /// Sample `n` alone, with further padded steps.
    pub(super) fn alone(&self, n: usize, padding: usize) -> Self {
        let Sequence {
            samples,
            steps,
            features,
            units,
            reverse,
        } = self.sequence;
        let padded = steps + padding;
        let pick = |values: &[f64], width: usize| -> Vec<f64> {
            let of_step = |t: usize| &values[(t.min(steps - 1) * samples + n) * width..][..width];
            (0..padded)
                .flat_map(|t| {
                    of_step(t)
                        .iter()
                        .map(move |v| if t < steps { *v } else { 9.0 })
                })
                .collect()
        };
        let mut dstates = pick(&self.dstates, units);
        dstates[steps * units..].fill(0.0);
        Self {
            sequence: Sequence {
                samples: 1,
                steps: padded,
                features,
                units,
                reverse,
            },
            lengths: vec![self.lengths.get(n).map_or(steps as u32, |&length| length)],
            x: pick(&self.x, features),
            dstates,
            ..self.clone()
        }
    }
}

pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
