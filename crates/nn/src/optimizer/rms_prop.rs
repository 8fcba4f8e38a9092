//! Steps measured by the gradient's running size.

use super::{Clip, Optimizer, Update, bounded, builders};
use plywood_kernels::{Float, optimizer};

/// RMSprop (Tieleman and Hinton, 2012): `v ← ρ·v + (1 − ρ)·g²`, `w ← w − rate·g / (√v + ε)`.
///
/// With momentum m `b ← m·b + g / (√v + ε)` and `w ← w − rate·b`. Weight decay adds `decay·w` to g first. The formulas
/// are PyTorch's; ρ and ε are Keras' 0.9 and 10⁻⁷ (PyTorch: rate 0.01, 0.99, 10⁻⁸).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// The learning rate.
    pub rate: f64,
    /// ρ: how much of the running mean of g² is kept, from 0 to below 1.
    pub decay: f64,
    /// ε: what keeps the division from blowing up.
    pub epsilon: f64,
    /// How much of the direction so far is kept, from 0 to below 1.
    pub momentum: f64,
    /// The share of a parameter that is added to its gradient.
    pub weight_decay: f64,
    /// How the gradient is bounded.
    pub clip: Option<Clip>,
}

impl RmsProp {
    /// The optimizer at `rate`, all else as by default.
    #[must_use]
    pub const fn new(rate: f64) -> Self {
        Self {
            rate,
            decay: 0.9,
            epsilon: 1e-7,
            momentum: 0.0,
            weight_decay: 0.0,
            clip: None,
        }
    }

    /// ρ: how much of the running mean of g² is kept.
    #[must_use]
    pub const fn decay(mut self, decay: f64) -> Self {
        self.decay = decay;
        self
    }

    /// ε: what keeps the division from blowing up.
    #[must_use]
    pub const fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// How much of the direction so far is kept.
    #[must_use]
    pub const fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }
}

/// Rate 0.001, as in Keras.
impl Default for RmsProp {
    fn default() -> Self {
        Self::new(0.001)
    }
}

builders!(RmsProp);

impl Optimizer for RmsProp {
    fn rate(&self) -> f64 {
        self.rate
    }

    fn moments(&self) -> usize {
        1 + usize::from(self.momentum != 0.0)
    }

    fn clip(&self) -> Option<Clip> {
        self.clip
    }

    fn update<T: Float>(
        &self,
        at: Update,
        parameters: &mut [T],
        gradient: &mut [T],
        [squares, velocity]: [&mut [T]; 2],
    ) {
        let gradient_scale = bounded(self.clip, at.gradient_scale, gradient);
        let rule = optimizer::RmsProp {
            learning_rate: at.rate,
            alpha: self.decay,
            epsilon: self.epsilon,
            momentum: self.momentum,
            weight_decay: at.decay(self.weight_decay),
            gradient_scale,
        };
        rule.step(parameters, gradient, squares, velocity);
    }
}
