//! Cross-entropy from logits: of classes, and of independent yes-or-no labels.
//!
//! ```text
//! classes   t' = (1 − s)·t + s/n     loss = Σⱼ t'ⱼ·(ln Σ eˣ − xⱼ)                            dx = softmax(x)·Σ t' − t'
//! labels    t' = (1 − s)·t + s/2     loss = meanⱼ (max(xⱼ, 0) − xⱼ·t'ⱼ + ln(1 + e^−|xⱼ|))    dx = (σ(x) − t') / n
//! ```
//!
//! Softmax or sigmoid and logarithm are fused: starting from logits, nothing overflows and no logarithm of 0 is taken.
//! s is the label smoothing (Szegedy et al., *Rethinking the Inception architecture*, 2016).

use super::rows::{normalised, part, sum_rows};
use crate::var::Var;
use plywood_kernels::Float;
pub use plywood_kernels::softmax::Targets;
use plywood_kernels::softmax::{self, binary_cross_entropy, cross_entropy};
use plywood_tensor::Tensor;

/// The cross-entropy of rows of logits with classes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CrossEntropy {
    /// Number of classes, the length of a row.
    pub classes: usize,
    /// Share of the target spread evenly over all classes, in [0, 1).
    pub label_smoothing: f64,
}

/// The cross-entropy of rows of logits with independent labels, a mean over each row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BinaryCrossEntropy {
    /// Number of labels, the length of a row.
    pub labels: usize,
    /// Share of the target moved towards ½, in [0, 1).
    pub label_smoothing: f64,
}

impl CrossEntropy {
    /// Σ weight·loss over the rows; its derivative with respect to the logits is written to `gradient`.
    ///
    /// A row of weight 0 adds nothing, whatever it holds, and its gradient is 0. Without weights all are 1.
    ///
    /// # Shapes
    /// `logits` and `gradient` \[rows\]\[classes\], `targets` \[rows\] or \[rows\]\[classes\], `weights` \[rows\].
    ///
    /// # Panics
    /// If the lengths do not fit, or a class of a row with weight is not below the number of classes.
    pub fn evaluate<T: Float>(
        &self,
        logits: &[T],
        targets: Targets<'_, T>,
        weights: Option<&[T]>,
        gradient: Option<&mut [T]>,
    ) -> f64 {
        let n = self.classes;
        let rows = count_rows(logits, n, gradient.as_deref());
        let targets_len = match targets {
            Targets::Sparse(classes) => classes.len() * n,
            Targets::Dense(shares) => shares.len(),
        };
        assert!(
            targets_len == logits.len(),
            "cross_entropy: targets of {} rows for {rows} rows",
            targets_len / n
        );
        sum_rows(rows, n, gradient, |rows, losses, gradient| {
            let arguments = softmax::CrossEntropy {
                classes: n,
                targets: match targets {
                    Targets::Sparse(classes) => Targets::Sparse(&classes[rows.clone()]),
                    Targets::Dense(shares) => Targets::Dense(&shares[rows.start * n..rows.end * n]),
                },
                weights: part(weights, &rows),
                label_smoothing: self.label_smoothing,
                gradient_scale: T::ONE,
            };
            let logits = &logits[rows.start * n..rows.end * n];
            cross_entropy(arguments, logits, losses, gradient);
        })
    }
}

impl BinaryCrossEntropy {
    /// Σ weight·loss over the rows; its derivative with respect to the logits is written to `gradient`.
    ///
    /// A row of weight 0 adds nothing, whatever it holds, and its gradient is 0. Without weights all are 1.
    ///
    /// # Shapes
    /// `logits`, `targets` and `gradient` \[rows\]\[labels\], `weights` \[rows\].
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn evaluate<T: Float>(
        &self,
        logits: &[T],
        targets: &[T],
        weights: Option<&[T]>,
        gradient: Option<&mut [T]>,
    ) -> f64 {
        let n = self.labels;
        let rows = count_rows(logits, n, gradient.as_deref());
        let sum = sum_rows(rows, n, gradient, |rows, losses, gradient| {
            let elements = rows.start * n..rows.end * n;
            let arguments = softmax::BinaryCrossEntropy {
                columns: n,
                targets: &targets[elements.clone()],
                weights: part(weights, &rows),
                label_smoothing: self.label_smoothing,
                gradient_scale: T::ONE / T::from_usize(n),
            };
            binary_cross_entropy(arguments, &logits[elements], losses, gradient);
        });
        sum / n as f64
    }
}

/// Rows of `columns` in `logits`.
fn count_rows<T>(logits: &[T], columns: usize, gradient: Option<&[T]>) -> usize {
    assert!(
        columns > 0 && logits.len().is_multiple_of(columns),
        "cross_entropy: {} logits are no rows of {columns}",
        logits.len()
    );
    assert!(
        gradient.is_none_or(|gradient| gradient.len() == logits.len()),
        "cross_entropy: a gradient of another length than the logits"
    );
    logits.len() / columns
}

impl<'t, T: Float> Var<'t, T> {
    /// The mean over all rows of the cross-entropy with classes, weighted if there are `weights`; 0 if they add up to 0.
    ///
    /// # Shapes
    /// `self` \[…\]\[classes\]; as many targets and weights as rows.
    ///
    /// # Panics
    /// If the lengths do not fit, or a class of a row with weight is not below the number of classes.
    #[track_caller]
    #[must_use]
    pub fn cross_entropy(
        self,
        targets: Targets<'_, T>,
        weights: Option<&[T]>,
        label_smoothing: f64,
    ) -> Self {
        let loss = CrossEntropy {
            classes: super::row_len(&self.value(), "cross_entropy"),
            label_smoothing,
        };
        self.loss(loss.classes, weights, |logits, weights, gradient| {
            loss.evaluate(logits, targets, Some(weights), Some(gradient))
        })
    }

