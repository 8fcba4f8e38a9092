//! The table that gives every token a vector. Its gradient touches few rows, and is scattered after all blocks.

use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_kernels::{Float, embedding};
use plywood_shape::Plan;
use plywood_shape::layers::Embedding;

impl<T: Float> Layer<T, u32> for Embedding {
    fn forward(&self, pass: &Pass<'_, T>, x: &[u32], y: &mut [T], _: Memory<'_, T>) {
        embedding::gather(x, pass.parameters, self.features.get(), y);
    }

    fn is_table(&self) -> bool {
        true
    }

    /// Keeps the rows; [`Layer::scatter`] adds them to the table's gradient.
    fn backward(&self, _: &Pass<'_, T>, flow: Flow<'_, T, u32>, _: Memory<'_, T>) {
        flow.gradient.copy_from_slice(flow.dy);
    }

    fn scatter(&self, plan: &Plan, x: &[u32], deferred: &[T], start: usize, part: &mut [T]) {
        let features = self.features.get();
        // What belongs to the network may end in a gap of alignment.
        let len = part.len().min(plan.parameter_count() - start);
        let part = &mut part[..len];
        embedding::scatter_add_part(x, deferred, features, start / features, part);
    }
}
