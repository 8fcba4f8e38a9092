//! Losses of real numbers: mean squared error, mean absolute error and Huber's compromise.
//!
//! ```text
//! e = y − t
//! squared     e²                                             dy = 2e
//! absolute    |e|                                            dy = sign e, 0 at 0
//! Huber       e²/2 if |e| ≤ δ else δ·|e| − δ²/2              dy = e brought into [−δ, δ]
//! ```
//!
//! A row's loss is the mean over its numbers (Huber, *Robust estimation of a location parameter*, 1964).

use super::rows::normalised;
use crate::var::Var;
use plywood_kernels::Float;
use plywood_tensor::Tensor;

/// How an error is counted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Penalty {
    /// e².
    Squared,
    /// |e|.
    Absolute,
    /// e²/2 up to the δ given, from there on the tangent.
    Huber(f64),
}

/// The loss of rows of real numbers, a mean over each row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Regression {
    /// Numbers in a row.
    pub columns: usize,
    /// How an error is counted.
    pub penalty: Penalty,
}

impl Penalty {
    /// The loss of one error and its derivative.
    #[inline(always)]
    fn evaluate<T: Float>(self, error: T) -> (T, T) {
        match self {
            Self::Squared => (error * error, error + error),
            Self::Absolute if error == T::ZERO => (T::ZERO, T::ZERO),
            Self::Absolute => (error.abs(), T::ONE.copysign(error)),
            Self::Huber(delta) => {
                let (delta, half) = (T::from_f64(delta), T::from_f64(0.5));
                if error.abs() <= delta {
                    (half * error * error, error)
                } else {
                    (delta * (error.abs() - half * delta), delta.copysign(error))
                }
            }
        }
    }
}

impl Regression {
    /// Σ weight·loss over the rows; its derivative with respect to the output is written to `gradient`.
    ///
    /// A row of weight 0 adds nothing, whatever it holds, and its gradient is 0. Without weights all are 1.
    ///
    /// # Shapes
    /// `output`, `targets` and `gradient` \[rows\]\[columns\], `weights` \[rows\].
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn evaluate<T: Float>(
        &self,
        output: &[T],
        targets: &[T],
        weights: Option<&[T]>,
        mut gradient: Option<&mut [T]>,
    ) -> f64 {
        let n = self.columns;
        assert!(
            n > 0 && output.len().is_multiple_of(n) && output.len() == targets.len(),
            "regression: {} outputs and {} targets are no rows of {n}",
            output.len(),
            targets.len()
        );
        let rows = output.len() / n;
        assert!(
            weights.is_none_or(|weights| weights.len() == rows)
                && gradient
                    .as_ref()
                    .is_none_or(|gradient| gradient.len() == output.len()),
            "regression: weights or a gradient of another length than {rows} rows of {n}"
        );
        let mut sum = 0.0;
        for row in 0..rows {
            let elements = row * n..(row + 1) * n;
            let weight = weights.map_or(T::ONE, |weights| weights[row]);
            let own = gradient
                .as_deref_mut()
                .map(|gradient| &mut gradient[elements.clone()]);
            sum += self.row(&output[elements.clone()], &targets[elements], weight, own);
        }
        sum
    }

    /// weight·loss of one row.
    fn row<T: Float>(&self, y: &[T], t: &[T], weight: T, mut gradient: Option<&mut [T]>) -> f64 {
        if weight == T::ZERO {
            gradient
                .into_iter()
                .for_each(|gradient| gradient.fill(T::ZERO));
            return 0.0;
        }
        let share = weight / T::from_usize(self.columns);
        let mut sum = 0.0;
        for (j, (&y, &t)) in y.iter().zip(t).enumerate() {
            let (loss, slope) = self.penalty.evaluate(y - t);
            sum += loss.to_f64();
            if let Some(gradient) = &mut gradient {
                gradient[j] = share * slope;
            }
        }
        weight.to_f64() * (sum / self.columns as f64)
    }
}

impl<'t, T: Float> Var<'t, T> {
    /// The mean of (self − target)².
    ///
    /// # Panics
    /// If the shapes differ or the values belong to different tapes.
    #[track_caller]
    #[must_use]
    pub fn mse(self, target: Self) -> Self {
        self.regression(target, Penalty::Squared, None)
    }

