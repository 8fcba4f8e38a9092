//! The rule that cuts a batch into blocks and lanes.
//!
//! It knows the network and the batch, nothing of the machine, so that results are the same everywhere.
//!
//! ```text
//! most   = samples that stay in the cache beside what they share       16 sequences; else a budget of bytes
//! lanes  = 2 or 4 where the batch has enough samples for them
//! blocks = max(⌈samples / most⌉, lanes), rounded up to what 2, 4, 8 and 16 threads share evenly
//! ```
//!
//! Blocks differ by one sample at most, so that no thread waits long for another.

use crate::network::{Network, Step};
use plywood_kernels::Float;
use plywood_shape::Sample;
use std::ops::Range;

/// Sequences in a block of a recurrent network: enough rows to fill the register tile of a step's product.
const SEQUENCES: usize = 16;
/// Sequences that a lane should have before there are two.
const FEW_SEQUENCES: usize = 8;
/// Bytes that a block of anything else may keep live: about what a second-level cache holds.
const LIVE_BYTES: usize = 512 << 10;
/// The most that a block keeps live where its parameters outgrow [`LIVE_BYTES`]: they and their gradients then come from further
/// away for every block, so a block has as many samples as take up their room.
const MOST_LIVE_BYTES: usize = 16 << 20;
/// The most samples in a block.
const MOST_SAMPLES: usize = 64;
/// Samples that a lane should have before there are more of them: with fewer, the sum of the lanes' gradients shows.
const FEW_SAMPLES: usize = 4;
/// Lanes that a batch of enough samples has at least, where parameters fit [`LIVE_BYTES`].
const LANES: usize = 4;
/// Lanes that it has at least otherwise: each of them owns a gradient buffer that is cleared and added up at every step.
const WIDE_LANES: usize = 2;
/// The most lanes.
const MOST_LANES: usize = 16;

/// How a batch is cut: into blocks of nearly the same size, and those into lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    samples: usize,
    count: usize,
}

impl Blocks {
    /// The blocks of a batch of `samples` for network `N`.
    #[must_use]
    pub fn of<N: Network>(samples: usize) -> Self {
        Rule::of::<N>().cut(samples)
    }

    /// How many blocks there are.
    #[must_use]
    pub fn count(self) -> usize {
        self.count
    }

    /// The most samples in a block.
    #[must_use]
    pub fn size(self) -> usize {
        self.samples.div_ceil(self.count.max(1))
    }

    /// The samples of a block.
    #[must_use]
    pub fn samples(self, block: usize) -> Range<usize> {
        block * self.samples / self.count..(block + 1) * self.samples / self.count
    }

    /// How many lanes there are.
    #[must_use]
    pub fn lanes(self) -> usize {
        self.count.min(MOST_LANES)
    }

    /// The blocks of a lane.
    #[must_use]
    pub fn lane(self, lane: usize) -> Range<usize> {
        let lanes = self.lanes();
        lane * self.count / lanes..(lane + 1) * self.count / lanes
    }
}

/// What a network asks of its blocks.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// The most samples in a block.
    most: usize,
    /// Samples that a lane should have before there are more of them.
    few: usize,
    /// Lanes that there should be then.
    lanes: usize,
}

impl Rule {
    fn of<N: Network>() -> Self {
        let recurrent =
            N::Input::SHAPE.sequence || N::STEPS.iter().any(|step| step.plan.input.sequence);
        if recurrent {
            return Self {
                most: SEQUENCES,
                few: FEW_SEQUENCES,
                lanes: WIDE_LANES,
            };
        }
        let parameters = parameter_bytes::<N::Scalar>(N::STEPS);
        let (budget, lanes) = if parameters > LIVE_BYTES {
            ((2 * parameters).min(MOST_LIVE_BYTES), WIDE_LANES)
        } else {
            (LIVE_BYTES, LANES)
        };
        Self {
            most: (budget / live_bytes::<N::Scalar>(N::STEPS).max(1)).clamp(1, MOST_SAMPLES),
            few: FEW_SAMPLES,
            lanes,
        }
    }

    fn cut(self, samples: usize) -> Blocks {
        let enough = (samples / self.few).clamp(1, self.lanes);
        let lanes = 1 << enough.ilog2();
        let needed = samples.div_ceil(self.most).max(lanes);
        let even = if needed > MOST_LANES {
            needed.next_multiple_of(MOST_LANES)
        } else {
            needed.next_power_of_two()
        };
        Blocks {
            samples,
            count: even.min(samples),
        }
    }
}

/// Bytes of a network's parameters that its steps multiply with: a scattered table is read row by row.
fn parameter_bytes<T: Float>(steps: &[Step]) -> usize {
    let dense = steps.iter().filter(|step| !step.plan.sparse);
    dense
        .map(|step| step.plan.parameter_count() * T::BYTES)
        .sum()
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
    use super::{Blocks, Rule};

    const CONVOLUTIONAL: Rule = Rule {
        most: 13,
        few: 4,
        lanes: 4,
    };

    fn sizes(blocks: Blocks) -> Vec<usize> {
        (0..blocks.count())
            .map(|block| blocks.samples(block).len())
            .collect()
    }

    #[test]
    fn lanes_cover_every_block_once() {
        for samples in 1..200 {
            for most in [1, 3, 8, 64] {
                let blocks = Rule {
                    most,
                    ..CONVOLUTIONAL
                }
                .cut(samples);
                assert!(blocks.lanes() <= 16);
                let covered: Vec<usize> = (0..blocks.lanes())
                    .flat_map(|lane| blocks.lane(lane))
                    .collect();
                assert_eq!(covered, (0..blocks.count()).collect::<Vec<_>>());
                let of_blocks: Vec<usize> = (0..blocks.count())
                    .flat_map(|block| blocks.samples(block))
                    .collect();
                assert_eq!(of_blocks, (0..samples).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn blocks_are_as_even_as_can_be_and_no_larger_than_allowed() {
        for samples in 1..300 {
            let sizes = sizes(CONVOLUTIONAL.cut(samples));
            let (least, most) = (sizes.iter().min(), sizes.iter().max());
            let (least, most) = (*least.expect("a block"), *most.expect("a block"));
            assert!(most - least <= 1 && most <= 13, "{samples}: {sizes:?}");
        }
    }

    #[test]
    fn a_batch_of_a_power_of_two_is_shared_evenly_by_as_many_threads() {
        assert_eq!(sizes(CONVOLUTIONAL.cut(32)), [8; 4]);
        assert_eq!(sizes(CONVOLUTIONAL.cut(64)), [8; 8]);
        assert_eq!(sizes(CONVOLUTIONAL.cut(256)), [8; 32]);
        assert_eq!(sizes(CONVOLUTIONAL.cut(8)), [4; 2]);
        assert_eq!(sizes(CONVOLUTIONAL.cut(1)), [1]);
    }

    #[test]
    fn an_empty_batch_has_no_blocks() {
        assert_eq!(CONVOLUTIONAL.cut(0).count(), 0);
    }
}
