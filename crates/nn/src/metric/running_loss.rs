//! The mean of a loss over all rows seen so far.

use super::{Metric, Observed};
use crate::loss::Loss;
use plywood_kernels::Float;
use plywood_shape::Sample;

/// The running mean of a loss, weighted as the rows are: to watch one loss while training on another.
///
/// NaN if no row counts.
///
/// ```
/// use plywood_nn::loss::MeanAbsoluteError;
/// use plywood_nn::metric::RunningLoss;
///
/// let watched = RunningLoss::new("absolute error", MeanAbsoluteError);
/// # let _ = watched;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningLoss<L> {
    name: &'static str,
    loss: L,
}

impl<L> RunningLoss<L> {
    /// The running mean of `loss`, reported as `name`.
    pub const fn new(name: &'static str, loss: L) -> Self {
        Self { name, loss }
    }
}

impl<L: Loss<O, G>, O: Sample, G: Sample> Metric<O, G> for RunningLoss<L> {
    type Summary = f64;

    /// The weighted sum, and the sum of the weights.
    fn counters(&self) -> usize {
        2
    }

    fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]) {
        counters[0] += self
            .loss
            .evaluate(seen.output, seen.targets, seen.weights, None);
        counters[1] += seen
            .weights
            .iter()
            .map(|weight| weight.to_f64())
            .sum::<f64>();
    }

    fn report(&self, counters: &[f64]) -> Vec<(String, f64)> {
        vec![(self.name.into(), counters[0] / counters[1])]
    }

    fn summary(&self, counters: &[f64]) -> f64 {
        counters[0] / counters[1]
    }
}
