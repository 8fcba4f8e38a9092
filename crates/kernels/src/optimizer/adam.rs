//! Adam and AdamW.
//!
//! Kingma and Ba, *Adam: a method for stochastic optimization*, ICLR 2015; Loshchilov and Hutter, *Decoupled weight decay
//! regularization*, ICLR 2019.

use super::pass::{Update, update};
use crate::float::Float;
use crate::simd::Simd;

/// How weights decay.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum WeightDecay {
    /// Not at all.
    #[default]
    None,
    /// Through the gradient of an L2 penalty, g += factor · p, as Adam has it.
    Penalty(f64),
    /// Beside the gradient, p −= learning rate · factor · p, as AdamW has it.
    Decoupled(f64),
}

/// m = β₁ m + (1 − β₁) g; v = β₂ v + (1 − β₂) g²; p −= learning rate · m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and
/// v̂ = v / (1 − β₂ᵗ).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f64,
    /// Share of the first moment kept at each step.
    pub beta_1: f64,
    /// Share of the second moment kept at each step.
    pub beta_2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// How weights decay.
    pub weight_decay: WeightDecay,
    /// Factor of the gradient.
    pub gradient_scale: f64,
}

impl Adam {
    /// Step number `t`, counted from 1. `m` and `v` are as long as the parameters and start from 0.
    ///
    /// # Panics
    /// If the lengths differ or `t` is 0.
    pub fn step<T: Float>(
        &self,
        t: u64,
        parameters: &mut [T],
        gradients: &[T],
        m: &mut [T],
        v: &mut [T],
    ) {
        assert!(t > 0, "adam: steps count from 1");
        let t = t as f64;
        let (penalty, decoupled) = match self.weight_decay {
            WeightDecay::None => (0.0, 0.0),
            WeightDecay::Penalty(factor) => (factor, 0.0),
            WeightDecay::Decoupled(factor) => (0.0, factor),
        };
        let rule = Rule {
            beta_1: T::from_f64(self.beta_1),
            rest_1: T::from_f64(1.0 - self.beta_1),
            beta_2: T::from_f64(self.beta_2),
            rest_2: T::from_f64(1.0 - self.beta_2),
            step_size: T::from_f64(self.learning_rate / (1.0 - self.beta_1.powf(t))),
            root_correction: T::from_f64(1.0 / (1.0 - self.beta_2.powf(t)).sqrt()),
            epsilon: T::from_f64(self.epsilon),
            penalty: T::from_f64(penalty),
            shrinkage: T::from_f64(1.0 - self.learning_rate * decoupled),
            gradient_scale: T::from_f64(self.gradient_scale),
        };
        update(rule, parameters, gradients, [m, v]);
    }
}

/// The numbers of one step, prepared in `f64`.
#[derive(Clone, Copy)]
struct Rule<T> {
    beta_1: T,
    rest_1: T,
    beta_2: T,
    rest_2: T,
    step_size: T,
    root_correction: T,
    epsilon: T,
    penalty: T,
    shrinkage: T,
    gradient_scale: T,
}

impl<T: Float> Update<T, 2> for Rule<T> {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(
        self,
        simd: S,
        p: S::Vector,
        g: S::Vector,
        [m, v]: [S::Vector; 2],
    ) -> (S::Vector, [S::Vector; 2]) {
        let scaled = simd.mul(g, simd.splat(self.gradient_scale));
        let g = simd.mul_add(simd.splat(self.penalty), p, scaled);
        let m = simd.mul_add(
            simd.splat(self.beta_1),
            m,
            simd.mul(simd.splat(self.rest_1), g),
        );
        let square = simd.mul(simd.mul(g, g), simd.splat(self.rest_2));
        let v = simd.mul_add(simd.splat(self.beta_2), v, square);
        let root = simd.mul(simd.sqrt(v), simd.splat(self.root_correction));
        let direction = simd.div(m, simd.add(root, simd.splat(self.epsilon)));
        let kept = simd.mul(p, simd.splat(self.shrinkage));
        (
            simd.mul_add(simd.splat(-self.step_size), direction, kept),
            [m, v],
        )
    }
}
