//! Schedules that bring the rate down on a course known from the start.

use super::{Progress, Schedule};
use std::f64::consts::PI;

/// The rate stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Constant;

/// The rate is multiplied by `factor` after every `epochs` epochs: `factor^⌊epoch / epochs⌋`.
///
/// PyTorch's `StepLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Epochs between two changes; at least 1.
    pub epochs: u64,
    /// What the rate is multiplied by.
    pub factor: f64,
}

/// The rate falls along half a cosine over all planned steps, from its full height to `floor`:
/// `floor + (1 − floor)·(1 + cos(π·step / total)) / 2`, and stays there.
///
/// Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts* (2017), without the restarts; PyTorch's
/// `CosineAnnealingLR`, stepped after every batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cosine {
    /// What is left at the end, as a share of the full rate.
    pub floor: f64,
}

impl Step {
    /// Multiplies the rate by `factor` after every `epochs` epochs.
    ///
    /// # Panics
    /// If `epochs` is 0.
    #[must_use]
    pub const fn new(epochs: u64, factor: f64) -> Self {
        assert!(epochs > 0, "Step: a change after every 0 epochs");
        Self { epochs, factor }
    }
}

impl Cosine {
    /// Leaves the share `floor` of the rate at the end.
    #[must_use]
    pub const fn to(floor: f64) -> Self {
        Self { floor }
    }
}

impl Schedule for Constant {
    fn factor(&self, _: Progress) -> f64 {
        1.0
    }
}

impl Schedule for Step {
    fn factor(&self, at: Progress) -> f64 {
        // Past 2³¹ changes the power is 0, 1 or infinite anyway.
        let changes = (at.epoch() / self.epochs.max(1)).min(i32::MAX as u64);
        self.factor.powi(changes as i32)
    }
}

impl Schedule for Cosine {
    fn factor(&self, at: Progress) -> f64 {
        let done = share(at.step as f64, at.total_steps() as f64);
        self.floor + (1.0 - self.floor) * half_cosine(done)
    }
}

/// From 1 at 0 to 0 at 1.
pub(super) fn half_cosine(x: f64) -> f64 {
    (1.0 + (PI * x).cos()) / 2.0
}

/// How much of `whole` is done, from 0 to 1; all of nothing.
pub(super) fn share(part: f64, whole: f64) -> f64 {
    if part < whole {
        (part / whole).max(0.0)
    } else {
        1.0
    }
}
