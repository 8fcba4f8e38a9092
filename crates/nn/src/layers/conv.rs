//! Convolutions: plain and grouped, depthwise, transposed, and with the max-pool behind them.

use super::dense::{ONE, gradients, weights, worth_parts};
use crate::layer::{Flow, Layer, Memory, Parts, Pass};
use plywood_autograd::ops::WeightedFlow;
use plywood_autograd::ops::conv_pool2d::Pooled;
use plywood_autograd::ops::{conv_pool2d, conv_transpose2d, conv2d};
use plywood_kernels::{Float, conv, pool};
use plywood_shape::layers::{Conv2d, ConvPool2d, ConvTranspose2d, DepthwiseConv2d};
use plywood_shape::{Item, Plan, Rows, Shape};
use std::ops::Range;

/// A declaration that becomes an operation once it knows its sizes.
trait Sized2d {
    type Operation;
    fn operation(&self, plan: &Plan, rows: Rows) -> Self::Operation;
}

impl Sized2d for Conv2d {
    type Operation = conv2d::Conv2d;

    fn operation(&self, plan: &Plan, rows: Rows) -> conv2d::Conv2d {
        let samples = rows.of(plan.input);
        let groups = self.groups.get();
        conv2d::Conv2d {
            dims: conv::Dims::of(samples, plan.input, plan.output, &self.window, groups),
            activation: self.activation,
            precision: plan.precision,
        }
    }
}

impl Sized2d for DepthwiseConv2d {
    type Operation = conv2d::Conv2d;

    fn operation(&self, plan: &Plan, rows: Rows) -> conv2d::Conv2d {
        let samples = rows.of(plan.input);
        let groups = channels(plan.input);
        conv2d::Conv2d {
            dims: conv::Dims::of(samples, plan.input, plan.output, &self.window, groups),
            activation: self.activation,
            precision: plan.precision,
        }
    }
}

impl Sized2d for ConvTranspose2d {
    type Operation = conv_transpose2d::ConvTranspose2d;

    /// The sizes are those of the convolution whose transpose this is: from this layer's output to its input.
    fn operation(&self, plan: &Plan, rows: Rows) -> conv_transpose2d::ConvTranspose2d {
        let samples = rows.of(plan.input);
        conv_transpose2d::ConvTranspose2d {
            dims: conv::Dims::of(samples, plan.output, plan.input, &self.window, 1),
            activation: self.activation,
        }
    }
}

impl Sized2d for ConvPool2d {
    type Operation = conv_pool2d::ConvPool2d;

    fn operation(&self, plan: &Plan, rows: Rows) -> conv_pool2d::ConvPool2d {
        let between = self.conv.plan(plan.input);
        let samples = rows.of(plan.input);
        let groups = self.conv.groups.get();
        conv_pool2d::ConvPool2d {
            dims: conv::Dims::of(
                samples,
                plan.input,
                between.output,
                &self.conv.window,
                groups,
            ),
            activation: self.conv.activation,
            precision: plan.precision,
            pool: pool::Dims::of(samples, between.output, plan.output, &self.pool.window),
        }
    }
}

fn channels(shape: Shape) -> usize {
    shape.features().get()
}

macro_rules! weighted {
    ($layer:ident { $($parts:item)* }) => {
        impl<T: Float> Layer<T> for $layer {
            fn prepared_len(&self, plan: &Plan) -> usize {
                self.operation(plan, ONE).prepared_len::<T>()
            }

            fn prepared_for_forward_len(&self, plan: &Plan) -> usize {
                self.operation(plan, ONE).prepared_for_forward_len::<T>()
            }

            fn prepare(&self, plan: &Plan, parameters: &[T], prepared: &mut [T]) {
                let weights = weights(parameters, channels(plan.output), self.bias);
                self.operation(plan, ONE).prepare(weights.weight, prepared);
            }

            fn scratch_len(&self, plan: &Plan, rows: Rows) -> usize {
                self.operation(plan, rows).scratch_len()
            }

            $($parts)*

            fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
                let weights = weights(pass.parameters, channels(pass.plan.output), self.bias);
                let operation = self.operation(pass.plan, pass.rows);
                operation.forward(x, weights, pass.prepared, y, memory.scratch);
            }

            fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
                let outputs = channels(pass.plan.output);
                let weighted = WeightedFlow {
                    x: flow.x,
                    weight: weights(pass.parameters, outputs, self.bias).weight,
                    y: flow.y,
                    dy: flow.dy,
                    dx: flow.dx,
                };
                let gradients = gradients(flow.gradient, outputs, self.bias);
                let operation = self.operation(pass.plan, pass.rows);
                operation.backward(weighted, gradients, pass.prepared, memory.scratch);
            }
        }
    };
}

