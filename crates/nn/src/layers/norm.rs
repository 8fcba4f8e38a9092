//! Normalisations: over the batch, which couples its samples, and over the last axis of every place.

use super::dense::{gradients, weights};
use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_autograd::ops::batch_norm::{self, Passed, Statistics};
use plywood_autograd::ops::{WeightedFlow, layer_norm};
use plywood_kernels::norm::Epilogue;
use plywood_kernels::{Float, pool};
use plywood_shape::layers::{BatchNorm, BatchNormPool2d, LayerNorm};
use plywood_shape::{Plan, Rows};

/// A declaration that becomes an operation once it knows its sizes.
trait OverBatch {
    fn operation(&self, plan: &Plan, rows: Rows) -> batch_norm::BatchNorm;

    /// The share of the old running statistics that a step keeps.
    fn momentum(&self) -> f64;
}

impl OverBatch for BatchNorm {
    fn operation(&self, plan: &Plan, rows: Rows) -> batch_norm::BatchNorm {
        let channels = plan.input.features().get();
        let places = plan.input.elements().get() / channels;
        batch_norm::BatchNorm {
            epsilon: self.epsilon,
            epilogue: Epilogue::rows(rows.of(plan.input) * places, channels, self.activation),
        }
    }

    fn momentum(&self) -> f64 {
        self.momentum
    }
}

impl OverBatch for BatchNormPool2d {
    fn operation(&self, plan: &Plan, rows: Rows) -> batch_norm::BatchNorm {
        let samples = rows.of(plan.input);
        batch_norm::BatchNorm {
            epsilon: self.norm.epsilon,
            epilogue: Epilogue {
                activation: self.norm.activation,
                pool: pool::Dims::of(samples, plan.input, plan.output, &self.pool.window),
            },
        }
    }

    fn momentum(&self) -> f64 {
        self.norm.momentum
    }
}

/// Count, means and sums of squared deviations, one behind the other: what all samples share.
fn shared<'v, T: Float>(plan: &Plan, values: &'v [T]) -> Statistics<'v, T> {
    Statistics::of(values, plan.input.features().get())
}

/// What a layer goes by that keeps its running statistics while others are trained: those, as if of a batch of one, and sums of
/// gradients which are zero, since nothing follows the samples.
fn of_state<'v, T: Float>(state: &[T], scratch: &'v mut [T]) -> (Statistics<'v, T>, &'v [T]) {
    let (values, sums) = scratch.split_at_mut(1 + state.len());
    values[0] = T::ONE;
    values[1..].copy_from_slice(state);
    let sums = &mut sums[..state.len()];
    sums.fill(T::ZERO);
    (Statistics::of(values, state.len() / 2), sums)
}

/// What the way back reads.
fn passed<'a, T: Float>(
    pass: &Pass<'a, T>,
    statistics: Statistics<'a, T>,
    x: &'a [T],
    dy: &'a [T],
) -> Passed<'a, T> {
    Passed {
        x,
        dy,
        weights: weights(pass.parameters, pass.plan.input.features().get(), true),
        statistics,
    }
}

macro_rules! over_batch {
    ($($layer:ident),*) => {$(
        impl<T: Float> Layer<T> for $layer {
            fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
                forward(self, pass, x, y, memory.scratch);
            }

            fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
                backward(self, pass, flow, memory.scratch);
            }

            fn scratch_len(&self, plan: &Plan, _: Rows) -> usize {
                1 + 2 * plan.state_count()
            }

            fn observe(&self, pass: &Pass<'_, T>, x: &[T], partial: &mut [T]) {
                self.operation(pass.plan, pass.rows).statistics(x, partial);
            }

            fn merge(&self, plan: &Plan, into: &mut [T], further: &[T]) {
                batch_norm::merge(into, further, plan.input.features().get());
            }

            fn observe_gradient(
                &self,
                pass: &Pass<'_, T>,
                x: &[T],
                dy: &[T],
                partial: &mut [T],
                gradient: &mut [T],
            ) {
                let operation = self.operation(pass.plan, pass.rows);
                let sums = &mut partial[..2 * operation.channels()];
                let statistics = shared(pass.plan, pass.shared);
                operation.gradient_sums(passed(pass, statistics, x, dy), sums);
                add_parameters(sums, gradient);
            }

            fn absorb(&self, plan: &Plan, values: &[T], state: &mut [T]) {
                absorb(T::from_f64(self.momentum()), shared(plan, values), state);
            }
        }
    )*};
}

