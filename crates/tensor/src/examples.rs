//! Examples: inputs with their targets and weights.

use crate::batch::Batch;
use plywood_kernels::Float;
use plywood_shape::Sample;
use std::fmt;

/// A batch of inputs `I`, the targets `G` that belong to them, and how much each sample counts.
pub struct Examples<I: Sample, G: Sample, T: Float = f32> {
    /// What goes into the network.
    pub inputs: Batch<I, T>,
    /// What should come out.
    pub targets: Batch<G, T>,
    /// One weight a sample; empty where all count alike.
    pub weights: Vec<T>,
}

impl<I: Sample, G: Sample, T: Float> Examples<I, G, T> {
    /// Inputs with their targets, all counting alike.
    ///
    /// # Panics
    /// If there are not as many targets as inputs.
    #[track_caller]
    pub fn new(inputs: Batch<I, T>, targets: Batch<G, T>) -> Self {
        assert!(
            inputs.samples() == targets.samples(),
            "examples: {} inputs and {} targets",
            inputs.samples(),
            targets.samples()
        );
        Self {
            inputs,
            targets,
            weights: Vec::new(),
        }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.inputs.samples()
    }

    /// Makes room for `samples` × `steps`; kinds that are no sequences get one step. All numbers become 0, all steps
    /// valid, all weights equal. The memory is kept.
    pub fn resize(&mut self, samples: usize, steps: usize) {
        let steps_of = |sequence| if sequence { steps } else { 1 };
        self.inputs.resize(samples, steps_of(I::SHAPE.sequence));
        self.targets.resize(samples, steps_of(G::SHAPE.sequence));
        self.weights.clear();
    }
}

impl<I: Sample, G: Sample, T: Float> Default for Examples<I, G, T> {
    fn default() -> Self {
        Self {
            inputs: Batch::default(),
            targets: Batch::default(),
            weights: Vec::new(),
        }
    }
}

impl<I: Sample, G: Sample, T: Float> Clone for Examples<I, G, T> {
    fn clone(&self) -> Self {
        Self {
            inputs: self.inputs.clone(),
            targets: self.targets.clone(),
            weights: self.weights.clone(),
        }
    }
}

impl<I: Sample, G: Sample, T: Float> fmt::Debug for Examples<I, G, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Examples")
            .field("inputs", &self.inputs)
            .field("targets", &self.targets)
            .field("weights", &self.weights)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Examples;
    use plywood_shape::{Class, Sequence, Token};

    #[test]
    fn one_label_a_sequence_or_one_a_step() {
        let mut one = Examples::<Sequence<Token<9>>, Class<2>>::default();
        one.resize(3, 7);
        assert_eq!((one.inputs.data().len(), one.targets.data().len()), (21, 3));
        let mut each = Examples::<Sequence<Token<9>>, Sequence<Class<2>>, f64>::default();
        each.resize(3, 7);
        assert_eq!(each.targets.data().len(), 21);
        assert_eq!(each.samples(), 3);
    }
}
