//! The chapter's equations against the layers that implement them.
//!
//! The equations are transcribed naively in `plywood_testing::oracle::chapter`; each layer is driven through its contract, in
//! f64. Where the chapter and the frameworks write the same thing differently, the test says how the two go together.

use plywood_kernels::random::Random;
use plywood_nn::layers::{Conv2d, Gru, Lstm, MaxPool2d, Returns};
use plywood_nn::{Layer, Memory, Noise, Pass};
use plywood_shape::{Plan, Rows, Shape};
use plywood_testing::assert_close;
use plywood_testing::oracle::chapter::{self, Gate};
use plywood_testing::random::{distinct, fill};

const TOLERANCE: f64 = 1e-6;

/// What `layer` makes of `x`.
fn forward<L: Layer<f64>>(
    layer: &L,
    plan: &Plan,
    rows: Rows,
    parameters: &[f64],
    x: &[f64],
) -> Vec<f64> {
    assert!(plan.fault.is_none(), "{:?}", plan.fault);
    assert_eq!(parameters.len(), plan.parameter_count());
    let mut prepared = vec![f64::NAN; layer.prepared_len(plan)];
    layer.prepare(plan, parameters, &mut prepared);
    let random = Random {
        seed: 0,
        stream: 0,
        step: 0,
    };
    let pass = Pass {
        plan,
        rows,
        lengths: &[],
        training: true,
        keeps: true,
        noise: Noise {
            random,
            first_sample: 0,
        },
        parameters,
        state: &[],
        prepared: &prepared,
        lookup: None,
        shared: &[],
        shared_gradient: &[],
    };
    let input_rows = rows.of(plan.input);
    let mut y = vec![f64::NAN; plan.output.elements().get() * rows.of(plan.output)];
    let memory = Memory {
        saved: &mut vec![f64::NAN; plan.saved.len(input_rows, rows.samples)],
        bytes: &mut vec![u8::MAX; plan.saved_bytes.len(input_rows, rows.samples)],
        carried: &mut [],
        scratch: &mut vec![f64::NAN; layer.scratch_len(plan, rows)],
    };
    layer.forward(&pass, x, &mut y, memory);
    y
}

/// Images, and sequences: more than one of each, and sizes that fill no vector.
const IMAGES: Rows = Rows {
    samples: 2,
    steps: 1,
};
const SEQUENCES: Rows = Rows {
    samples: 3,
    steps: 7,
};
const FEATURES: usize = 3;
const UNITS: usize = 5;

/// `y(u,v) = Σ x(x,y) · k(u − x, v − y)`: the layer correlates, so its kernel is the chapter's flipped in both axes; and it keeps
/// the places where all of the kernel lies on the image.
#[test]
fn conv2d_with_the_kernel_flipped_is_the_convolution() {
    let ([rows, columns], [height, width]) = ([7, 9], [3, 2]);
    let layer = Conv2d::new(1).kernel([height, width]);
    let plan = layer.plan(Shape::image(rows, columns, 1));
    let x = fill(1, IMAGES.samples * rows * columns);
    let k = fill(2, height * width);
    let parameters: Vec<f64> = k.iter().rev().copied().chain([0.0]).collect();
    let y = forward(&layer, &plan, IMAGES, &parameters, &x);

    let mut expected = Vec::new();
    for x in x.chunks_exact(rows * columns) {
        let whole = chapter::convolution(x, [rows, columns], &k, [height, width]);
        let whole_rows = whole.chunks_exact(columns + width - 1);
        for row in whole_rows.take(rows).skip(height - 1) {
            expected.extend_from_slice(&row[width - 1..columns]);
        }
    }
    assert_close(&y, &expected, TOLERANCE, TOLERANCE);
}

/// `p(i,j) = max(window)`, channel by channel.
#[test]
fn max_pool2d_is_the_largest_number_of_each_window() {
    let [rows, columns, channels, size] = [8, 11, 3, 3];
    let layer = MaxPool2d::new([size, size]);
    let plan = layer.plan(Shape::image(rows, columns, channels));
    let x = distinct(3, IMAGES.samples * rows * columns * channels);
    let y = forward(&layer, &plan, IMAGES, &[], &x);

    let outputs = (rows / size) * (columns / size) * channels;
    let images = x.chunks_exact(rows * columns * channels);
    for (x, y) in images.zip(y.chunks_exact(outputs)) {
        for channel in 0..channels {
            let of_channel = |v: &[f64]| -> Vec<f64> {
                v.iter().skip(channel).step_by(channels).copied().collect()
            };
            let expected = chapter::max_pool(&of_channel(x), [rows, columns], size);
            assert_close(&of_channel(y), &expected, TOLERANCE, TOLERANCE);
        }
    }
}

