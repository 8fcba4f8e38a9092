//! Optimizers: what a step makes of the parameters, given the gradient.
//!
//! An optimizer is plain data. Parameters, gradients and moments lie in flat buffers that mirror each other; the engine
//! hands them out in ranges, and every update is elementwise, so that the ranges make no difference. Formulas are
//! PyTorch's; where Keras' defaults differ, the documentation says so.

mod clip;

pub use clip::Clip;

use plywood_kernels::Float;

/// Changes parameters by their gradient.
pub trait Optimizer: Send + Sync {
    /// The learning rate, which a schedule multiplies.
    fn rate(&self) -> f64;

    /// How many buffers as long as the parameters it remembers between steps: 0, 1 or 2. They start at 0.
    fn moments(&self) -> usize;

    /// How the gradient is bounded before it is used.
    fn clip(&self) -> Option<Clip> {
        None
    }

    /// Updates a range of parameters.
    ///
    /// What is used is `at.gradient_scale` × `gradient`, bounded if [`Optimizer::clip`] is by value; clipping by norm is
    /// already in the scale. The gradient's buffer may be overwritten. Moments not asked for are empty slices.
    ///
    /// # Panics
    /// If `gradient` or a moment in use is not as long as `parameters`.
    fn update<T: Float>(
        &self,
        at: Update,
        parameters: &mut [T],
        gradient: &mut [T],
        moments: [&mut [T]; 2],
    );
}

/// The circumstances of an update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// Which training step this is, from 1.
    pub step: u64,
    /// The learning rate at this step.
    pub rate: f64,
    /// What the gradient is multiplied by first.
    pub gradient_scale: f64,
    /// Whether weight decay applies to these parameters.
    pub decays: bool,
}
