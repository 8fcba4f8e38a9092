//! Normalisations: over the batch, which couples its samples, and over the last axis of every place.

use super::dense::{gradients, weights};
use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_autograd::ops::batch_norm::{self, Statistics};
use plywood_autograd::ops::{WeightedFlow, layer_norm};
use plywood_kernels::Float;
use plywood_shape::Plan;
use plywood_shape::layers::{BatchNorm, LayerNorm};

fn batch_operation<T>(layer: &BatchNorm, pass: &Pass<'_, T>) -> batch_norm::BatchNorm {
    let plan = pass.plan;
    let channels = plan.input.features().get();
    let places = plan.input.elements().get() / channels;
    batch_norm::BatchNorm {
        rows: pass.rows.of(plan.input) * places,
        channels,
        epsilon: layer.epsilon,
    }
}

/// Count, means and sums of squared deviations, one behind the other: what [`BatchNorm`] shares between all samples.
fn shared<'v, T: Float>(plan: &Plan, values: &'v [T]) -> Statistics<'v, T> {
    Statistics::of(values, plan.input.features().get())
}

impl<T: Float> Layer<T> for BatchNorm {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        let operation = batch_operation(self, pass);
        let weights = weights(pass.parameters, operation.channels, true);
        if pass.training {
            operation.forward(x, weights, shared(pass.plan, pass.shared), y);
        } else {
            let (mean, variance) = pass.state.split_at(operation.channels);
            operation.infer(x, weights, (mean, variance), y);
        }
    }

    /// The input gradient alone: [`Layer::observe_gradient`] adds those of the parameters.
    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        let Some(dx) = flow.dx else { return };
        let operation = batch_operation(self, pass);
        let weight = weights(pass.parameters, operation.channels, true).weight;
        let flow = WeightedFlow {
            x: flow.x,
            weight,
            y: flow.y,
            dy: flow.dy,
            dx: Some(dx),
        };
        let sums = &pass.shared_gradient[..2 * operation.channels];
        operation.backward(flow, shared(pass.plan, pass.shared), sums);
    }

    fn observe(&self, pass: &Pass<'_, T>, x: &[T], partial: &mut [T]) {
        batch_operation(self, pass).statistics(x, partial);
    }

    fn merge(&self, plan: &Plan, into: &mut [T], further: &[T]) {
        batch_norm::merge(into, further, plan.input.features().get());
    }

    /// Sums of `dy` and of `dy · x̂`, channel by channel: the gradients of bias and weight, too.
    fn observe_gradient(
        &self,
        pass: &Pass<'_, T>,
        x: &[T],
        dy: &[T],
        partial: &mut [T],
        gradient: &mut [T],
    ) {
        let operation = batch_operation(self, pass);
        let sums = &mut partial[..2 * operation.channels];
        operation.gradient_sums(x, dy, shared(pass.plan, pass.shared), sums);
        let (bias_sums, weight_sums) = sums.split_at(operation.channels);
        let gradients = gradient.iter_mut().zip(weight_sums.iter().chain(bias_sums));
        for (gradient, sum) in gradients {
            *gradient += *sum;
        }
    }

    /// `running ← momentum · running + (1 − momentum) · batch`, with the batch's biased variance, as in Keras.
    fn absorb(&self, plan: &Plan, shared_values: &[T], state: &mut [T]) {
        let statistics = shared(plan, shared_values);
        let channels = plan.input.features().get();
        let kept = T::from_f64(self.momentum);
        let (means, variances) = state.split_at_mut(channels);
        for c in 0..channels {
            means[c] = kept * means[c] + (T::ONE - kept) * statistics.mean(c);
            variances[c] = kept * variances[c] + (T::ONE - kept) * statistics.variance(c);
        }
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
