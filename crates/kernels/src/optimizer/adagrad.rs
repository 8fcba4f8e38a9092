//! Adagrad (Duchi, Hazan and Singer, *Adaptive subgradient methods*, JMLR 2011).

use super::pass::{Update, update};
use crate::float::Float;
use crate::simd::Simd;

/// s = s + g²; p −= learning rate / (1 + (t − 1) decay) · g / (√s + ε).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adagrad {
    /// Step size.
    pub learning_rate: f64,
    /// How fast the step size falls with the number of steps.
    pub learning_rate_decay: f64,
    /// Added to the root of the sum.
    pub epsilon: f64,
    /// Factor of the L2 penalty's gradient.
    pub weight_decay: f64,
    /// Factor of the gradient.
    pub gradient_scale: f64,
}

impl Adagrad {
    /// Step number `t`, counted from 1. `sums` is as long as the parameters; it starts from 0 or any positive number.
    ///
    /// # Panics
    /// If the lengths differ or `t` is 0.
    pub fn step<T: Float>(&self, t: u64, parameters: &mut [T], gradients: &[T], sums: &mut [T]) {
        assert!(t > 0, "adagrad: steps count from 1");
        let rule = Rule {
            step_size: T::from_f64(
                self.learning_rate / (1.0 + (t - 1) as f64 * self.learning_rate_decay),
            ),
            epsilon: T::from_f64(self.epsilon),
            weight_decay: T::from_f64(self.weight_decay),
            gradient_scale: T::from_f64(self.gradient_scale),
        };
        update(rule, parameters, gradients, [sums]);
    }
}

#[derive(Clone, Copy)]
struct Rule<T> {
    step_size: T,
    epsilon: T,
    weight_decay: T,
    gradient_scale: T,
}

impl<T: Float> Update<T, 1> for Rule<T> {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(
        self,
        simd: S,
        p: S::Vector,
        g: S::Vector,
        [sum]: [S::Vector; 1],
    ) -> (S::Vector, [S::Vector; 1]) {
        let scaled = simd.mul(g, simd.splat(self.gradient_scale));
        let g = simd.mul_add(simd.splat(self.weight_decay), p, scaled);
        let sum = simd.mul_add(g, g, sum);
        let direction = simd.div(g, simd.add(simd.sqrt(sum), simd.splat(self.epsilon)));
        (
            simd.mul_add(simd.splat(-self.step_size), direction, p),
            [sum],
        )
    }
}
