//! Optimizers: what a step makes of the parameters, given the gradient.
//!
//! An optimizer is plain data. Parameters, gradients and moments lie in flat buffers that mirror each other; the engine
//! hands them out in ranges, and every update is elementwise, so that the ranges make no difference. Formulas are
//! PyTorch's; where Keras' defaults differ, the documentation says so.

mod adagrad;
mod adam;
mod clip;
mod rms_prop;
mod sgd;
#[cfg(test)]
mod tests;

pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use clip::Clip;
pub use rms_prop::RmsProp;
pub use sgd::Sgd;

use clip::bounded;

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
    /// already in the scale. The gradient's buffer may be overwritten, but a zero stays a zero. Moments not asked for are empty slices.
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

impl Update {
    /// The weight decay that applies to these parameters.
    fn decay(self, weight_decay: f64) -> f64 {
        if self.decays { weight_decay } else { 0.0 }
    }
}

/// What the built-in optimizers can be told alike.
macro_rules! builders {
    ($optimizer:ident) => {
        impl $optimizer {
            /// How strongly parameters are drawn to zero; biases and scales are left alone.
            #[must_use]
            pub const fn weight_decay(mut self, decay: f64) -> Self {
                self.weight_decay = decay;
                self
            }

            /// Scales the gradient of all parameters together down to the Euclidean norm `bound` where it is longer.
            #[must_use]
            pub const fn clip_norm(mut self, bound: f64) -> Self {
                self.clip = Some(Clip::Norm(bound));
                self
            }

            /// Brings every component of the gradient between `±bound`.
            #[must_use]
            pub const fn clip_value(mut self, bound: f64) -> Self {
                self.clip = Some(Clip::Value(bound));
                self
            }
        }
    };
}
use builders;
