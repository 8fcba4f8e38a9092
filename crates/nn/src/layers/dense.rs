//! The fully connected layer, and the flattening before it.

use crate::layer::{Flow, LateWeight, Layer, Memory, Parts, Pass};
use plywood_autograd::ops::dense;
use plywood_autograd::ops::{WeightGradients, WeightedFlow, Weights};
use plywood_kernels::Float;
use plywood_shape::layers::{Dense, Flatten, Reshape};
use plywood_shape::{Plan, Rows};
use std::ops::Range;

/// Sizes that do not depend on the rows are those of one.
pub(super) const ONE: Rows = Rows {
    samples: 1,
    steps: 1,
};

/// Multiply-adds that are worth a hand-over to another thread, twice: some hundred times what it takes.
const WORTH: usize = 4 << 20;
/// Columns of a product that are computed together.
const COLUMNS_TOGETHER: usize = 64;

/// Into how many parts it pays to cut a forward pass over `rows`.
pub(super) fn worth_parts(plan: &Plan, rows: Rows) -> usize {
    plan.flops * rows.of(plan.input) / WORTH
}

fn operation(layer: &Dense, plan: &Plan, rows: Rows) -> dense::Dense {
    dense::Dense {
        rows: rows.of(plan.input),
        inputs: plan.input.features().get(),
        outputs: layer.units.get(),
        activation: layer.activation,
        precision: plan.precision,
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

/// Numbers of a weight from which on its gradient is taken late: as many as a quarter of a second-level cache holds in
/// the copies of all lanes.
const LATE: usize = 1 << 14;

impl<T: Float> Layer<T> for Dense {
    fn late_weight(&self, plan: &Plan) -> Option<LateWeight> {
        let sizes = operation(self, plan, ONE);
        let len = sizes.inputs * sizes.outputs;
        // Every step of a sequence is a row: then the rows would outgrow the gradient.
        let is_late = len >= LATE && !plan.input.sequence;
        is_late.then(|| LateWeight {
            len,
            row: sizes.outputs,
            kept: sizes.kept_len(),
            scratch: sizes.kept_scratch_len(),
        })
    }

    fn late_gradient(
        &self,
        plan: &Plan,
        kept: &[T],
        start: usize,
        part: &mut [T],
        scratch: &mut [T],
    ) {
        let sizes = operation(self, plan, ONE);
        let operation = dense::Dense {
            rows: kept.len() / sizes.kept_len(),
            ..sizes
        };
        operation.kept_weight_gradient(kept, start / sizes.outputs, part, scratch);
    }

    fn parts(&self, plan: &Plan, rows: Rows) -> Option<Parts> {
        let (count, most) = (rows.of(plan.input), worth_parts(plan, rows));
        let outputs = self.units.get();
        // Of one row the columns are shared, of several the rows.
        let (units, together, numbers) = if count == 1 {
            (outputs, COLUMNS_TOGETHER, 1)
        } else {
            (count, 1, outputs)
        };
        (most > 1).then_some(Parts {
            units,
            together,
            numbers,
            bytes: 0,
            most,
        })
    }

    fn forward_part(
        &self,
        pass: &Pass<'_, T>,
        x: &[T],
        units: Range<usize>,
        y: &mut [T],
        memory: Memory<'_, T>,
    ) {
        let operation = operation(self, pass.plan, pass.rows);
        let weights = weights(pass.parameters, operation.outputs, self.bias);
        if operation.rows == 1 {
            operation.forward_columns(units, x, weights, pass.prepared, y, memory.scratch);
            return;
        }
        let rows = dense::Dense {
            rows: units.len(),
            ..operation
        };
        let x = &x[units.start * rows.inputs..units.end * rows.inputs];
        rows.forward(x, weights, pass.prepared, y, memory.scratch);
    }

    fn prepared_len(&self, plan: &Plan) -> usize {
        operation(self, plan, ONE).prepared_len()
    }

    fn prepared_for_forward_len(&self, plan: &Plan) -> usize {
        operation(self, plan, ONE).prepared_for_forward_len()
    }

    fn prepare(&self, plan: &Plan, parameters: &[T], prepared: &mut [T]) {
        let operation = operation(self, plan, ONE);
        let weights = weights(parameters, operation.outputs, self.bias);
        operation.prepare(weights.weight, prepared);
    }

    fn scratch_len(&self, plan: &Plan, rows: Rows) -> usize {
        operation(self, plan, rows).scratch_len()
    }

    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
        let operation = operation(self, pass.plan, pass.rows);
        let weights = weights(pass.parameters, operation.outputs, self.bias);
        operation.forward(x, weights, pass.prepared, y, memory.scratch);
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
        let operation = operation(self, pass.plan, pass.rows);
        let weights = weights(pass.parameters, operation.outputs, self.bias);
        let weighted = WeightedFlow {
            x: flow.x,
            weight: weights.weight,
            y: flow.y,
            dy: flow.dy,
            dx: flow.dx,
        };
        if flow.kept.is_empty() {
            let gradients = gradients(flow.gradient, operation.outputs, self.bias);
            operation.backward(weighted, gradients, pass.prepared, memory.scratch);
        } else {
            let bias = self.bias.then_some(flow.gradient);
            operation.keep(weighted, bias, flow.kept, pass.prepared, memory.scratch);
        }
    }
}

macro_rules! same_numbers {
    ($($layer:ident),*) => {$(
        impl<T: Float> Layer<T> for $layer {
            fn forward(&self, _: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
                y.copy_from_slice(x);
            }

            fn backward(&self, _: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
                if let Some(dx) = flow.dx {
                    dx.copy_from_slice(flow.dy);
                }
            }
        }
    )*};
}

same_numbers!(Flatten, Reshape);
