//! Pooling over windows and over whole images.

use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_kernels::Float;
use plywood_kernels::pool::{
    Dims, MaxBackward, MaxForward, average_backward, average_forward, max_backward, max_forward,
};
use plywood_shape::layers::{AvgPool2d, GlobalAvgPool2d, MaxPool2d};
use plywood_shape::{Item, Window};

fn dims<T>(window: &Window, pass: &Pass<'_, T>) -> Dims {
    let plan = pass.plan;
    Dims::of(pass.rows.of(plan.input), plan.input, plan.output, window)
}

/// One window over each whole image.
fn global<T>(pass: &Pass<'_, T>) -> Dims {
    let Item::Image {
        height,
        width,
        channels,
    } = pass.plan.input.item
    else {
        unreachable!("the shape rule takes images only");
    };
    let input = [height.get(), width.get(), channels.get()];
    Dims::global(pass.rows.of(pass.plan.input), input)
}

impl<T: Float> Layer<T> for MaxPool2d {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], memory: Memory<'_, T>) {
        max_forward(MaxForward {
            dims: &dims(&self.window, pass),
            x,
            y,
            places: Some(memory.bytes),
        });
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, memory: Memory<'_, T>) {
        let Some(dx) = flow.dx else { return };
        max_backward(MaxBackward {
            dims: &dims(&self.window, pass),
            dy: flow.dy,
            places: memory.bytes,
            dx,
        });
    }
}

impl<T: Float> Layer<T> for AvgPool2d {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        average_forward(&dims(&self.window, pass), x, y);
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        if let Some(dx) = flow.dx {
            average_backward(&dims(&self.window, pass), flow.dy, dx);
        }
    }
}

impl<T: Float> Layer<T> for GlobalAvgPool2d {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        average_forward(&global(pass), x, y);
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        if let Some(dx) = flow.dx {
            average_backward(&global(pass), flow.dy, dx);
        }
    }
}
