//! The fully connected layer, and the flattening before it.

use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_autograd::ops::dense;
use plywood_autograd::ops::{WeightGradients, WeightedFlow, Weights};
use plywood_kernels::Float;
use plywood_shape::layers::{Dense, Flatten};
use plywood_shape::{Plan, Rows};

fn operation(layer: &Dense, plan: &Plan, rows: Rows) -> dense::Dense {
    dense::Dense {
        rows: rows.of(plan.input),
        inputs: plan.input.features().get(),
        outputs: layer.units.get(),
        activation: layer.activation,
    }
}

/// Weight and bias, one behind the other in a layer's parameters.
pub(super) fn weights<T>(parameters: &[T], outputs: usize, bias: bool) -> Weights<'_, T> {
    let (weight, rest) = parameters.split_at(parameters.len() - if bias { outputs } else { 0 });
    Weights {
        weight,
        bias: bias.then_some(rest),
    }
}

/// Their gradients likewise.
pub(super) fn gradients<T>(
    gradient: &mut [T],
    outputs: usize,
    bias: bool,
) -> WeightGradients<'_, T> {
    let (weight, rest) = gradient.split_at_mut(gradient.len() - if bias { outputs } else { 0 });
    WeightGradients {
        weight,
        bias: bias.then_some(rest),
    }
}

impl<T: Float> Layer<T> for Dense {
    fn scratch_len(&self, plan: &Plan, rows: Rows) -> usize {
        operation(self, plan, rows).scratch_len()
    }

    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
        let operation = operation(self, pass.plan, pass.rows);
        let weights = weights(pass.parameters, operation.outputs, self.bias);
        operation.forward(x, weights, y, memory.scratch);
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
        let operation = operation(self, pass.plan, pass.rows);
        let weights = weights(pass.parameters, operation.outputs, self.bias);
        let gradients = gradients(flow.gradient, operation.outputs, self.bias);
        let flow = WeightedFlow {
            x: flow.x,
            weight: weights.weight,
            y: flow.y,
            dy: flow.dy,
            dx: flow.dx,
        };
        operation.backward(flow, gradients, memory.scratch);
    }
}

impl<T: Float> Layer<T> for Flatten {
    fn forward(&self, _: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        y.copy_from_slice(x);
    }

    fn backward(&self, _: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        if let Some(dx) = flow.dx {
            dx.copy_from_slice(flow.dy);
        }
    }
}
