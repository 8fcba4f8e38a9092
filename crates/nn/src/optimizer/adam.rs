//! Steps measured by the gradient's running mean and size.

use super::{Clip, Optimizer, Update, bounded, builders};
use plywood_kernels::Float;
use plywood_kernels::optimizer::{self, WeightDecay};

/// Adam (Kingma and Ba, 2015): `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`,
/// `w ← w − rate·m̂ / (√v̂ + ε)` with `m̂ = m / (1 − β₁ᵗ)` and `v̂ = v / (1 − β₂ᵗ)` at step t.
///
/// Weight decay adds `decay·w` to g first; [`AdamW`] decays apart from the gradient. ε is Keras' 10⁻⁷; PyTorch's is
/// 10⁻⁸: `Adam::default().epsilon(1e-8)`. The formula is PyTorch's; Keras puts ε under the correction of v, which
/// makes it larger by `1 / √(1 − β₂ᵗ)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The learning rate.
    pub rate: f64,
    /// β₁ and β₂: how much of the running means of g and g² is kept, from 0 to below 1.
    pub betas: [f64; 2],
    /// ε: what keeps the division from blowing up.
    pub epsilon: f64,
    /// The share of a parameter that is added to its gradient.
    pub weight_decay: f64,
    /// How the gradient is bounded.
    pub clip: Option<Clip>,
}

/// AdamW (Loshchilov and Hutter, 2019): [`Adam`] that shrinks parameters apart from the gradient,
/// `w ← w·(1 − rate·decay)`, before its step.
///
/// Weight decay is 0.01 by default, as in PyTorch (Keras: 0.004); ε is Keras' 10⁻⁷.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// The learning rate.
    pub rate: f64,
    /// β₁ and β₂: how much of the running means of g and g² is kept, from 0 to below 1.
    pub betas: [f64; 2],
    /// ε: what keeps the division from blowing up.
    pub epsilon: f64,
    /// How much a parameter shrinks, relative to the rate.
    pub weight_decay: f64,
    /// How the gradient is bounded.
    pub clip: Option<Clip>,
}

/// What Adam and AdamW have in common.
macro_rules! adam {
    ($adam:ident, decay: $decay:literal, as: $form:ident) => {
        impl $adam {
            /// The optimizer at `rate`, all else as by default.
            #[must_use]
            pub const fn new(rate: f64) -> Self {
                Self {
                    rate,
                    betas: [0.9, 0.999],
                    epsilon: 1e-7,
                    weight_decay: $decay,
                    clip: None,
                }
            }

            /// β₁ and β₂: how much of the running means of g and g² is kept.
            #[must_use]
            pub const fn betas(mut self, first: f64, second: f64) -> Self {
                self.betas = [first, second];
                self
            }

            /// ε: what keeps the division from blowing up.
            #[must_use]
            pub const fn epsilon(mut self, epsilon: f64) -> Self {
                self.epsilon = epsilon;
                self
            }
        }

        /// Rate 0.001.
        impl Default for $adam {
            fn default() -> Self {
                Self::new(0.001)
            }
        }

        builders!($adam);

        impl Optimizer for $adam {
            fn rate(&self) -> f64 {
                self.rate
            }

            fn moments(&self) -> usize {
                2
            }

            fn clip(&self) -> Option<Clip> {
                self.clip
            }

            fn update<T: Float>(
                &self,
                at: Update,
                parameters: &mut [T],
                gradient: &mut [T],
                moments: [&mut [T]; 2],
            ) {
                let rule = Rule {
                    betas: self.betas,
                    epsilon: self.epsilon,
                    decay: WeightDecay::$form(at.decay(self.weight_decay)),
                    clip: self.clip,
                };
                rule.update(at, parameters, gradient, moments);
            }
        }
    };
}

adam!(Adam, decay: 0.0, as: Penalty);
adam!(AdamW, decay: 0.01, as: Decoupled);

/// An update of Adam or AdamW.
struct Rule {
    betas: [f64; 2],
    epsilon: f64,
    decay: WeightDecay,
    clip: Option<Clip>,
}

impl Rule {
    fn update<T: Float>(
        &self,
        at: Update,
        parameters: &mut [T],
        gradient: &mut [T],
        [mean, square]: [&mut [T]; 2],
    ) {
        let rule = optimizer::Adam {
            learning_rate: at.rate,
            beta_1: self.betas[0],
            beta_2: self.betas[1],
            epsilon: self.epsilon,
            weight_decay: self.decay,
            gradient_scale: bounded(self.clip, at.gradient_scale, gradient),
        };
        rule.step(at.step, parameters, gradient, mean, square);
    }
}
