//! Functions of one number, element by element: dx = dy·f′(x).

use crate::var::Var;
use plywood_kernels::Float;

impl<'t, T: Float> Var<'t, T> {
    /// `value` of every element x, whose derivative is `slope(x, y)`.
    ///
    /// ```
    /// use plywood_autograd::Tape;
    /// use plywood_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::scalar(3.0_f64));
    /// let softplus = x.map(|x| x.exp().ln_1p(), |x, _| 1.0 / (1.0 + (-x).exp()));
    /// assert!((softplus.backward().of(x).item() - 0.952574).abs() < 1e-6);
    /// ```
    #[must_use]
    pub fn map(self, value: impl Fn(T) -> T, slope: impl Fn(T, T) -> T + 'static) -> Self {
        let y = self.value().map(value);
        self.tape().record(&[self], y, move |step| {
            let values = step.input(0).iter().zip(step.output().iter());
            let dx = values.zip(step.output_gradient());
            let dx = dx.map(|((x, y), &dy)| dy * slope(x, y)).collect();
            step.add(0, dx);
        })
    }

    /// eˣ.
    #[must_use]
    pub fn exp(self) -> Self {
        self.map(T::exp, |_, y| y)
    }

    /// The natural logarithm.
    #[must_use]
    pub fn ln(self) -> Self {
        self.map(T::ln, |x, _| T::ONE / x)
    }

    /// The square root.
    #[must_use]
    pub fn sqrt(self) -> Self {
        self.map(T::sqrt, |_, y| T::from_f64(0.5) / y)
    }

    /// x².
    #[must_use]
    pub fn square(self) -> Self {
        self.map(|x| x * x, |x, _| x + x)
    }

    /// xⁿ for an integer n.
    #[must_use]
    pub fn powi(self, n: i32) -> Self {
        self.map(
            move |x| x.powi(n),
            move |x, _| match n {
                0 => T::ZERO,
                n => T::from_f64(f64::from(n)) * x.powi(n - 1),
            },
        )
    }

    /// x to the power `exponent`, for positive x.
    #[must_use]
    pub fn powf(self, exponent: f64) -> Self {
        self.map(
            move |x| x.powf(T::from_f64(exponent)),
            move |x, _| T::from_f64(exponent) * x.powf(T::from_f64(exponent - 1.0)),
        )
    }

    /// 1 / x.
    #[must_use]
    pub fn reciprocal(self) -> Self {
        self.map(|x| T::ONE / x, |_, y| -(y * y))
    }

    /// |x|; the derivative at 0 is 0.
    #[must_use]
    pub fn abs(self) -> Self {
        self.map(T::abs, |x, _| {
            if x == T::ZERO {
                T::ZERO
            } else {
                T::ONE.copysign(x)
            }
        })
    }

    /// The sine of an angle in radians.
    #[must_use]
    pub fn sin(self) -> Self {
        self.map(T::sin, |x, _| x.cos())
    }

    /// The cosine of an angle in radians.
    #[must_use]
    pub fn cos(self) -> Self {
        self.map(T::cos, |x, _| -x.sin())
    }

    /// x brought into \[`low`, `high`\]; no gradient comes from outside.
    ///
    /// # Panics
    /// If `low` exceeds `high`.
    #[track_caller]
    #[must_use]
    pub fn clamp(self, low: f64, high: f64) -> Self {
        assert!(low <= high, "clamp: {low} exceeds {high}");
        let (low, high) = (T::from_f64(low), T::from_f64(high));
        self.map(
            move |x| x.max(low).min(high),
            move |x, _| {
                if low <= x && x <= high {
                    T::ONE
                } else {
                    T::ZERO
                }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::{sample, seeded};
    use crate::{Tape, Var, gradcheck};
    use plywood_tensor::Tensor;

    /// A function of one value on a tape.
    type Function = for<'t> fn(Var<'t, f64>) -> Var<'t, f64>;

    #[test]
    fn gradients_agree_with_differences() {
        let functions: [Function; 14] = [
            |x| x.exp(),
            |x| x.abs().ln(),
            |x| x.abs().sqrt(),
            |x| x.square(),
            |x| x.powi(3),
            |x| x.powi(0),
            |x| x.powi(-2),
            |x| x.abs().powf(1.7),
            |x| x.reciprocal(),
            |x| x.abs(),
            |x| x.sin(),
            |x| x.cos(),
            |x| x.clamp(-0.5, 0.25),
            |x| -x,
        ];
        for function in functions {
            for (seed, shape) in seeded(6, [vec![], vec![0], vec![1, 1], vec![3, 4]]) {
                // Slopes of powers grow without bounds at 0.
                let x = sample(seed, shape).map(|x| x + 0.1_f64.copysign(x));
                gradcheck(&[x], |_, v| function(v[0])).unwrap();
            }
        }
    }

    #[test]
    fn kinks_have_the_stated_slopes() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from_vec([3], vec![0.0_f32, 1.0, 2.0]));
        let gradients = (x.abs() + x.clamp(0.0, 1.0)).backward_from(Tensor::ones([3]));
        assert_eq!(gradients.of(x).to_vec(), [1.0, 2.0, 1.0]);
    }
}