fn gate(seed: u64) -> Gate {
    Gate {
        weight: fill(seed, (UNITS + FEATURES) * UNITS),
        bias: fill(seed + 1, UNITS),
    }
}

/// The gate with the signs of its weights and biases turned: what comes out of its sigmoid is 1 − what came out before.
fn negated(gate: &Gate) -> Gate {
    let turned = |values: &[f64]| values.iter().map(|value| -value).collect();
    Gate {
        weight: turned(&gate.weight),
        bias: turned(&gate.bias),
    }
}

/// The parameters of a recurrent layer whose gates stand side by side: weights of the input, of the state, biases. The chapter's
/// `W` acts on `[h, x]`, so its first rows are the state's.
fn side_by_side(gates: &[&Gate]) -> Vec<f64> {
    let row = |i: usize| {
        let parts = gates.iter().map(move |gate| &gate.weight[i * UNITS..]);
        parts.flat_map(|weight| weight[..UNITS].iter().copied())
    };
    let input = (UNITS..UNITS + FEATURES).flat_map(row);
    let state = (0..UNITS).flat_map(row);
    let bias = gates.iter().flat_map(|gate| gate.bias.iter().copied());
    input.chain(state).chain(bias).collect()
}

/// A cell of the chapter over sequences that lie step after step: `step` takes a sample and its input to the next state.
fn over_time(x: &[f64], mut step: impl FnMut(usize, &[f64]) -> Vec<f64>) -> Vec<f64> {
    let rows = x.chunks_exact(FEATURES).enumerate();
    rows.flat_map(|(row, x)| step(row % SEQUENCES.samples, x))
        .collect()
}

fn sequences(seed: u64) -> Vec<f64> {
    fill(seed, SEQUENCES.steps * SEQUENCES.samples * FEATURES)
}

/// `z = σ(W_z[h,x] + b_z)`, `r = σ(W_r[h,x] + b_r)`, `h̃ = tanh(W_h[r⊙h, x] + b_h)`, `h' = (1 − z)⊙h + z⊙h̃`: the layer's z weighs the
/// old state, so its update gate is the chapter's negated; and its reset acts before the product.
#[test]
fn gru_with_the_update_gate_negated_is_the_chapters() {
    let layer = Gru::new(UNITS)
        .returns(Returns::Sequence)
        .reset_after(false);
    let plan = layer.plan(Shape::vector(FEATURES).in_sequence());
    let (update, reset, candidate) = (gate(10), gate(20), gate(30));
    let parameters = side_by_side(&[&negated(&update), &reset, &candidate]);
    let x = sequences(4);
    let y = forward(&layer, &plan, SEQUENCES, &parameters, &x);

    let mut h = vec![vec![0.0; UNITS]; SEQUENCES.samples];
    let expected = over_time(&x, |n, x| {
        h[n] = chapter::gru_step(&h[n], x, &update, &reset, &candidate);
        h[n].clone()
    });
    assert_close(&y, &expected, TOLERANCE, TOLERANCE);
}

/// `i, f, o = σ(…)`, `c̃ = tanh(…)`, `c' = f⊙c + i⊙c̃`, `h' = o⊙tanh(c')`; the layer's gates stand in the order i, f, c, o.
#[test]
fn lstm_is_the_chapters() {
    let layer = Lstm::new(UNITS).returns(Returns::Sequence);
    let plan = layer.plan(Shape::vector(FEATURES).in_sequence());
    let cell = chapter::Lstm {
        input: gate(40),
        forget: gate(50),
        output: gate(60),
        candidate: gate(70),
    };
    let parameters = side_by_side(&[&cell.input, &cell.forget, &cell.candidate, &cell.output]);
    let x = sequences(5);
    let y = forward(&layer, &plan, SEQUENCES, &parameters, &x);

    let mut state = vec![(vec![0.0; UNITS], vec![0.0; UNITS]); SEQUENCES.samples];
    let expected = over_time(&x, |n, x| {
        let (h, c) = &state[n];
        state[n] = cell.step(h, c, x);
        state[n].0.clone()
    });
    assert_close(&y, &expected, TOLERANCE, TOLERANCE);
}
