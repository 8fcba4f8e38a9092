//! Every cell against a transcription of its formulas in `f64`, on every level: states forward, gradients by central
//! differences, and the promises about padding and batches to the bit.

mod problem;

use plywood_shape::layers::Returns;

use self::problem::{CELLS, Cell, Problem, sigmoid};
use super::{Backward, Forward, Lstm, Sequence, StateGradient, WeightGradients, Weights};
use crate::float::Float;
use crate::simd::Isa;

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
        (2, 3, 2, 1),
        (2, 7, 3, 3),
        (7, 2, 1, 17),
        (16, 3, 5, 9),
        (3, 2, 0, 4),
        (0, 3, 2, 3),
        (2, 0, 3, 3),
        (3, 50, 2, 8),
        (5, 4, 33, 64),
        (17, 3, 3, 33),
        (9, 2, 17, 65),
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
    for problem in cases().chain(wide()) {
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
fn an_inference_in_pieces_gives_the_states_of_training_to_the_bit() {
    let problems = cases().filter(|problem| problem.sequence.steps > 0);
    for problem in problems.chain(wide()) {
        let Problem {
            sequence, returns, ..
        } = problem;
        for isa in Isa::available() {
            let whole = problem.run::<f32>(isa);
            let expected = match returns {
                Returns::Last => whole.last,
                Returns::Sequence => whole.states,
            };
            let pieces = if sequence.reverse {
                vec![sequence.steps]
            } else {
                vec![1, 2, sequence.steps]
            };
            for size in pieces {
                let what = format!("{isa} {:?} {sequence:?} by {size}", problem.cell);
                let passed = problem.in_pieces(isa, size, false);
                assert_eq!(bits(&passed), bits(&expected), "{what}");
                if problem.cell.projects() && sequence.features > 0 {
                    let passed = problem.in_pieces(isa, size, true);
                    assert_eq!(bits(&passed), bits(&expected), "{what}, looked up");
                }
            }
        }
    }
}

/// Many units, and more samples than a tile has rows.
fn wide() -> impl Iterator<Item = Problem> {
    let sizes = [(13, 3, 20, 40), (1, 2, 64, 130), (9, 2, 3, 1000)];
    sizes
        .into_iter()
        .flat_map(|(samples, steps, features, units)| {
            let sequence = Sequence {
                samples,
                steps,
                features,
                units,
                reverse: false,
            };
            CELLS.map(|cell| Problem::new(cell, sequence, samples == 13, Returns::Sequence))
        })
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
    let mut prepared = vec![0.0; lstm.prepared_len()];
    lstm.prepare(&weights, &mut prepared);
    let (mut saved, mut scratch) = (vec![0.0; lstm.saved_len()], vec![0.0; lstm.scratch_len()]);
    let (mut weight, mut recurrent, mut bias) = (
        once.dweight.clone(),
        once.drecurrent.clone(),
        once.dbias.clone(),
    );
    lstm.forward(Forward {
        x: &problem.x,
        weights,
        prepared: &prepared,
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
