//! The first half of a training's description: what to optimise, and how.

use crate::job::Job;
use plywood_data::Source;
use plywood_nn::Network;

/// What is optimised, by which optimizer.
///
/// ```text
/// Fit::new(Adam::default(), CrossEntropy).on(&mut model, &data.train).epochs(5).run()?
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fit<O, L> {
    pub(crate) optimizer: O,
    pub(crate) loss: L,
}

impl<O, L> Fit<O, L> {
    /// Brings `loss` down with `optimizer`.
    #[must_use]
    pub const fn new(optimizer: O, loss: L) -> Self {
        Self { optimizer, loss }
    }

    /// Does so for `network`, over `data`.
    #[must_use]
    pub fn on<'a, N: Network, D: Source>(
        self,
        network: &'a mut N,
        data: &'a D,
    ) -> Job<'a, O, L, N, D> {
        Job::new(self, network, data)
    }
}
