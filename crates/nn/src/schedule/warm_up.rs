//! Schedules that bring the rate up first: early gradients are large and say little.

use super::decay::{half_cosine, share};
use super::{Progress, Schedule};

/// The rate rises in a straight line over the first `steps` steps, then follows another schedule:
/// at step s < `steps` the other schedule's factor times `(s + 1) / (steps + 1)`.
///
/// Goyal et al., *Accurate, large minibatch SGD* (2017). The schedule within sees the same steps, so the
/// course after the warm-up is the one it would have been without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmUp<S> {
    /// Steps until the full rate.
    pub steps: u64,
    /// What the rate follows.
    pub then: S,
}

/// The rate rises along half a cosine from `1 / start_divisor` of its height to the full rate, which it reaches after
/// the share `rise` of all planned steps, then falls along another to `1 / (start_divisor·end_divisor)`.
///
/// Smith and Topin, *Super-convergence* (2018), in the form of PyTorch's `OneCycleLR` (`max_lr` is the optimizer's
/// rate): with `peak = rise·total − 1` the factor at step s is, going up, the point `s / peak` of the first half cosine,
/// and going down, the point `(s − peak) / (total − 1 − peak)` of the second. The momentum stays as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    /// The share of the steps on which the rate rises.
    pub rise: f64,
    /// The full rate over the first one.
    pub start_divisor: f64,
    /// The first rate over the last one.
    pub end_divisor: f64,
}

impl<S> WarmUp<S> {
    /// Rises for `steps` steps and follows `then`.
    pub const fn new(steps: u64, then: S) -> Self {
        Self { steps, then }
    }
}

impl<S: Schedule> Schedule for WarmUp<S> {
    fn factor(&self, at: Progress) -> f64 {
        let rise = (at.step as f64 + 1.0) / (self.steps as f64 + 1.0);
        self.then.factor(at) * rise.min(1.0)
    }

    fn hear(&mut self, loss: f64) {
        self.then.hear(loss);
    }
}

/// PyTorch's defaults: 30 % of the steps up, from 1/25, down to 1/250,000.
impl Default for OneCycle {
    fn default() -> Self {
        Self {
            rise: 0.3,
            start_divisor: 25.0,
            end_divisor: 1e4,
        }
    }
}

impl Schedule for OneCycle {
    fn factor(&self, at: Progress) -> f64 {
        let (step, total) = (at.step as f64, at.total_steps() as f64);
        let start = 1.0 / self.start_divisor;
        let end = start / self.end_divisor;
        let peak = self.rise * total - 1.0;
        if step < peak {
            1.0 + (start - 1.0) * half_cosine(share(step, peak))
        } else {
            end + (1.0 - end) * half_cosine(share(step - peak, total - 1.0 - peak))
        }
    }
}
