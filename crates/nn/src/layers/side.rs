//! One of several inputs that lie side by side.

use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_kernels::Float;
use plywood_shape::layers::Side;

impl<T: Float> Layer<T> for Side {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        let (all, own) = lens(pass);
        for (y, x) in y.chunks_exact_mut(own).zip(x.chunks_exact(all)) {
            y.copy_from_slice(&x[self.start..][..own]);
        }
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        let Some(dx) = flow.dx else { return };
        let (all, own) = lens(pass);
        dx.fill(T::ZERO);
        for (dx, dy) in dx.chunks_exact_mut(all).zip(flow.dy.chunks_exact(own)) {
            dx[self.start..][..own].copy_from_slice(dy);
        }
    }
}

/// Numbers of a row of all inputs, and of this one.
fn lens<T>(pass: &Pass<'_, T>) -> (usize, usize) {
    let plan = pass.plan;
    (plan.input.elements().get(), plan.output.elements().get())
}
