//! Gradient descent, with or without a memory of the direction.

use super::{Clip, Optimizer, Update, bounded, builders};
use plywood_kernels::{Float, optimizer};

/// Stochastic gradient descent: `w ← w − rate·g`.
///
/// With momentum m (Polyak, 1964) `v ← m·v + g` and `w ← w − rate·v`; in Nesterov's form (Sutskever et al., 2013)
/// `w ← w − rate·(g + m·v)`. Weight decay adds `decay·w` to g first. These are PyTorch's formulas; Keras keeps
/// `rate·v` instead of v, which differs only while a schedule moves the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The learning rate.
    pub rate: f64,
    /// How much of the direction so far is kept, from 0 to below 1.
    pub momentum: f64,
    /// Whether the gradient looks ahead along the direction.
    pub nesterov: bool,
    /// The share of a parameter that is added to its gradient.
    pub weight_decay: f64,
    /// How the gradient is bounded.
    pub clip: Option<Clip>,
}

impl Sgd {
    /// Plain descent at `rate`.
    #[must_use]
    pub const fn new(rate: f64) -> Self {
        Self {
            rate,
            momentum: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            clip: None,
        }
    }

    /// How much of the direction so far is kept, from 0 to below 1.
    #[must_use]
    pub const fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Nesterov's form of the momentum `momentum`.
    #[must_use]
    pub const fn nesterov(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self.nesterov = true;
        self
    }
}

/// Rate 0.01, as in Keras.
impl Default for Sgd {
    fn default() -> Self {
        Self::new(0.01)
    }
}

builders!(Sgd);

impl Optimizer for Sgd {
    fn rate(&self) -> f64 {
        self.rate
    }

    fn moments(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    fn clip(&self) -> Option<Clip> {
        self.clip
    }

    fn update<T: Float>(
        &self,
        at: Update,
        parameters: &mut [T],
        gradient: &mut [T],
        [velocity, _]: [&mut [T]; 2],
    ) {
        let gradient_scale = bounded(self.clip, at.gradient_scale, gradient);
        let rule = optimizer::Sgd {
            learning_rate: at.rate,
            momentum: self.momentum,
            nesterov: self.nesterov,
            weight_decay: at.decay(self.weight_decay),
            gradient_scale,
        };
        rule.step(parameters, gradient, velocity);
    }
}