    /// The mean over all rows of the binary cross-entropy with the labels' probabilities `targets`, weighted if there are
    /// `weights`; 0 if they add up to 0.
    ///
    /// # Shapes
    /// `self` and `targets` \[…\]\[labels\]; as many weights as rows.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    #[must_use]
    pub fn binary_cross_entropy(
        self,
        targets: &Tensor<T>,
        weights: Option<&[T]>,
        label_smoothing: f64,
    ) -> Self {
        let logits = self.value();
        assert!(
            logits.shape() == targets.shape(),
            "binary_cross_entropy: logits of shape {:?} and targets of {:?}",
            logits.shape(),
            targets.shape()
        );
        let loss = BinaryCrossEntropy {
            labels: super::row_len(&logits, "binary_cross_entropy"),
            label_smoothing,
        };
        self.loss(loss.labels, weights, |logits, weights, gradient| {
            loss.evaluate(logits, targets.data(), Some(weights), Some(gradient))
        })
    }

    /// A mean over rows whose gradient comes along with its value.
    #[track_caller]
    fn loss(
        self,
        columns: usize,
        weights: Option<&[T]>,
        evaluate: impl Fn(&[T], &[T], &mut [T]) -> f64,
    ) -> Self {
        let x = self.value();
        let weights = normalised(weights, x.len() / columns);
        let mut gradient = vec![T::ZERO; x.len()];
        let value = evaluate(x.data(), &weights, &mut gradient);
        let value = Tensor::scalar(T::from_f64(value));
        self.tape().record(&[self], value, move |step| {
            let dy = step.output_gradient()[0];
            step.add(0, gradient.iter().map(|&slope| dy * slope).collect());
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{CrossEntropy, Targets};
    use crate::ops::{sample, seeded};
    use crate::{Tape, gradcheck};
    use plywood_tensor::Tensor;

    const SIZES: [(usize, usize); 7] = [(0, 3), (1, 1), (1, 2), (2, 3), (5, 10), (33, 4), (3, 17)];

    #[test]
    fn gradients_of_classes_agree_with_differences() {
        for (seed, (rows, n)) in seeded(3, SIZES) {
            let x = [sample(seed, [rows, n])];
            let classes: Vec<u32> = (0..rows).map(|row| (row * 7 % n) as u32).collect();
            let shares = sample(seed + 100, [rows, n]).map(f64::abs);
            let weights: Vec<f64> = (0..rows).map(|row| (row % 3) as f64).collect();
            for smoothing in [0.0, 0.2] {
                gradcheck(&x, |_, v| {
                    v[0].cross_entropy(Targets::Sparse(&classes), None, smoothing)
                })
                .unwrap();
                gradcheck(&x, |_, v| {
                    v[0].cross_entropy(Targets::Dense(shares.data()), Some(&weights), smoothing)
                })
                .unwrap();
            }
        }
    }

    #[test]
    fn gradients_of_labels_agree_with_differences() {
        for (seed, (rows, n)) in seeded(3, SIZES) {
            let x = [sample(seed, [rows, n])];
            let targets = sample(seed + 100, [rows, n]).map(|x| 0.5 + 0.4 * x);
            let weights: Vec<f64> = (0..rows).map(|row| (row % 3) as f64).collect();
            gradcheck(&x, |_, v| v[0].binary_cross_entropy(&targets, None, 0.0)).unwrap();
            gradcheck(&x, |_, v| {
                v[0].binary_cross_entropy(&targets, Some(&weights), 0.1)
            })
            .unwrap();
        }
    }

    #[test]
    fn a_uniform_guess_costs_the_logarithm_of_the_classes() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::<f64>::zeros([3, 10]));
        let loss = x.cross_entropy(Targets::Sparse(&[1, 5, 9]), None, 0.0);
        assert!((loss.item() - 10.0_f64.ln()).abs() < 1e-14);
    }

    #[test]
    fn a_loss_without_gradient_is_the_same_to_the_bit() {
        for (rows, n) in [(100, 7), (3, 2000)] {
            let x = sample(1, [rows, n]);
            let classes: Vec<u32> = (0..rows).map(|row| (row % n) as u32).collect();
            let loss = CrossEntropy {
                classes: n,
                label_smoothing: 0.0,
            };
            let targets = Targets::Sparse(&classes[..]);
            let weights = vec![0.5; rows];
            let mut gradient = vec![0.0; x.len()];
            let with = loss.evaluate(x.data(), targets, Some(&weights), Some(&mut gradient));
            let without = loss.evaluate(x.data(), targets, Some(&weights), None);
            assert_eq!(with.to_bits(), without.to_bits());
        }
    }

    #[test]
    fn rows_without_weight_do_not_count() {
        let tape = Tape::new();
        let x = Tensor::from_vec([2, 2], vec![0.0_f32, 1.0, f32::NAN, 7.0]);
        let x = tape.leaf(x);
        let loss = x.cross_entropy(Targets::Sparse(&[1, 99]), Some(&[2.0, 0.0]), 0.0);
        assert!((loss.item() - 0.313_261_7).abs() < 1e-6);
        assert_eq!(loss.backward().of(x).data()[2..], [0.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "cross_entropy: class 3 of 3")]
    fn a_class_out_of_range_is_named() {
        let tape = Tape::new();
        let x = tape.leaf(sample(1, [1, 3]));
        let _ = x.cross_entropy(Targets::Sparse(&[3]), None, 0.0);
    }
}
