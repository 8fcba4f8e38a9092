//! Stochastic gradient descent, plain, with momentum and with Nesterov's momentum.
//!
//! Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum in deep learning*, ICML 2013, in
//! PyTorch's form, where the learning rate multiplies the whole velocity.

use super::pass::{Update, update};
use crate::float::Float;
use crate::simd::Simd;

/// v = momentum · v + g; p −= learning rate · v, with g = scale · gradient + weight decay · p. Nesterov's form steps
/// by g + momentum · v.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sgd {
    /// Step size.
    pub learning_rate: f64,
    /// Share of the velocity kept at each step.
    pub momentum: f64,
    /// Whether the step looks ahead along the velocity.
    pub nesterov: bool,
    /// Factor of the L2 penalty's gradient.
    pub weight_decay: f64,
    /// Factor of the gradient.
    pub gradient_scale: f64,
}

impl Sgd {
    /// One step. `velocity` is as long as the parameters and starts from 0, or is empty if `momentum` is 0.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn step<T: Float>(&self, parameters: &mut [T], gradients: &[T], velocity: &mut [T]) {
        let rule = Rule {
            learning_rate: T::from_f64(self.learning_rate),
            momentum: T::from_f64(self.momentum),
            nesterov: self.nesterov,
            weight_decay: T::from_f64(self.weight_decay),
            gradient_scale: T::from_f64(self.gradient_scale),
        };
        if self.momentum == 0.0 {
            update::<T, 0>(rule, parameters, gradients, []);
        } else {
            update::<T, 1>(rule, parameters, gradients, [velocity]);
        }
    }
}

#[derive(Clone, Copy)]
struct Rule<T> {
    learning_rate: T,
    momentum: T,
    nesterov: bool,
    weight_decay: T,
    gradient_scale: T,
}

impl<T: Float> Rule<T> {
    /// scale · gradient + weight decay · p
    #[inline(always)]
    fn gradient<S: Simd<Elem = T>>(self, simd: S, p: S::Vector, g: S::Vector) -> S::Vector {
        let scaled = simd.mul(g, simd.splat(self.gradient_scale));
        simd.mul_add(simd.splat(self.weight_decay), p, scaled)
    }

    /// p − learning rate · direction
    #[inline(always)]
    fn step<S: Simd<Elem = T>>(self, simd: S, p: S::Vector, direction: S::Vector) -> S::Vector {
        simd.mul_add(simd.splat(-self.learning_rate), direction, p)
    }
}

impl<T: Float> Update<T, 0> for Rule<T> {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(
        self,
        simd: S,
        p: S::Vector,
        g: S::Vector,
        state: [S::Vector; 0],
    ) -> (S::Vector, [S::Vector; 0]) {
        (self.step(simd, p, self.gradient(simd, p, g)), state)
    }
}

impl<T: Float> Update<T, 1> for Rule<T> {
    #[inline(always)]
    fn apply<S: Simd<Elem = T>>(
        self,
        simd: S,
        p: S::Vector,
        g: S::Vector,
        [velocity]: [S::Vector; 1],
    ) -> (S::Vector, [S::Vector; 1]) {
        let g = self.gradient(simd, p, g);
        let momentum = simd.splat(self.momentum);
        let velocity = simd.mul_add(momentum, velocity, g);
        let direction = if self.nesterov {
            simd.mul_add(momentum, velocity, g)
        } else {
            velocity
        };
        (self.step(simd, p, direction), [velocity])
    }
}
