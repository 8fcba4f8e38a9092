//! The rule that cuts a batch into blocks and lanes.
//!
//! It knows the network and the batch, nothing of the machine, so that results are the same everywhere.

use crate::network::{Network, Step};
use plywood_kernels::Float;
use plywood_shape::Sample;
use std::ops::Range;

/// Sequences in a block of a recurrent network: enough rows to fill the register tile of a step's product.
const SEQUENCES: usize = 16;
/// Bytes that a block of anything else may keep live: about what a second-level cache holds.
const LIVE_BYTES: usize = 512 << 10;
/// The most samples in a block.
const MOST_SAMPLES: usize = 64;
/// The most lanes, each of which has a gradient buffer of its own.
const MOST_LANES: usize = 16;

/// How a batch is cut: into blocks of `block` samples, and those into lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    samples: usize,
    block: usize,
}

impl Blocks {
    /// The blocks of a batch of `samples` for network `N`.
    #[must_use]
    pub fn of<N: Network>(samples: usize) -> Self {
        Self {
            samples,
            block: block_size::<N>(),
        }
    }

    /// How many blocks there are.
    #[must_use]
    pub fn count(self) -> usize {
        self.samples.div_ceil(self.block)
    }

    /// The most samples in a block.
    #[must_use]
    pub fn size(self) -> usize {
        self.block.min(self.samples)
    }

    /// The samples of a block.
    #[must_use]
    pub fn samples(self, block: usize) -> Range<usize> {
        block * self.block..((block + 1) * self.block).min(self.samples)
    }

    /// How many lanes there are.
    #[must_use]
    pub fn lanes(self) -> usize {
        self.count().min(MOST_LANES)
    }

    /// The blocks of a lane.
    #[must_use]
    pub fn lane(self, lane: usize) -> Range<usize> {
        let (blocks, lanes) = (self.count(), self.lanes());
        lane * blocks / lanes..(lane + 1) * blocks / lanes
    }
}

/// Samples in a block of network `N`.
#[must_use]
pub fn block_size<N: Network>() -> usize {
    let recurrent =
        N::Input::SHAPE.sequence || N::STEPS.iter().any(|step| step.plan.input.sequence);
    if recurrent {
        return SEQUENCES;
    }
    (LIVE_BYTES / live_bytes::<N::Scalar>(N::STEPS).max(1)).clamp(1, MOST_SAMPLES)
}

/// Bytes that a sample keeps live between its forward and its backward pass.
fn live_bytes<T: Float>(steps: &[Step]) -> usize {
    let numbers = |step: &Step| {
        let plan = &step.plan;
        plan.output.elements().get() + plan.saved.per_row + plan.saved.per_sample
    };
    steps
        .iter()
        .map(|step| numbers(step) * T::BYTES + step.plan.saved_bytes.per_row)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::Blocks;

    #[test]
    fn lanes_cover_every_block_once() {
        for samples in 1..200 {
            for block in [1, 3, 8, 64] {
                let blocks = Blocks { samples, block };
                assert!(blocks.lanes() <= 16);
                let covered: Vec<usize> = (0..blocks.lanes())
                    .flat_map(|lane| blocks.lane(lane))
                    .collect();
                assert_eq!(covered, (0..blocks.count()).collect::<Vec<_>>());
                let last = blocks.samples(blocks.count() - 1);
                assert!(!last.is_empty() && last.end == samples);
            }
        }
    }
}
