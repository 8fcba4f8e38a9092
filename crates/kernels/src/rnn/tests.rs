//! Every cell against a transcription of its formulas in `f64`, on every level: states forward, gradients by central
//! differences, and the promises about padding and batches to the bit.

use plywood_shape::layers::Returns;

use super::{
    Backward, Forward, Gru, Lstm, Sequence, SimpleRnn, StateGradient, WeightGradients, Weights,
};
use crate::float::Float;
use crate::random::{self, Random};
use crate::simd::Isa;

/// The cells under one interface.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Simple,
    GruAfter,
    GruBefore,
    Lstm,
}

const CELLS: [Cell; 4] = [Cell::Simple, Cell::GruAfter, Cell::GruBefore, Cell::Lstm];

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
struct Problem {
    cell: Cell,
    sequence: Sequence,
    lengths: Vec<u32>,
    x: Vec<f64>,
    weight: Vec<f64>,
    recurrent: Vec<f64>,
    bias: Vec<f64>,
    returns: Returns,
    dstates: Vec<f64>,
}

/// What a pass in some precision gave.
struct Outcome<T> {
    states: Vec<T>,
    last: Vec<T>,
    dx: Vec<T>,
    dweight: Vec<T>,
    drecurrent: Vec<T>,
    dbias: Vec<T>,
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
    fn new(cell: Cell, sequence: Sequence, masked: bool, returns: Returns) -> Self {
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
    fn run<T: Float>(&self, isa: Isa) -> Outcome<T> {
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
        let forward = Forward {
            x: &x,
            weights,
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

    /// The states of all steps, `[T·N][U]`, from the formulas alone.
    fn naive_states(&self) -> Vec<f64> {
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

    fn naive_step(&self, x: &[f64], h: &mut Vec<f64>, c: &mut [f64]) {
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
        let old = h.clone();
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

    fn naive_gradient(&self, values: fn(&mut Self) -> &mut Vec<f64>) -> Vec<f64> {
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
    fn alone(&self, n: usize, padding: usize) -> Self {
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

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[track_caller]
fn assert_close<T: Float>(what: &str, actual: &[T], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        let error = (a.to_f64() - e).abs();
        assert!(
            error <= tolerance * (1.0 + e.abs()),
            "{what}[{i}]: {a} instead of {e}"
        );
    }
}

fn bits<T: Float>(values: &[T]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits_u64()).collect()
}

fn cases() -> impl Iterator<Item = Problem> {
    let sizes = [
        // samples, steps, features, units
        (1, 1, 1, 1),
        (2, 7, 3, 3),
        (7, 2, 1, 17),
        (16, 3, 5, 9),
        (3, 2, 0, 4),
        (0, 3, 2, 3),
        (2, 0, 3, 3),
        (3, 50, 2, 8),
        (5, 4, 33, 64),
    ];
    sizes
        .into_iter()
        .flat_map(|(samples, steps, features, units)| {
            CELLS.into_iter().flat_map(move |cell| {
                [(false, false), (false, true), (true, false), (true, true)]
                    .into_iter()
                    .map(move |(reverse, masked)| {
                        let returns = if (units + usize::from(reverse)).is_multiple_of(2) {
                            Returns::Last
                        } else {
                            Returns::Sequence
                        };
                        let sequence = Sequence {
                            samples,
                            steps,
                            features,
                            units,
                            reverse,
                        };
                        Problem::new(cell, sequence, masked, returns)
                    })
            })
        })
}

#[test]
fn states_follow_the_formulas_on_every_level() {
    for problem in cases() {
        let what = format!(
            "{:?} {:?} {:?}",
            problem.cell, problem.sequence, problem.lengths
        );
        let expected = problem.naive_states();
        assert_close(
            &what,
            &problem.run::<f64>(Isa::Scalar).states,
            &expected,
            1e-13,
        );
        for isa in Isa::available() {
            let outcome = problem.run::<f32>(isa);
            assert_close(&format!("{isa} {what}"), &outcome.states, &expected, 4e-6);
            let at = problem
                .sequence
                .last_step()
                .map_or(0, |t| t * problem.sequence.block());
            let last = if problem.sequence.steps == 0 {
                vec![0.0; problem.sequence.block()]
            } else {
                expected[at..][..problem.sequence.block()].to_vec()
            };
            assert_close(&format!("{isa} last of {what}"), &outcome.last, &last, 4e-6);
        }
    }
}

#[test]
fn gradients_are_those_of_the_formulas() {
    for problem in
        cases().filter(|problem| problem.sequence.units <= 17 && problem.sequence.steps <= 7)
    {
        let what = format!(
            "{:?} {:?} {:?}",
            problem.cell, problem.sequence, problem.lengths
        );
        let outcome = problem.run::<f64>(Isa::Scalar);
        let tolerance = 1e-8;
        assert_close(
            &format!("dx {what}"),
            &outcome.dx,
            &problem.naive_gradient(|p| &mut p.x),
            tolerance,
        );
        assert_close(
            &format!("dW {what}"),
            &outcome.dweight,
            &problem.naive_gradient(|p| &mut p.weight),
            tolerance,
        );
        let drecurrent = problem.naive_gradient(|p| &mut p.recurrent);
        assert_close(
            &format!("dU {what}"),
            &outcome.drecurrent,
            &drecurrent,
            tolerance,
        );
        assert_close(
            &format!("db {what}"),
            &outcome.dbias,
            &problem.naive_gradient(|p| &mut p.bias),
            tolerance,
        );
    }
}

#[test]
fn gradients_of_every_level_agree_with_the_portable_one_in_double_precision() {
    for problem in cases() {
        let what = format!(
            "{:?} {:?} {:?}",
            problem.cell, problem.sequence, problem.lengths
        );
        let expected = problem.run::<f64>(Isa::Scalar);
        for isa in Isa::available() {
            let outcome = problem.run::<f32>(isa);
            assert_close(&format!("{isa} dx {what}"), &outcome.dx, &expected.dx, 3e-5);
            assert_close(
                &format!("{isa} dW {what}"),
                &outcome.dweight,
                &expected.dweight,
                3e-5,
            );
            assert_close(
                &format!("{isa} dU {what}"),
                &outcome.drecurrent,
                &expected.drecurrent,
                3e-5,
            );
            assert_close(
                &format!("{isa} db {what}"),
                &outcome.dbias,
                &expected.dbias,
                3e-5,
            );
        }
    }
}

#[test]
fn a_sample_is_the_same_alone_in_a_batch_and_padded() {
    for cell in CELLS {
        for (samples, reverse) in [(2, false), (7, true), (16, false), (16, true)] {
            let sequence = Sequence {
                samples,
                steps: 12,
                features: 5,
                units: 19,
                reverse,
            };
            let problem = Problem::new(cell, sequence, true, Returns::Sequence);
            for isa in Isa::available() {
                let batch = problem.run::<f32>(isa);
                for n in 0..samples {
                    for padding in [0, 1, 140] {
                        let alone = problem.alone(n, padding).run::<f32>(isa);
                        let what =
                            format!("{isa} {cell:?} sample {n} of {samples}, {padding} more steps");
                        for t in 0..sequence.steps {
                            let row = t * samples + n;
                            let of = |values: &[f32], row: usize, width: usize| {
                                bits(&values[row * width..][..width])
                            };
                            let (u, f) = (sequence.units, sequence.features);
                            assert_eq!(
                                of(&batch.states, row, u),
                                of(&alone.states, t, u),
                                "{what}, state {t}"
                            );
                            assert_eq!(
                                of(&batch.dx, row, f),
                                of(&alone.dx, t, f),
                                "{what}, dx {t}"
                            );
                        }
                        assert_eq!(
                            bits(&batch.last[n * 19..][..19]),
                            bits(&alone.last),
                            "{what}, last state"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn weight_gradients_do_not_change_with_padding() {
    for cell in CELLS {
        for reverse in [false, true] {
            let sequence = Sequence {
                samples: 1,
                steps: 9,
                features: 5,
                units: 19,
                reverse,
            };
            let problem = Problem::new(cell, sequence, true, Returns::Sequence);
            let (short, long) = (
                problem.run::<f32>(Isa::active()),
                problem.alone(0, 200).run::<f32>(Isa::active()),
            );
            assert_eq!(bits(&short.dweight), bits(&long.dweight), "{cell:?}");
            assert_eq!(bits(&short.drecurrent), bits(&long.drecurrent), "{cell:?}");
            assert_eq!(bits(&short.dbias), bits(&long.dbias), "{cell:?}");
        }
    }
}

/// `z=σ(W_z[h,x]+b_z)`, `r=σ(W_r[h,x]+b_r)`, `h̃=tanh(W_h[r⊙h, x]+b_h)`, `h' = (1−z)⊙h + z⊙h̃`: the form in which z
/// weighs the candidate and the reset gate acts before the product.
#[test]
fn the_textbook_gru_is_ours_with_the_update_gate_negated() {
    let sequence = Sequence {
        samples: 3,
        steps: 6,
        features: 4,
        units: 5,
        reverse: false,
    };
    let mut problem = Problem::new(Cell::GruBefore, sequence, false, Returns::Sequence);
    let (f, u) = (sequence.features, sequence.units);
    let mut expected = vec![0.0; sequence.rows() * u];
    for n in 0..sequence.samples {
        let mut h = vec![0.0; u];
        for t in 0..sequence.steps {
            let x = &problem.x[(t * sequence.samples + n) * f..][..f];
            let of = |gate: usize, j: usize, h: &[f64]| -> f64 {
                let column = gate * u + j;
                let state: f64 = (0..u)
                    .map(|p| problem.recurrent[p * 3 * u + column] * h[p])
                    .sum();
                let input: f64 = (0..f)
                    .map(|p| problem.weight[p * 3 * u + column] * x[p])
                    .sum();
                state + input + problem.bias[column]
            };
            let z: Vec<f64> = (0..u).map(|j| sigmoid(of(0, j, &h))).collect();
            let reset: Vec<f64> = (0..u).map(|j| sigmoid(of(1, j, &h)) * h[j]).collect();
            let candidate: Vec<f64> = (0..u).map(|j| of(2, j, &reset).tanh()).collect();
            h = (0..u)
                .map(|j| (1.0 - z[j]) * h[j] + z[j] * candidate[j])
                .collect();
            expected[(t * sequence.samples + n) * u..][..u].copy_from_slice(&h);
        }
    }
    for matrix in [
        &mut problem.weight,
        &mut problem.recurrent,
        &mut problem.bias,
    ] {
        for row in matrix.chunks_exact_mut(3 * u) {
            row[..u].iter_mut().for_each(|w| *w = -*w);
        }
    }
    assert_close(
        "states",
        &problem.run::<f64>(Isa::Scalar).states,
        &expected,
        1e-12,
    );
}

#[test]
fn gradients_are_added_and_strided_state_gradients_are_read_in_place() {
    let sequence = Sequence {
        samples: 2,
        steps: 3,
        features: 2,
        units: 5,
        reverse: false,
    };
    let problem = Problem::new(Cell::Lstm, sequence, false, Returns::Sequence);
    let once = problem.run::<f64>(Isa::Scalar);
    let lstm = Lstm { sequence };
    let weights = Weights {
        weight: &problem.weight,
        recurrent: &problem.recurrent,
        bias: &problem.bias,
    };
    let (mut saved, mut scratch) = (vec![0.0; lstm.saved_len()], vec![0.0; lstm.scratch_len()]);
    let (mut weight, mut recurrent, mut bias) = (
        once.dweight.clone(),
        once.drecurrent.clone(),
        once.dbias.clone(),
    );
    lstm.forward(Forward {
        x: &problem.x,
        weights,
        lengths: &[],
        saved: &mut saved,
        scratch: &mut scratch,
    });
    let wide: Vec<f64> = problem
        .dstates
        .chunks_exact(5)
        .flat_map(|row| [row, &[f64::NAN; 3]].concat())
        .collect();
    lstm.backward(Backward {
        x: &problem.x,
        weights,
        lengths: &[],
        saved: &mut saved,
        dstates: StateGradient {
            returns: Returns::Sequence,
            data: &wide,
            row_stride: 8,
        },
        dx: None,
        gradients: WeightGradients {
            weight: &mut weight,
            recurrent: &mut recurrent,
            bias: &mut bias,
        },
        scratch: &mut scratch,
    });
    for (twice, once) in [
        (&weight, &once.dweight),
        (&recurrent, &once.drecurrent),
        (&bias, &once.dbias),
    ] {
        let doubled: Vec<f64> = once.iter().map(|g| 2.0 * g).collect();
        assert_close("gradient", twice, &doubled, 1e-12);
    }
}

#[test]
#[should_panic(expected = "sample 1 has length 4 of 3 steps")]
fn a_length_beyond_the_steps_is_refused() {
    let sequence = Sequence {
        samples: 2,
        steps: 3,
        features: 1,
        units: 1,
        reverse: false,
    };
    let mut problem = Problem::new(Cell::Simple, sequence, false, Returns::Last);
    problem.lengths = vec![3, 4];
    problem.run::<f32>(Isa::Scalar);
}
