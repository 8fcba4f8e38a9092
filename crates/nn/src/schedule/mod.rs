//! Schedules: how the learning rate moves in the course of training.
//!
//! A schedule yields a factor that multiplies the optimizer's rate, so the same schedule serves every optimizer and one
//! schedule can wrap another.

mod decay;
mod plateau;
#[cfg(test)]
mod tests;
mod warm_up;

pub use decay::{Constant, Cosine, Step};
pub use plateau::OnPlateau;
pub use warm_up::{OneCycle, WarmUp};

/// Where training stands when a step begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The step, from 0, counted over all epochs.
    pub step: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Epochs that are planned.
    pub epochs: u64,
}

impl Progress {
    /// The epoch, from 0.
    #[must_use]
    pub fn epoch(self) -> u64 {
        self.step / self.steps_per_epoch.max(1)
    }

    /// Steps that are planned in all.
    #[must_use]
    pub fn total_steps(self) -> u64 {
        self.steps_per_epoch * self.epochs
    }
}

/// A course of the learning rate.
///
/// A closure `Fn(Progress) -> f64` is a schedule.
pub trait Schedule: Send + Sync {
    /// What the optimizer's rate is multiplied by at this step.
    fn factor(&self, at: Progress) -> f64;

    /// Hears of the validation loss at the end of an epoch (the training loss where nothing is validated).
    fn hear(&mut self, _loss: f64) {}
}

impl<F: Fn(Progress) -> f64 + Send + Sync> Schedule for F {
    fn factor(&self, at: Progress) -> f64 {
        self(at)
    }
}
