//! What works row by row or number by number: dense, embedding, normalisations, activations, softmax.

use plywood_testing::Case;
use plywood_testing::close::assert_close_named;
use plywood_testing::oracle::matmul::{column_sums, dense, transpose};
use plywood_testing::oracle::norm::{self, Affine};
use plywood_testing::oracle::numeric::dot;
use plywood_testing::oracle::{activation, embedding, matmul, numeric_gradient, softmax};

use crate::{each, matches};

#[test]
fn dense_layers() {
    each("dense", |case| {
        let &[k, n] = case.shape("weight") else {
            panic!("{}", case.name)
        };
        let (x, weight, dy) = (case.values("x"), case.values("weight"), case.values("dy"));
        let m = x.len() / k;
        let zeros = vec![0.0; n];
        let bias = case.get("bias").map_or(&zeros, |bias| &bias.values);
        matches(case, "y", &dense(x, weight, bias, [m, k, n]));
        matches(case, "dx", &matmul(dy, &transpose(weight, k, n), [m, n, k]));
        matches(case, "dweight", &matmul(&transpose(x, m, k), dy, [k, m, n]));
        if case.flag("bias") {
            matches(case, "dbias", &column_sums(dy, n));
        }
    });
}

#[test]
fn embeddings() {
    each("embedding", |case| {
        let (tokens, features) = (case.indices("x"), case.size("features"));
        matches(
            case,
            "y",
            &embedding::gather(&tokens, case.values("weight"), features),
        );
        let vocabulary = case.size("vocabulary");
        let dweight = embedding::scatter(&tokens, case.values("dy"), vocabulary, features);
        matches(case, "dweight", &dweight);
    });
}

fn affine(case: &Case) -> Affine<'_> {
    Affine {
        weight: case.values("weight"),
        bias: case.values("bias"),
        epsilon: case.number("epsilon"),
    }
}

/// Asserts that central differences of `y(x)` lead to the case's input gradient.
fn differences_match(case: &Case, y: impl Fn(&[f64]) -> Vec<f64>) {
    let dx = numeric_gradient(|x| dot(&y(x), case.values("dy")), case.values("x"), 1e-5);
    assert_close_named(&case.name, &dx, case.values("dx"), 1e-6, 1e-8);
}

#[test]
fn batch_norm() {
    each("batch_norm", |case| {
        let (x, affine) = (case.values("x"), affine(case));
        let (mean, variance) = (case.values("running_mean"), case.values("running_var"));
        if !case.flag("training") {
            matches(case, "y", &norm::batch_norm(x, mean, variance, &affine));
            differences_match(case, |x| norm::batch_norm(x, mean, variance, &affine));
            return;
        }
        matches(case, "y", &norm::batch_norm_training(x, &affine));
        differences_match(case, |x| norm::batch_norm_training(x, &affine));
        let columns = affine.weight.len();
        let (batch_mean, batch_variance) = norm::column_statistics(x, columns);
        let momentum = case.number("momentum");
        matches(
            case,
            "new_running_mean",
            &norm::running(mean, &batch_mean, momentum),
        );
        let rows = (x.len() / columns) as f64;
        let (name, correction) = match case.get("new_running_var") {
            Some(_) => ("new_running_var", 1.0),
            None => ("new_running_var_unbiased", rows / (rows - 1.0)),
        };
        let corrected: Vec<f64> = batch_variance.iter().map(|v| v * correction).collect();
        matches(case, name, &norm::running(variance, &corrected, momentum));
    });
}

#[test]
fn layer_norm() {
    each("layer_norm", |case| {
        let affine = affine(case);
        matches(case, "y", &norm::layer_norm(case.values("x"), &affine));
        differences_match(case, |x| norm::layer_norm(x, &affine));
    });
}

fn elementwise(layer: &str, f: impl Fn(f64) -> f64, derivative: impl Fn(f64) -> f64) {
    each(layer, |case| {
        let (x, dy) = (case.values("x"), case.values("dy"));
        let y: Vec<f64> = x.iter().map(|&x| f(x)).collect();
        matches(case, "y", &y);
        let dx: Vec<f64> = x
            .iter()
            .zip(dy)
            .map(|(&x, dy)| derivative(x) * dy)
            .collect();
        matches(case, "dx", &dx);
    });
}

#[test]
fn activations() {
    elementwise("relu", activation::relu, activation::relu_derivative);
    elementwise("tanh", activation::tanh, activation::tanh_derivative);
    elementwise(
        "sigmoid",
        activation::sigmoid,
        activation::sigmoid_derivative,
    );
    elementwise("silu", activation::silu, activation::silu_derivative);
    elementwise("gelu", activation::gelu, activation::gelu_derivative);
    let slope = 0.125;
    each("leaky_relu", |case| assert_eq!(case.number("slope"), slope));
    elementwise(
        "leaky_relu",
        |x| activation::leaky_relu(x, slope),
        |x| activation::leaky_relu_derivative(x, slope),
    );
}

#[test]
fn softmax_rows() {
    each("softmax", |case| {
        let classes = *case.shape("x").last().expect("a last axis");
        let y = softmax::softmax(case.values("x"), classes);
        matches(case, "y", &y);
        matches(
            case,
            "dx",
            &softmax::softmax_backward(&y, case.values("dy"), classes),
        );
    });
}
