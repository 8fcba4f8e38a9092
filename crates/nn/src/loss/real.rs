//! Losses of real numbers: how far each is from its target.
//!
//! A row's loss is the mean over its numbers: the `N` of a `Real<N>` or `Vector<N>`, all places and channels of an
//! `Image`. The formulas and their gradients are in `plywood_autograd::ops::regression`.

use super::{Loss, check_rows};
use plywood_autograd::ops::regression::{Penalty, Regression};
use plywood_kernels::Float;
use plywood_shape::{Image, Real, Sample, Vector};

/// The mean of `(y − t)²`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeanSquaredError;

/// The mean of `|y − t|`; where both are equal the slope is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeanAbsoluteError;

/// The mean of `(y − t)²/2` where `|y − t| ≤ δ`, else of `δ·(|y − t| − δ/2)` (Huber, 1964): a square near the target and
/// a line, which outliers pull less on, away from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    /// δ, where the square turns into a line.
    pub delta: f64,
}

/// δ = 1, as in Keras and PyTorch.
impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

/// Compares kinds of real numbers with their like under a penalty.
macro_rules! real_loss {
    ($loss:ident, |$own:ident| $penalty:expr; $([$($size:ident),+] $kind:ty),+) => {$(
        impl<$(const $size: usize),+> Loss<$kind, $kind> for $loss {
            fn evaluate<T: Float>(
                &self,
                output: &[T],
                targets: &[T],
                weights: &[T],
                gradient: Option<&mut [T]>,
            ) -> f64 {
                let $own = self;
                let columns = <$kind as Sample>::ROW;
                check_rows(output, columns, weights);
                let operation = Regression { columns, penalty: $penalty };
                operation.evaluate(output, targets, Some(weights), gradient)
            }
        }
    )+};
    ($loss:ident, |$own:ident| $penalty:expr) => {
        real_loss!($loss, |$own| $penalty; [N] Real<N>, [N] Vector<N>, [H, W, C] Image<H, W, C>);
    };
}

real_loss!(MeanSquaredError, |_own| Penalty::Squared);
real_loss!(MeanAbsoluteError, |_own| Penalty::Absolute);
real_loss!(Huber, |own| Penalty::Huber(own.delta));
