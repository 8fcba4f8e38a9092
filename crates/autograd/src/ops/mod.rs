//! The differentiable operations, one file each.
//!
//! A file holds the operation over slices (`forward`, `backward`: no allocation, scratch space is an argument), which
//! compiled networks call; its form on the [`Tape`](crate::Tape), which users call; and its gradient check. Gradients of
//! parameters are added to what their slices hold; gradients of inputs are written.

pub mod activation;
mod arithmetic;
pub mod batch_norm;
pub mod conv2d;
pub mod conv_pool2d;
pub mod conv_transpose2d;
pub mod cross_entropy;
pub mod dense;
pub mod dropout;
mod elementwise;
pub mod embedding;
mod gather;
pub mod gru;
pub mod join;
pub mod layer_norm;
pub mod lstm;
mod matmul;
pub mod pool2d;
mod reduce;
pub mod regression;
pub mod rnn;
mod rows;
mod shape;
pub mod softmax;

use plywood_kernels::Float;
use plywood_tensor::Tensor;

/// The parameters of an operation with weights.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a, T> {
    /// The weight, in the operation's layout.
    pub weight: &'a [T],
    /// One number an output feature.
    pub bias: Option<&'a [T]>,
}

/// Where the gradients of [`Weights`] are added to.
#[derive(Debug)]
pub struct WeightGradients<'a, T> {
    /// Gradient of the weight.
    pub weight: &'a mut [T],
    /// Gradient of the bias.
    pub bias: Option<&'a mut [T]>,
}

/// What an operation with weights reads and writes on its way back, beside its parameters' gradients.
#[derive(Debug)]
pub struct WeightedFlow<'a, T> {
    /// The input.
    pub x: &'a [T],
    /// The weight.
    pub weight: &'a [T],
    /// The output.
    pub y: &'a [T],
    /// The gradient of the output; turned into that before the activation.
    pub dy: &'a mut [T],
    /// Where the gradient of the input is written, if it is wanted.
    pub dx: Option<&'a mut [T]>,
}

/// Scratch space for an operation on the tape.
pub(crate) fn scratch<T: Float>(len: usize) -> Vec<T> {
    vec![T::ZERO; len]
}

/// The length of a tensor's last axis, whose elements are what `operation` calls a row.
///
/// # Panics
/// If there is no axis or the last one is empty.
#[track_caller]
pub(crate) fn row_len<T: Float>(tensor: &Tensor<T>, operation: &str) -> usize {
    let columns = tensor.shape().last().copied().unwrap_or(0);
    assert!(
        columns > 0,
        "{operation}: shape {:?} has no rows of at least one element",
        tensor.shape()
    );
    columns
}

/// Every one of `cases` with each of so many seeds.
#[cfg(test)]
pub(crate) fn seeded<C: Clone>(
    seeds: u64,
    cases: impl IntoIterator<Item = C>,
) -> impl Iterator<Item = (u64, C)> {
    let with_seeds = move |case: C| (0..seeds).map(move |seed| (seed, case.clone()));
    cases.into_iter().flat_map(with_seeds)
}

/// Test inputs: uniform in [−1, 1), at least 0.01 away from 0, where activations have their kinks.
#[cfg(test)]
pub(crate) fn sample(seed: u64, shape: impl AsRef<[usize]>) -> plywood_tensor::Tensor<f64> {
    let random = plywood_kernels::random::Random {
        seed,
        stream: 1,
        step: 0,
    };
    let mut values = plywood_tensor::Tensor::uniform(shape, random);
    for x in values.data_mut() {
        *x = 2.0 * *x - 1.0;
        *x += 0.01_f64.copysign(*x);
    }
    values
}
