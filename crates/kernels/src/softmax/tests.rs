//! Every kernel against its formula in `f64`, gradients against differences, rows alone against rows in a batch.

use super::{
    BinaryCrossEntropy, CrossEntropy, Targets, binary_cross_entropy, cross_entropy,
    log_softmax_backward, log_softmax_forward, softmax_backward, softmax_forward,
};
use crate::float::Float;
use crate::random::Random;
use crate::simd::on_every_level;

const COLUMNS: [usize; 9] = [1, 2, 4, 5, 7, 8, 10, 17, 33];
/// A whole group of rows side by side and a part of one, on every level.
const ROWS: usize = 19;

fn values(len: usize, stream: u32) -> Vec<f64> {
    let mut words = Random {
        seed: 13,
        stream,
        step: 0,
    }
    .sequence();
    (0..len)
        .map(|_| words.uniform::<f64>() * 10.0 - 5.0)
        .collect()
}

/// Rounded to `T`, so that both sides of a comparison start from the same numbers.
fn rounded<T: Float>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&x| T::from_f64(x)).collect()
}

fn assert_close<T: Float>(got: &[T], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let tolerance = 64.0 * T::EPSILON.to_f64() * (1.0 + expected.abs());
        let close = (got.to_f64() - expected).abs() <= tolerance;
        assert!(close, "{what}: element {i} is {got}, expected {expected}");
    }
}

fn naive_softmax(x: &[f64]) -> Vec<f64> {
    let sum: f64 = x.iter().map(|x| x.exp()).sum();
    x.iter().map(|x| x.exp() / sum).collect()
}

fn check_softmax<T: Float>() {
    for n in COLUMNS {
        let x = rounded::<T>(&values(ROWS * n, 0));
        let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
        let dy = rounded::<T>(&values(ROWS * n, 1));
        let (mut y, mut dx) = (vec![T::NAN; ROWS * n], vec![T::NAN; ROWS * n]);
        let expected: Vec<f64> = wide.chunks(n).flat_map(naive_softmax).collect();
        softmax_forward(&x, &mut y, n);
        assert_close(&y, &expected, "softmax");
        softmax_backward(&y, &dy, &mut dx, n);
        assert_close(
            &dx,
            &naive_backward(&expected, &dy, n, |p, dy, dot, _| p * (dy - dot)),
            "softmax backward",
        );
        log_softmax_forward(&x, &mut y, n);
        let logarithms: Vec<f64> = expected.iter().map(|p| p.ln()).collect();
        assert_close(&y, &logarithms, "log_softmax");
        log_softmax_backward(&y, &dy, &mut dx, n);
        let backward = naive_backward(&expected, &dy, n, |p, dy, _, sum| dy - p * sum);
        assert_close(&dx, &backward, "log_softmax backward");
    }
}

/// Applies a formula of p, dy, Σ p dy and Σ dy to each element.
fn naive_backward<T: Float>(
    p: &[f64],
    dy: &[T],
    n: usize,
    formula: fn(f64, f64, f64, f64) -> f64,
) -> Vec<f64> {
    let mut out = Vec::new();
    for (p, dy) in p.chunks(n).zip(dy.chunks(n)) {
        let dot = p.iter().zip(dy).map(|(p, dy)| p * dy.to_f64()).sum();
        let sum = dy.iter().map(|dy| dy.to_f64()).sum();
        out.extend(
            p.iter()
                .zip(dy)
                .map(|(&p, dy)| formula(p, dy.to_f64(), dot, sum)),
        );
    }
    out
}

#[test]
fn softmax_is_that_of_its_formula() {
    on_every_level(check_softmax::<f32>);
    check_softmax::<f64>();
}

#[test]
fn softmax_of_large_logits_does_not_overflow() {
    let mut y = [0.0_f32; 3];
    softmax_forward(&[1000.0, 1000.0, -1000.0], &mut y, 3);
    assert_eq!(y, [0.5, 0.5, 0.0]);
    log_softmax_forward(&[3000.0, 1000.0, 3000.0], &mut y, 3);
    let half = 0.5_f32.ln();
    assert!(
        (y[0] - half).abs() < 1e-3 && (y[1] + 2000.0).abs() < 1.0,
        "{y:?}"
    );
}