over_batch!(BatchNorm, BatchNormPool2d);

fn forward<T: Float>(
    layer: &impl OverBatch,
    pass: &Pass<'_, T>,
    x: &[T],
    y: &mut [T],
    scratch: &mut [T],
) {
    let operation = layer.operation(pass.plan, pass.rows);
    let weights = weights(pass.parameters, operation.channels(), true);
    if pass.training {
        operation.forward(x, weights, shared(pass.plan, pass.shared), y);
    } else if pass.keeps {
        // The way back computes the same again.
        operation.forward(x, weights, of_state(pass.state, scratch).0, y);
    } else {
        operation.infer(x, weights, pass.state.split_at(operation.channels()), y);
    }
}

/// The input gradient alone: [`Layer::observe_gradient`] adds those of the parameters.
fn backward<T: Float>(
    layer: &impl OverBatch,
    pass: &Pass<'_, T>,
    flow: Flow<'_, T>,
    scratch: &mut [T],
) {
    let Some(dx) = flow.dx else { return };
    let operation = layer.operation(pass.plan, pass.rows);
    let (statistics, sums) = if pass.training {
        let sums = &pass.shared_gradient[..2 * operation.channels()];
        (shared(pass.plan, pass.shared), sums)
    } else {
        of_state(pass.state, scratch)
    };
    operation.backward(passed(pass, statistics, flow.x, flow.dy), sums, dx);
}

/// Adds the sums of `dz` and of `dz · x̂` to the gradients of bias and weight, which is the first.
fn add_parameters<T: Float>(sums: &[T], gradient: &mut [T]) {
    let (bias_sums, weight_sums) = sums.split_at(sums.len() / 2);
    let gradients = gradient.iter_mut().zip(weight_sums.iter().chain(bias_sums));
    for (gradient, sum) in gradients {
        *gradient += *sum;
    }
}

/// `running ← kept · running + (1 − kept) · batch`, with the batch's biased variance, as in Keras.
fn absorb<T: Float>(kept: T, statistics: Statistics<'_, T>, state: &mut [T]) {
    let channels = state.len() / 2;
    let (means, variances) = state.split_at_mut(channels);
    for c in 0..channels {
        means[c] = kept * means[c] + (T::ONE - kept) * statistics.mean(c);
        variances[c] = kept * variances[c] + (T::ONE - kept) * statistics.variance(c);
    }
}

fn layer_operation<T>(layer: &LayerNorm, pass: &Pass<'_, T>) -> layer_norm::LayerNorm {
    let plan = pass.plan;
    let features = plan.input.features().get();
    let places = plan.input.elements().get() / features;
    layer_norm::LayerNorm {
        rows: pass.rows.of(plan.input) * places,
        features,
        epsilon: layer.epsilon,
    }
}

impl<T: Float> Layer<T> for LayerNorm {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
        let operation = layer_operation(self, pass);
        let weights = weights(pass.parameters, operation.features, true);
        operation.forward(x, weights, y, memory.saved);
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
        let operation = layer_operation(self, pass);
        let weighted = WeightedFlow {
            x: flow.x,
            weight: weights(pass.parameters, operation.features, true).weight,
            y: flow.y,
            dy: flow.dy,
            dx: flow.dx,
        };
        let gradients = gradients(flow.gradient, operation.features, true);
        operation.backward(weighted, gradients, memory.saved);
    }
}
