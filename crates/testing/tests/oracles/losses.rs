//! Losses: values and gradients.

use plywood_testing::Case;
use plywood_testing::oracle::loss::{self, Loss};

use crate::{each, matches};

/// Asserts that `row(output, i)`, the loss of row i, leads to the case's value and gradient.
fn check(case: &Case, row: impl Fn(&[f64], usize) -> Loss) {
    let width = *case.shape("output").last().expect("a last axis");
    let rows: Vec<Loss> = case
        .values("output")
        .chunks_exact(width)
        .enumerate()
        .map(|(i, output)| row(output, i))
        .collect();
    let (value, gradient) = loss::weighted(&rows, case.values("weights"));
    matches(case, "value", &[value]);
    matches(case, "doutput", &gradient);
}

/// Row `i` of the case's targets.
fn target(case: &Case, i: usize) -> &[f64] {
    let width = *case.shape("targets").last().expect("a last axis");
    &case.values("targets")[i * width..][..width]
}

#[test]
fn cross_entropies() {
    each("sparse_cross_entropy", |case| {
        let (classes, smoothing) = (case.indices("targets"), case.number("label_smoothing"));
        check(case, |output, i| {
            loss::sparse_cross_entropy(output, classes[i], smoothing)
        });
    });
    each("dense_cross_entropy", |case| {
        let smoothing = case.number("label_smoothing");
        check(case, |output, i| {
            loss::cross_entropy(output, target(case, i), smoothing)
        });
    });
    each("binary_cross_entropy", |case| {
        check(case, |output, i| {
            loss::binary_cross_entropy(output, target(case, i))
        });
    });
}

#[test]
fn losses_of_real_numbers() {
    each("mse", |case| {
        check(case, |output, i| loss::mse(output, target(case, i)))
    });
    each("mae", |case| {
        check(case, |output, i| loss::mae(output, target(case, i)))
    });
    each("huber", |case| {
        let delta = case.number("delta");
        check(case, |output, i| {
            loss::huber(output, target(case, i), delta)
        });
    });
}