/// A weight a row, some of them 0.
fn weights<T: Float>() -> Vec<T> {
    let weights = [0.5, 0.0, 2.0, 1.0, 3.0];
    (0..ROWS).map(|row| T::from_f64(weights[row % 5])).collect()
}

/// Row `row` of targets as weights of classes.
fn dense_targets(classes: &[u32], n: usize) -> Vec<f64> {
    classes
        .iter()
        .flat_map(|&class| (0..n).map(move |j| if j == class as usize { 1.0 } else { 0.0 }))
        .collect()
}

/// The loss of a row by its definition.
fn naive_loss(x: &[f64], targets: &[f64], smoothing: f64) -> f64 {
    let p = naive_softmax(x);
    let n = x.len() as f64;
    p.iter()
        .zip(targets)
        .map(|(p, t)| -((1.0 - smoothing) * t + smoothing / n) * p.ln())
        .sum()
}

/// d/dx of `loss` by central differences.
fn difference(x: &[f64], i: usize, loss: impl Fn(&[f64]) -> f64) -> f64 {
    let step = 1e-5;
    let mut moved = x.to_vec();
    moved[i] = x[i] + step;
    let above = loss(&moved);
    moved[i] = x[i] - step;
    (above - loss(&moved)) / (2.0 * step)
}

