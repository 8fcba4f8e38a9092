//! The gradients against differences, a batch in blocks against the batch as a whole, and the fused operation against its
//! parts.

use super::{BatchNorm, BatchNormPool, Passed, Statistics, merge};
use crate::ops::{Weights, sample};
use crate::{Tape, gradcheck};
use plywood_kernels::norm::Epilogue;
use plywood_shape::{Activation, Size, Window};

#[test]
fn gradients_agree_with_differences() {
    for rows in [0, 1, 2, 5, 9] {
        for channels in [1, 2, 3, 8, 17] {
            let operands = [
                sample(1, [rows, channels]),
                sample(2, [channels]),
                sample(3, [channels]),
            ];
            let moments = || {
                [
                    sample(4, [channels]),
                    sample(5, [channels]).map(|x| x.abs()),
                ]
            };
            gradcheck(&operands, |_, v| v[0].batch_norm(v[1], v[2], 1e-3))
                .unwrap_or_else(|error| panic!("{rows}×{channels}: {error}"));
            gradcheck(&operands, |_, v| {
                v[0].batch_norm_fixed(v[1], v[2], moments(), 1e-3)
            })
            .unwrap_or_else(|error| panic!("{rows}×{channels}, fixed: {error}"));
        }
    }
    let operands = [sample(1, [2, 3, 4, 5]), sample(2, [5]), sample(3, [5])];
    gradcheck(&operands, |_, v| v[0].batch_norm(v[1], v[2], 1e-5)).unwrap();
}

/// A batch in blocks gives what the batch gives as a whole.
#[test]
fn blocks_meet_in_the_statistics() {
    let (rows, channels, epsilon) = (11, 3, 1e-3);
    let (x, dy) = (sample(1, [rows, channels]), sample(2, [rows, channels]));
    let (weight, bias) = (sample(3, [channels]), sample(4, [channels]));
    let weights = Weights {
        weight: weight.data(),
        bias: Some(bias.data()),
    };
    let blocks = [(0, 4), (4, 5), (5, 11)];
    let block = |(start, end): (usize, usize)| {
        (
            BatchNorm {
                epsilon,
                epilogue: Epilogue::rows(end - start, channels, Activation::Identity),
            },
            start * channels..end * channels,
        )
    };
    let (mut shared, mut sums) = (vec![0.0; 7], vec![0.0; 6]);
    for (norm, range) in blocks.map(block) {
        let mut part = vec![0.0; 7];
        norm.statistics(&x.data()[range], &mut part);
        merge(&mut shared, &part, channels);
    }
    let statistics = Statistics::of(&shared, channels);
    for (norm, range) in blocks.map(block) {
        let mut part = vec![0.0; 6];
        let passed = Passed {
            x: &x.data()[range.clone()],
            dy: &dy.data()[range],
            weights,
            statistics,
        };
        norm.gradient_sums(passed, &mut part);
        sums.iter_mut()
            .zip(&part)
            .for_each(|(sum, part)| *sum += part);
    }
    let tape = Tape::new();
    let [vx, vw, vb] = [&x, &weight, &bias].map(|value| tape.leaf(value.clone()));
    let whole = vx.batch_norm(vw, vb, epsilon);
    let gradients = whole.backward_from(dy.clone());
    let is_close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
    for (norm, range) in blocks.map(block) {
        let (x, dy) = (&x.data()[range.clone()], &dy.data()[range.clone()]);
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        norm.forward(x, weights, statistics, &mut y);
        assert!(is_close(&y, &whole.value().data()[range.clone()]));
        let passed = Passed {
            x,
            dy,
            weights,
            statistics,
        };
        norm.backward(passed, &sums, &mut dx);
        assert!(is_close(&dx, &gradients.of(vx).data()[range]));
    }
    assert!(is_close(&sums[..3], gradients.of(vb).data()));
    assert!(is_close(&sums[3..], gradients.of(vw).data()));
}

/// Image and window.
type Case = ([usize; 4], [usize; 2]);

const CASES: [Case; 9] = [
    ([0, 4, 4, 2], [2, 2]),
    ([2, 4, 4, 3], [2, 2]),
    ([1, 5, 7, 2], [2, 2]),
    ([3, 2, 3, 17], [1, 1]),
    ([1, 7, 6, 1], [3, 3]),
    ([2, 3, 5, 4], [1, 2]),
    ([2, 6, 2, 33], [3, 1]),
    ([1, 1, 1, 5], [1, 1]),
    ([2, 3, 4, 2], [3, 4]),
];

const ACTIVATIONS: [Activation; 5] = [
    Activation::Relu,
    Activation::Tanh,
    Activation::Identity,
    Activation::Sigmoid,
    Activation::LeakyRelu(0.1),
];

fn settings(window: [usize; 2], activation: Activation) -> BatchNormPool {
    let window = window.map(Size::Known);
    BatchNormPool {
        epsilon: 1e-3,
        activation,
        pool: Window::new(window, window),
    }
}

fn cases() -> impl Iterator<Item = (Case, Activation)> {
    CASES
        .into_iter()
        .flat_map(|case| ACTIVATIONS.map(|activation| (case, activation)))
}

#[test]
fn gradients_through_activation_and_pool_agree_with_differences() {
    for ((image, window), activation) in cases() {
        let channels = [image[3]];
        let operands = [sample(1, image), sample(2, channels), sample(3, channels)];
        let settings = settings(window, activation);
        gradcheck(&operands, |_, v| {
            v[0].batch_norm_pool2d(v[1], v[2], settings)
        })
        .unwrap_or_else(|error| panic!("{image:?}, {window:?}, {activation:?}: {error}"));
    }
}

/// Values are those of the parts one after the other to the bit, gradients within rounding, since the sums go another
/// way through the rows.
#[test]
fn is_the_three_operations() {
    for ((image, window), activation) in cases() {
        let settings = settings(window, activation);
        let tape = Tape::new();
        let channels = [image[3]];
        let [x, w, b] = [sample(1, image), sample(2, channels), sample(3, channels)]
            .map(|value| tape.leaf(value));
        let fused = x.batch_norm_pool2d(w, b, settings);
        let normalised = x.batch_norm(w, b, settings.epsilon);
        let apart = normalised.activation(activation).max_pool2d(settings.pool);
        assert_eq!(fused.value().data(), apart.value().data(), "{image:?}");
        let seed = sample(4, fused.shape());
        let (fused, apart) = (fused.backward_from(seed.clone()), apart.backward_from(seed));
        for var in [x, w, b] {
            for (a, b) in fused.of(var).data().iter().zip(apart.of(var).data()) {
                assert!((a - b).abs() <= 1e-12, "{image:?}: {a} is not {b}");
            }
        }
    }
}
