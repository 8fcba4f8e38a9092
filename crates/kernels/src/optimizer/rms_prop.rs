//! RMSprop (Tieleman and Hinton, *Neural Networks for Machine Learning*, lecture 6.5, 2012), optionally with momentum.

use super::pass::{Update, update};
use crate::float::Float;
use crate::simd::Simd;

/// v = α v + (1 − α) g²; b = momentum · b + g / (√v + ε); p −= learning rate · b.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RmsProp {
    /// Step size.
    pub learning_rate: f64,
    /// Share α of the second moment kept at each step.
    pub alpha: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Share of the velocity kept at each step.
    pub momentum: f64,
    /// Factor of the L2 penalty's gradient.
    pub weight_decay: f64,
    /// Factor of the gradient.
    pub gradient_scale: f64,
}

impl RmsProp {
    /// One step. `v` and `velocity` are as long as the parameters and start from 0; `velocity` may be empty if `momentum`
    /// is 0.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn step<T: Float>(
        &self,
        parameters: &mut [T],
        gradients: &[T],
        v: &mut [T],
        velocity: &mut [T],
    ) {
        let rule = Rule {
            learning_rate: T::from_f64(self.learning_rate),
            alpha: T::from_f64(self.alpha),
            rest: T::from_f64(1.0 - self.alpha),
            epsilon: T::from_f64(self.epsilon),
            momentum: T::from_f64(self.momentum),
            weight_decay: T::from_f64(self.weight_decay),
            gradient_scale: T::from_f64(self.gradient_scale),
        };
        if self.momentum == 0.0 {
            update::<T, 1>(rule, parameters, gradients, [v]);
        } else {
            update::<T, 2>(rule, parameters, gradients, [v, velocity]);
        }
    }
}

#[derive(Clone, Copy)]
struct Rule<T> {
    learning_rate: T,
    alpha: T,
    rest: T,
    epsilon: T,
    momentum: T,
    weight_decay: T,
    gradient_scale: T,
}

impl<T: Float> Rule<T> {
    /// The new second moment, and g / (√v + ε).
    #[inline(always)]
    fn normalised<S: Simd<Elem = T>>(
        self,
        simd: S,
        p: S::Vector,
        g: S::Vector,
        v: S::Vector,
    ) -> (S::Vector, S::Vector) {
        let scaled = simd.mul(g, simd.splat(self.gradient_scale));
        let g = simd.mul_add(simd.splat(self.weight_decay), p, scaled);
        let square = simd.mul(simd.mul(g, g), simd.splat(self.rest));
        let v = simd.mul_add(simd.splat(self.alpha), v, square);
        (
            v,
            simd.div(g, simd.add(simd.sqrt(v), simd.splat(self.epsilon))),
        )
    }

    /// p − learning rate · direction
    #[inline(always)]
    fn step<S: Simd<Elem = T>>(self, simd: S, p: S::Vector, direction: S::Vector) -> S::Vector {
        simd.mul_add(simd.splat(-self.learning_rate), direction, p)
    }
}

impl<T: Float> Update<T, 1> for Rule<T> {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(
        self,
        simd: S,
        p: S::Vector,
        g: S::Vector,
        [v]: [S::Vector; 1],
    ) -> (S::Vector, [S::Vector; 1]) {
        let (v, direction) = self.normalised(simd, p, g, v);
        (self.step(simd, p, direction), [v])
    }
}

impl<T: Float> Update<T, 2> for Rule<T> {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(
        self,
        simd: S,
        p: S::Vector,
        g: S::Vector,
        [v, velocity]: [S::Vector; 2],
    ) -> (S::Vector, [S::Vector; 2]) {
        let (v, direction) = self.normalised(simd, p, g, v);
        let velocity = simd.mul_add(simd.splat(self.momentum), velocity, direction);
        (self.step(simd, p, velocity), [v, velocity])
    }
}
