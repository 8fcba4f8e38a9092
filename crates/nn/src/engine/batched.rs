//! A batch as the engine sees it: examples, how they are cut, and what all rows weigh together.

use super::blocks::Blocks;
use super::stage::{staged, total_weight};
use crate::network::{Element, Network};
use plywood_shape::Sample;
use plywood_tensor::Examples;

/// A batch and how it is cut.
pub(super) struct Batched<'a, N: Network, G: Sample> {
    pub(super) examples: &'a Examples<N::Input, G, N::Scalar>,
    pub(super) blocks: Blocks,
    /// The weight of all rows together.
    pub(super) total: f64,
}

impl<'a, N: Network, G: Sample> Batched<'a, N, G> {
    /// # Panics
    /// If inputs and targets differ in samples or steps, or no row counts.
    pub(super) fn of(examples: &'a Examples<N::Input, G, N::Scalar>, blocks: Blocks) -> Self {
        let (inputs, targets) = (&examples.inputs, &examples.targets);
        assert_eq!(
            inputs.samples(),
            targets.samples(),
            "a batch has as many targets as inputs"
        );
        let steps = if G::SHAPE.sequence { inputs.steps() } else { 1 };
        assert_eq!(
            steps,
            targets.steps(),
            "targets have as many steps as inputs"
        );
        let lengths = if G::SHAPE.sequence {
            inputs.lengths()
        } else {
            &[]
        };
        let total = total_weight(inputs.samples(), steps, lengths, &examples.weights);
        assert!(
            total > 0.0,
            "a batch has at least one row with a weight above zero"
        );
        Self {
            examples,
            blocks,
            total,
        }
    }

    /// All input of a lane, block after block as its rows were staged to `copy`, and how many rows that is.
    pub(super) fn lane_input<'b>(
        &'b self,
        lane: usize,
        copy: &'b [Element<N>],
    ) -> (&'b [Element<N>], usize) {
        let inputs = &self.examples.inputs;
        let blocks = self.blocks.lane(lane);
        let first = self.blocks.samples(blocks.start).start;
        let samples = first..self.blocks.samples(blocks.end - 1).end;
        let steps = if N::Input::SHAPE.sequence {
            inputs.steps()
        } else {
            1
        };
        (staged(inputs, copy, &samples, 0), samples.len() * steps)
    }
}