fn check_cross_entropy<T: Float>() {
    for n in COLUMNS {
        let logits = rounded::<T>(&values(ROWS * n, 2));
        let wide: Vec<f64> = logits.iter().map(|x| x.to_f64()).collect();
        let classes: Vec<u32> = (0..ROWS).map(|row| (row * 7 % n) as u32).collect();
        let one_hot = dense_targets(&classes, n);
        let soft: Vec<f64> = values(ROWS * n, 3).iter().map(|x| x.abs() / 8.0).collect();
        let (one_hot_t, soft_t) = (rounded::<T>(&one_hot), rounded::<T>(&soft));
        let weights = weights::<T>();
        let cases = [
            (Targets::Sparse(&classes), &one_hot),
            (Targets::Dense(&one_hot_t), &one_hot),
            (Targets::Dense(&soft_t), &soft),
        ];
        for (targets, naive_targets) in cases {
            for (weights, label_smoothing) in [
                (None, 0.0),
                (Some(&weights[..]), 0.0),
                (Some(&weights[..]), 0.1),
            ] {
                let gradient_scale = T::from_f64(0.25);
                let arguments = CrossEntropy {
                    classes: n,
                    targets,
                    weights,
                    label_smoothing,
                    gradient_scale,
                };
                let (mut losses, mut gradient) = (vec![T::NAN; ROWS], vec![T::NAN; ROWS * n]);
                cross_entropy(arguments, &logits, &mut losses, &mut gradient);
                for row in 0..ROWS {
                    let weight = weights.map_or(1.0, |weights| weights[row].to_f64());
                    let (x, t) = (&wide[row * n..][..n], &naive_targets[row * n..][..n]);
                    let loss = |x: &[f64]| weight * naive_loss(x, t, label_smoothing);
                    assert_close(&losses[row..][..1], &[loss(x)], "cross_entropy");
                    for j in 0..n {
                        let expected = 0.25 * difference(x, j, loss);
                        let got = gradient[row * n + j].to_f64();
                        assert!(
                            (got - expected).abs() < 1e-6,
                            "{n} classes: {got}, expected {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn cross_entropy_is_that_of_its_definition() {
    on_every_level(check_cross_entropy::<f32>);
    check_cross_entropy::<f64>();
}

#[test]
fn a_row_without_weight_may_hold_any_class() {
    let (mut losses, mut gradient) = ([f32::NAN; 2], [f32::NAN; 4]);
    let arguments = CrossEntropy {
        classes: 2,
        targets: Targets::Sparse(&[1, 99]),
        weights: Some(&[1.0, 0.0]),
        label_smoothing: 0.0,
        gradient_scale: 1.0,
    };
    cross_entropy(arguments, &[0.0, 0.0, 1.0, 2.0], &mut losses, &mut gradient);
    assert_eq!(losses[1], 0.0);
    assert_eq!(gradient, [0.5, -0.5, 0.0, 0.0]);
}

#[test]
#[should_panic(expected = "cross_entropy: class 2 of 2")]
fn a_class_out_of_range_is_refused() {
    let arguments = CrossEntropy {
        classes: 2,
        targets: Targets::Sparse(&[2]),
        weights: None,
        label_smoothing: 0.0,
        gradient_scale: 1.0,
    };
    cross_entropy(arguments, &[0.0_f32, 0.0], &mut [0.0], &mut [0.0; 2]);
}

fn check_binary<T: Float>() {
    for columns in COLUMNS {
        let logits = rounded::<T>(&values(ROWS * columns, 4));
        let targets = rounded::<T>(
            &values(ROWS * columns, 5)
                .iter()
                .map(|x| x / 10.0 + 0.5)
                .collect::<Vec<_>>(),
        );
        let weights = weights::<T>();
        for (weights, label_smoothing) in [(None, 0.0), (Some(&weights[..]), 0.2)] {
            let gradient_scale = T::from_f64(0.5);
            let arguments = BinaryCrossEntropy {
                columns,
                targets: &targets,
                weights,
                label_smoothing,
                gradient_scale,
            };
            let (mut losses, mut gradient) = (vec![T::NAN; ROWS], vec![T::NAN; ROWS * columns]);
            binary_cross_entropy(arguments, &logits, &mut losses, &mut gradient);
            for row in 0..ROWS {
                let weight = weights.map_or(1.0, |weights| weights[row].to_f64());
                let mut sum = 0.0;
                for i in row * columns..(row + 1) * columns {
                    let p = 1.0 / (1.0 + (-logits[i].to_f64()).exp());
                    let t = (1.0 - label_smoothing) * targets[i].to_f64() + label_smoothing / 2.0;
                    sum -= weight * (t * p.ln() + (1.0 - t) * (1.0 - p).ln());
                    assert_close(
                        &gradient[i..][..1],
                        &[weight * 0.5 * (p - t)],
                        "binary_cross_entropy gradient",
                    );
                }
                assert_close(&losses[row..][..1], &[sum], "binary_cross_entropy");
            }
        }
    }
}

#[test]
fn binary_cross_entropy_is_that_of_its_definition() {
    on_every_level(check_binary::<f32>);
    check_binary::<f64>();
}

#[test]
fn a_row_alone_equals_the_row_in_a_batch() {
    on_every_level(check_rows);
}

fn check_rows() {
    for n in COLUMNS {
        let logits = rounded::<f32>(&values(ROWS * n, 6));
        let classes = [0; ROWS];
        let run = |rows: std::ops::Range<usize>| {
            let arguments = CrossEntropy {
                classes: n,
                targets: Targets::Sparse(&classes[rows.clone()]),
                weights: None,
                label_smoothing: 0.1,
                gradient_scale: 1.0,
            };
            let (mut losses, mut gradient) = (vec![0.0; rows.len()], vec![0.0; rows.len() * n]);
            cross_entropy(
                arguments,
                &logits[rows.start * n..rows.end * n],
                &mut losses,
                &mut gradient,
            );
            (losses, gradient)
        };
        let (losses, gradient) = run(0..ROWS);
        for row in 0..ROWS {
            let (loss, dx) = run(row..row + 1);
            assert_eq!(
                loss[0].to_bits(),
                losses[row].to_bits(),
                "{n} classes, row {row}"
            );
            assert!(dx == gradient[row * n..][..n], "{n} classes, row {row}");
        }
    }
}