    /// The mean of |self − target|.
    ///
    /// # Panics
    /// If the shapes differ or the values belong to different tapes.
    #[track_caller]
    #[must_use]
    pub fn mae(self, target: Self) -> Self {
        self.regression(target, Penalty::Absolute, None)
    }

    /// The mean of Huber's loss with the given δ.
    ///
    /// # Panics
    /// If the shapes differ or the values belong to different tapes.
    #[track_caller]
    #[must_use]
    pub fn huber(self, target: Self, delta: f64) -> Self {
        self.regression(target, Penalty::Huber(delta), None)
    }

    /// The mean over all rows of the loss against `target`, weighted if there are `weights`; 0 if they add up to 0.
    /// Gradients go to both values.
    ///
    /// # Shapes
    /// `self` and `target` \[…\]\[columns\]; as many weights as rows.
    ///
    /// # Panics
    /// If the shapes do not fit or the values belong to different tapes.
    #[track_caller]
    #[must_use]
    pub fn regression(self, target: Self, penalty: Penalty, weights: Option<&[T]>) -> Self {
        let (y, t) = (self.value(), target.value());
        assert!(
            y.shape() == t.shape(),
            "regression: output of shape {:?} and target of {:?}",
            y.shape(),
            t.shape()
        );
        let columns = y.shape().last().copied().unwrap_or(1);
        assert!(
            columns > 0,
            "regression: shape {:?} has empty rows",
            y.shape()
        );
        let loss = Regression { columns, penalty };
        let weights = normalised(weights, y.len() / columns);
        let mut gradient = vec![T::ZERO; y.len()];
        let value = loss.evaluate(y.data(), t.data(), Some(&weights), Some(&mut gradient));
        let value = Tensor::scalar(T::from_f64(value));
        self.tape().record(&[self, target], value, move |step| {
            let dy = step.output_gradient()[0];
            step.add(0, gradient.iter().map(|&slope| dy * slope).collect());
            step.add(1, gradient.iter().map(|&slope| -dy * slope).collect());
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Penalty, Regression};
    use crate::gradcheck;
    use crate::ops::{sample, seeded};

    const PENALTIES: [Penalty; 4] = [
        Penalty::Squared,
        Penalty::Absolute,
        Penalty::Huber(0.3),
        Penalty::Huber(10.0),
    ];

    #[test]
    fn gradients_agree_with_differences() {
        let shapes: [&[usize]; 7] = [&[], &[1], &[4], &[0, 2], &[3, 1], &[2, 7], &[2, 3, 4]];
        for (seed, shape) in seeded(3, shapes) {
            for penalty in PENALTIES {
                let values = [sample(seed, shape), sample(seed + 100, shape)];
                let rows = values[0].len() / shape.last().copied().unwrap_or(1);
                let weights: Vec<f64> = (0..rows).map(|row| (row % 3) as f64 + 0.5).collect();
                gradcheck(&values, |_, v| v[0].regression(v[1], penalty, None)).unwrap();
                gradcheck(&values, |_, v| {
                    v[0].regression(v[1], penalty, Some(&weights))
                })
                .unwrap();
            }
        }
    }

    #[test]
    fn equal_numbers_cost_nothing_and_pull_nowhere() {
        for penalty in PENALTIES {
            let loss = Regression {
                columns: 2,
                penalty,
            };
            let mut gradient = [7.0_f32; 4];
            let y = [1.0, 2.0, f32::NAN, 0.0];
            let value = loss.evaluate(
                &y,
                &[1.0, 2.0, 3.0, 4.0],
                Some(&[1.0, 0.0]),
                Some(&mut gradient),
            );
            assert_eq!((value, gradient), (0.0, [0.0; 4]));
        }
    }

    #[test]
    fn huber_is_the_square_inside_and_the_line_outside() {
        let loss = Regression {
            columns: 2,
            penalty: Penalty::Huber(1.0),
        };
        let value = loss.evaluate(&[0.5_f64, -3.0], &[0.0, 0.0], None, None);
        assert_eq!(value, (0.125 + 2.5) / 2.0);
    }
}
