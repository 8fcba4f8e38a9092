//! Cross-entropies, from logits.
//!
//! The formulas and their gradients are in `plywood_autograd::ops::cross_entropy`.

use super::{Loss, check_rows};
use plywood_autograd::ops::cross_entropy::{self as ops, Targets};
use plywood_kernels::Float;
use plywood_shape::{Class, Logits, Probabilities};

/// Categorical cross-entropy: `−Σ t·ln softmax(x)` over the classes of a row.
///
/// Targets are one class a row (`Class<N>`) or a probability for each (`Probabilities<N>`). It starts from logits, so
/// a network under it ends without a softmax.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossEntropy;

/// [`CrossEntropy`] whose targets give a share of their certainty to all classes alike:
/// `t' = (1 − smoothing)·t + smoothing / N` (Szegedy et al., 2016).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothedCrossEntropy {
    smoothing: f64,
}

/// Binary cross-entropy of `N` independent labels, the mean over the labels of a row:
/// `−t·ln σ(x) − (1 − t)·ln(1 − σ(x))`.
///
/// It starts from logits, so a network under it ends without a sigmoid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BinaryCrossEntropy;

/// [`BinaryCrossEntropy`] whose targets are moved towards ½: `t' = (1 − smoothing)·t + smoothing / 2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothedBinaryCrossEntropy {
    smoothing: f64,
}

impl CrossEntropy {
    /// Spreads the share `smoothing` of the targets over all classes.
    ///
    /// # Panics
    /// If `smoothing` is not from 0 to below 1.
    #[must_use]
    pub const fn label_smoothing(self, smoothing: f64) -> SmoothedCrossEntropy {
        assert!(
            smoothing >= 0.0 && smoothing < 1.0,
            "label smoothing lies in [0, 1)"
        );
        SmoothedCrossEntropy { smoothing }
    }
}

impl BinaryCrossEntropy {
    /// Moves the share `smoothing` of the targets to ½.
    ///
    /// # Panics
    /// If `smoothing` is not from 0 to below 1.
    #[must_use]
    pub const fn label_smoothing(self, smoothing: f64) -> SmoothedBinaryCrossEntropy {
        assert!(
            smoothing >= 0.0 && smoothing < 1.0,
            "label smoothing lies in [0, 1)"
        );
        SmoothedBinaryCrossEntropy { smoothing }
    }
}

impl<const N: usize> Loss<Logits<N>, Class<N>> for SmoothedCrossEntropy {
    fn evaluate<T: Float>(
        &self,
        output: &[T],
        targets: &[u32],
        weights: &[T],
        gradient: Option<&mut [T]>,
    ) -> f64 {
        check_rows(output, N, weights);
        let operation = ops::CrossEntropy {
            classes: N,
            label_smoothing: self.smoothing,
        };
        operation.evaluate(output, Targets::Sparse(targets), Some(weights), gradient)
    }
}

impl<const N: usize> Loss<Logits<N>, Probabilities<N>> for SmoothedCrossEntropy {
    fn evaluate<T: Float>(
        &self,
        output: &[T],
        targets: &[T],
        weights: &[T],
        gradient: Option<&mut [T]>,
    ) -> f64 {
        check_rows(output, N, weights);
        let operation = ops::CrossEntropy {
            classes: N,
            label_smoothing: self.smoothing,
        };
        operation.evaluate(output, Targets::Dense(targets), Some(weights), gradient)
    }
}

impl<const N: usize> Loss<Logits<N>, Probabilities<N>> for SmoothedBinaryCrossEntropy {
    fn evaluate<T: Float>(
        &self,
        output: &[T],
        targets: &[T],
        weights: &[T],
        gradient: Option<&mut [T]>,
    ) -> f64 {
        check_rows(output, N, weights);
        let operation = ops::BinaryCrossEntropy {
            labels: N,
            label_smoothing: self.smoothing,
        };
        operation.evaluate(output, targets, Some(weights), gradient)
    }
}

/// The plain loss is the smoothed one without smoothing.
macro_rules! plain {
    ($($plain:ident: $target:ident),*) => {$(
        impl<const N: usize> Loss<Logits<N>, $target<N>> for $plain {
            fn evaluate<T: Float>(
                &self,
                output: &[T],
                targets: &[<$target<N> as plywood_shape::Sample>::Element<T>],
                weights: &[T],
                gradient: Option<&mut [T]>,
            ) -> f64 {
                let smoothed = self.label_smoothing(0.0);
                Loss::<Logits<N>, $target<N>>::evaluate(&smoothed, output, targets, weights, gradient)
            }
        }
    )*};
}

plain!(CrossEntropy: Class, CrossEntropy: Probabilities, BinaryCrossEntropy: Probabilities);
