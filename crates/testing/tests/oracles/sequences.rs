//! Recurrent layers: one direction and both, full and padded sequences.

use plywood_testing::Case;
use plywood_testing::close::assert_close_named;
use plywood_testing::oracle::numeric::dot;
use plywood_testing::oracle::numeric_gradient;
use plywood_testing::oracle::rnn::{self, Weights};

use crate::{each, matches};

const DIRECTIONS: [&str; 2] = ["", "reverse_"];

/// The states of one direction over the valid steps of one sample, [step][unit].
fn states(layer: &str, case: &Case, prefix: &str, x: &[f64], weights: &Weights<'_>) -> Vec<f64> {
    let features = case.shape("x")[2];
    let run = |x: &[f64]| match layer {
        "simple_rnn" => rnn::simple_rnn(x, features, weights),
        "gru" => rnn::gru(x, features, weights, case.flag("reset_after")),
        "lstm" => rnn::lstm(x, features, weights),
        _ => panic!("no oracle for {layer}"),
    };
    if prefix.is_empty() {
        run(x)
    } else {
        rnn::reversed(x, features, weights.units, run)
    }
}

/// One sample's row of the layer's output: all steps, or what each direction ended with.
fn output(case: &Case, steps: usize, length: usize, directions: &[Vec<f64>]) -> Vec<f64> {
    let units = case.size("units");
    let row = |states: &[f64], step: usize| states[step * units..][..units].to_vec();
    if case.text("returns") == "last" {
        let ends = [length - 1, 0];
        let last = directions
            .iter()
            .zip(ends)
            .map(|(states, end)| row(states, end));
        return last.flatten().collect();
    }
    let padded = |states: &[f64], step: usize| match case.config["padded"].as_str() {
        Some("zero") if step >= length => vec![0.0; units],
        _ => row(states, step.min(length - 1)),
    };
    let step = |step| {
        directions
            .iter()
            .flat_map(move |states| padded(states, step))
    };
    (0..steps).flat_map(step).collect()
}

/// The layer's output for the whole batch, with one tensor replaced by `value`.
fn forward(layer: &str, case: &Case, replaced: &str, value: &[f64]) -> Vec<f64> {
    let tensor = |name: &str| {
        if name == replaced {
            value
        } else {
            case.values(name)
        }
    };
    let &[samples, steps, features] = case.shape("x") else {
        panic!("{}", case.name)
    };
    let lengths = match case.get("lengths") {
        Some(_) => case.indices("lengths"),
        None => vec![steps as u32; samples],
    };
    let mut y = Vec::new();
    for (n, length) in lengths.into_iter().enumerate() {
        let length = length as usize;
        let x = &tensor("x")[n * steps * features..][..length * features];
        let mut directions = Vec::new();
        for prefix in DIRECTIONS {
            if case.get(&format!("{prefix}weight")).is_some() {
                let weights = Weights {
                    weight: tensor(&format!("{prefix}weight")),
                    recurrent: tensor(&format!("{prefix}recurrent_weight")),
                    bias: tensor(&format!("{prefix}bias")),
                    units: case.size("units"),
                };
                directions.push(states(layer, case, prefix, x, &weights));
            }
        }
        y.extend(output(case, steps, length, &directions));
    }
    y
}

fn check(layer: &str, case: &Case) {
    matches(case, "y", &forward(layer, case, "x", case.values("x")));
    for gradient in case
        .tensor_names()
        .filter(|name| name.starts_with('d') && *name != "dy")
    {
        let name = &gradient[1..];
        let loss = |value: &[f64]| dot(&forward(layer, case, name, value), case.values("dy"));
        let actual = numeric_gradient(loss, case.values(name), 1e-5);
        let what = format!("{} {gradient}", case.name);
        assert_close_named(&what, &actual, case.values(gradient), 1e-6, 1e-8);
    }
}

#[test]
fn one_direction() {
    for layer in ["simple_rnn", "gru", "lstm"] {
        each(layer, |case| check(layer, case));
    }
}

#[test]
fn both_directions() {
    for layer in ["simple_rnn", "gru", "lstm"] {
        each(&format!("bidirectional_{layer}"), |case| check(layer, case));
    }
}