weighted!(Conv2d {
    fn parts(&self, plan: &Plan, rows: Rows) -> Option<Parts> {
        let operation = self.operation(plan, rows);
        let together = conv::rows_together::<T>(&operation.dims);
        let has_rows = operation.has_rows();
        has_rows.then(|| image_rows(plan, rows, together, 0)).flatten()
    }

    fn forward_part(
        &self,
        pass: &Pass<'_, T>,
        x: &[T],
        units: Range<usize>,
        y: &mut [T],
        memory: Memory<'_, T>,
    ) {
        let weights = weights(pass.parameters, channels(pass.plan.output), self.bias);
        let operation = self.operation(pass.plan, pass.rows);
        operation.forward_rows(units, x, weights, pass.prepared, y, memory.scratch);
    }
});
weighted!(DepthwiseConv2d {});
weighted!(ConvTranspose2d {});

/// The rows of an image as parts that begin at multiples of `together`, and keep so many bytes for a number.
fn image_rows(plan: &Plan, rows: Rows, together: usize, bytes: usize) -> Option<Parts> {
    let Item::Image { height, .. } = plan.output.item else {
        return None;
    };
    let (units, most) = (height.get(), worth_parts(plan, rows));
    let numbers = plan.output.elements().get() / units.max(1);
    (most > 1).then_some(Parts {
        units,
        together,
        numbers,
        bytes: bytes * numbers,
        most,
    })
}

impl<T: Float> Layer<T> for ConvPool2d {
    fn prepared_len(&self, plan: &Plan) -> usize {
        self.operation(plan, ONE).prepared_len::<T>()
    }

    fn prepared_for_forward_len(&self, plan: &Plan) -> usize {
        self.operation(plan, ONE).prepared_for_forward_len::<T>()
    }

    fn prepare(&self, plan: &Plan, parameters: &[T], prepared: &mut [T]) {
        let weights = weights(parameters, channels(plan.output), self.conv.bias);
        self.operation(plan, ONE).prepare(weights.weight, prepared);
    }

    fn scratch_len(&self, plan: &Plan, rows: Rows) -> usize {
        self.operation(plan, rows).scratch_len()
    }

    fn parts(&self, plan: &Plan, rows: Rows) -> Option<Parts> {
        let has_rows = self.operation(plan, rows).has_rows::<T>();
        let together = conv::POOL_ROWS_TOGETHER;
        has_rows
            .then(|| image_rows(plan, rows, together, 1))
            .flatten()
    }

    fn forward_part(
        &self,
        pass: &Pass<'_, T>,
        x: &[T],
        units: Range<usize>,
        y: &mut [T],
        memory: Memory<'_, T>,
    ) {
        let weights = weights(pass.parameters, channels(pass.plan.output), self.conv.bias);
        let operation = self.operation(pass.plan, pass.rows);
        let pooled = Pooled {
            y,
            places: memory.bytes,
        };
        operation.forward_rows(units, x, weights, pass.prepared, pooled, memory.scratch);
    }

    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
        let weights = weights(pass.parameters, channels(pass.plan.output), self.conv.bias);
        let operation = self.operation(pass.plan, pass.rows);
        let pooled = Pooled {
            y,
            places: if pass.keeps { memory.bytes } else { &mut [] },
        };
        operation.forward(x, weights, pass.prepared, pooled, memory.scratch);
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
        let outputs = channels(pass.plan.output);
        let weighted = WeightedFlow {
            x: flow.x,
            weight: weights(pass.parameters, outputs, self.conv.bias).weight,
            y: flow.y,
            dy: flow.dy,
            dx: flow.dx,
        };
        let gradients = gradients(flow.gradient, outputs, self.conv.bias);
        let operation = self.operation(pass.plan, pass.rows);
        operation.backward(
            weighted,
            gradients,
            pass.prepared,
            memory.bytes,
            memory.scratch,
        );
    }
}
