//! Steps measured by all gradients so far.

use super::{Clip, Optimizer, Update, bounded, builders};
use plywood_kernels::{Float, optimizer};

/// Adagrad (Duchi, Hazan and Singer, 2011): `s ← s + g²`, `w ← w − rate·g / (√s + ε)`.
///
/// Weight decay adds `decay·w` to g first. The formula is PyTorch's without its `lr_decay`. The defaults are Keras':
/// rate 0.001, s starts at 0.1, ε 10⁻⁷ (PyTorch: 0.01, 0, 10⁻¹⁰).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    /// The learning rate.
    pub rate: f64,
    /// What s starts at.
    pub start: f64,
    /// ε: what keeps the division from blowing up.
    pub epsilon: f64,
    /// The share of a parameter that is added to its gradient.
    pub weight_decay: f64,
    /// How the gradient is bounded.
    pub clip: Option<Clip>,
}

impl Adagrad {
    /// The optimizer at `rate`, all else as by default.
    #[must_use]
    pub const fn new(rate: f64) -> Self {
        Self {
            rate,
            start: 0.1,
            epsilon: 1e-7,
            weight_decay: 0.0,
            clip: None,
        }
    }

    /// What the sum of squares starts at.
    #[must_use]
    pub const fn start(mut self, start: f64) -> Self {
        self.start = start;
        self
    }

    /// ε: what keeps the division from blowing up.
    #[must_use]
    pub const fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }
}

/// Rate 0.001, as in Keras.
impl Default for Adagrad {
    fn default() -> Self {
        Self::new(0.001)
    }
}

builders!(Adagrad);

impl Optimizer for Adagrad {
    fn rate(&self) -> f64 {
        self.rate
    }

    fn moments(&self) -> usize {
        1
    }

    fn clip(&self) -> Option<Clip> {
        self.clip
    }

    fn update<T: Float>(
        &self,
        at: Update,
        parameters: &mut [T],
        gradient: &mut [T],
        [sums, _]: [&mut [T]; 2],
    ) {
        if at.step == 1 {
            sums.fill(T::from_f64(self.start));
        }
        let gradient_scale = bounded(self.clip, at.gradient_scale, gradient);
        let rule = optimizer::Adagrad {
            learning_rate: at.rate,
            learning_rate_decay: 0.0,
            epsilon: self.epsilon,
            weight_decay: at.decay(self.weight_decay),
            gradient_scale,
        };
        rule.step(at.step, parameters, gradient, sums);
    }
}
