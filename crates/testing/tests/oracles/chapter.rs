//! The chapter's equations against the frameworks' conventions.

use plywood_testing::oracle::Window;
use plywood_testing::oracle::chapter::{Gate, Lstm, convolution, gru_step, max_pool};
use plywood_testing::oracle::conv2d::Conv2d;
use plywood_testing::oracle::pool2d::Pool2d;
use plywood_testing::oracle::rnn::{self, Weights};
use plywood_testing::random::{distinct, fill};
use plywood_testing::{assert_close, assert_same_bits};

const FEATURES: usize = 3;
const UNITS: usize = 4;
const STEPS: usize = 5;

#[test]
fn a_true_convolution_is_a_correlation_with_the_flipped_kernel() {
    let (image, kernel) = ([5, 6], [3, 2]);
    let (x, k) = (fill(1, 30), fill(2, 6));
    let mut window = Window::new(image, kernel);
    window.padding = [[2, 2], [1, 1]];
    let layer = Conv2d {
        samples: 1,
        window,
        channels: 1,
        filters: 1,
        groups: 1,
    };
    let flipped: Vec<f64> = k.iter().rev().copied().collect();
    let correlation = layer.forward(&x, &flipped, &[0.0]);
    assert_close(
        &convolution(&x, image, &k, kernel),
        &correlation,
        1e-14,
        1e-14,
    );
}

#[test]
fn a_max_pool_is_the_largest_number_of_each_window() {
    let x = distinct(3, 42);
    let mut window = Window::new([6, 7], [2, 2]);
    window.stride = [2, 2];
    let (y, _) = Pool2d {
        samples: 1,
        window,
        channels: 1,
    }
    .max(&x);
    assert_same_bits(&max_pool(&x, [6, 7], 2), &y);
}

fn gates(seed: u64, count: usize) -> Vec<Gate> {
    let gate = |g: u64| Gate {
        weight: fill(seed + g, (UNITS + FEATURES) * UNITS),
        bias: fill(seed + 100 + g, UNITS),
    };
    (0..count as u64).map(gate).collect()
}

/// Gates side by side, each with a sign: the weights of the input, of the state, and the biases.
fn side_by_side(gates: &[(f64, &Gate)]) -> [Vec<f64>; 3] {
    let rows = |range: std::ops::Range<usize>| {
        let row = |i: usize| {
            gates.iter().flat_map(move |(sign, gate)| {
                gate.weight[i * UNITS..][..UNITS]
                    .iter()
                    .map(move |w| sign * w)
            })
        };
        range.flat_map(row).collect::<Vec<_>>()
    };
    let bias = gates
        .iter()
        .flat_map(|(sign, gate)| gate.bias.iter().map(move |b| sign * b))
        .collect();
    [rows(UNITS..UNITS + FEATURES), rows(0..UNITS), bias]
}

#[test]
fn the_chapters_gru_is_the_frameworks_with_the_update_gate_negated() {
    let gates = gates(10, 3);
    let [update, reset, candidate] = &gates[..] else {
        panic!("three gates")
    };
    let [weight, recurrent, bias] = side_by_side(&[(-1.0, update), (1.0, reset), (1.0, candidate)]);
    let weights = Weights {
        weight: &weight,
        recurrent: &recurrent,
        bias: &bias,
        units: UNITS,
    };
    let x = fill(4, STEPS * FEATURES);
    let mut state = vec![0.0; UNITS];
    let mut states = Vec::new();
    for x in x.chunks_exact(FEATURES) {
        state = gru_step(&state, x, update, reset, candidate);
        states.extend_from_slice(&state);
    }
    assert_close(
        &rnn::gru(&x, FEATURES, &weights, false),
        &states,
        1e-13,
        1e-15,
    );
}

#[test]
fn the_chapters_lstm_is_the_frameworks() {
    let gates = gates(20, 4);
    let [input, forget, candidate, output] = &gates[..] else {
        panic!("four gates")
    };
    let [weight, recurrent, bias] =
        side_by_side(&[(1.0, input), (1.0, forget), (1.0, candidate), (1.0, output)]);
    let weights = Weights {
        weight: &weight,
        recurrent: &recurrent,
        bias: &bias,
        units: UNITS,
    };
    let cell = Lstm {
        input: input.clone(),
        forget: forget.clone(),
        output: output.clone(),
        candidate: candidate.clone(),
    };
    let x = fill(5, STEPS * FEATURES);
    let (mut h, mut c) = (vec![0.0; UNITS], vec![0.0; UNITS]);
    let mut states = Vec::new();
    for x in x.chunks_exact(FEATURES) {
        (h, c) = cell.step(&h, &c, x);
        states.extend_from_slice(&h);
    }
    assert_close(&rnn::lstm(&x, FEATURES, &weights), &states, 1e-13, 1e-15);
}
