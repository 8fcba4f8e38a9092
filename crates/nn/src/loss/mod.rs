//! Losses: one number that says how far a batch's outputs are from its targets, and the gradient of the outputs.
//!
//! Which kinds of output and target a loss compares is a matter of types: [`CrossEntropy`] takes logits, so a softmax
//! in front of it does not compile, and ten classes do not meet twelve labels. The formulas are those of
//! `plywood_autograd::ops`; a loss only says which one applies to which kinds.
//!
//! A batch's loss is the mean over its rows: samples, or all valid steps of all samples. The mean is in the row
//! weights, which the engine divides by their total before it cuts the batch into blocks; so blocks just add up.

mod entropy;
mod real;
mod sides;

pub use entropy::{
    BinaryCrossEntropy, CrossEntropy, SmoothedBinaryCrossEntropy, SmoothedCrossEntropy,
};
pub use real::{Huber, MeanAbsoluteError, MeanSquaredError};
pub use sides::{FromNumbers, Weighted};

use plywood_kernels::Float;
use plywood_shape::{Sample, Sequence, SequenceItem};

/// Compares a network's outputs `O` with targets `G`.
///
/// Sequences are compared step by step: whatever compares `O` with `G` compares `Sequence<O>` with `Sequence<G>`.
/// Several outputs are compared each by its own loss of a tuple, and the losses are added up; see also [`Weighted`].
#[diagnostic::on_unimplemented(
    message = "the loss `{Self}` cannot compare a network's `{O}` with targets `{G}`",
    label = "this network and these targets do not go together under this loss",
    note = "`CrossEntropy` compares `Logits<N>` with `Class<N>` or `Probabilities<N>`: the N must be the same, and no `Softmax` stands before it, because it starts from the logits",
    note = "`BinaryCrossEntropy` compares `Logits<N>` with `Probabilities<N>`, without a `Sigmoid` before it",
    note = "`MeanSquaredError`, `MeanAbsoluteError` and `Huber` compare `Real<N>` with `Real<N>`, `Vector<N>` with `Vector<N>` and `Image<H, W, C>` with its like",
    note = "a tuple of losses, or `Weighted::new` of one, compares tuples: `(CrossEntropy, MeanSquaredError)` compares `(Logits<N>, Real<M>)` with `(Class<N>, Real<M>)`"
)]
pub trait Loss<O: Sample, G: Sample>: Send + Sync {
    /// The sum over all rows of weight × loss of the row.
    ///
    /// A row with weight 0 (a masked step) adds nothing, whatever it holds; its gradient is 0. With `gradient`, the
    /// derivative of the returned value with respect to every output is written there.
    ///
    /// # Shapes
    /// `output` and `gradient` `[rows][O::ROW]`, `targets` `[rows][G::ROW]`, `weights` `[rows]`.
    ///
    /// # Panics
    /// If the slices do not have those lengths, or if a class index is not below the number of classes.
    fn evaluate<T: Float>(
        &self,
        output: &[T],
        targets: &[G::Element<T>],
        weights: &[T],
        gradient: Option<&mut [T]>,
    ) -> f64;
}

impl<L, O, G> Loss<Sequence<O>, Sequence<G>> for L
where
    L: Loss<O, G>,
    O: SequenceItem,
    G: SequenceItem,
{
    fn evaluate<T: Float>(
        &self,
        output: &[T],
        targets: &[G::Element<T>],
        weights: &[T],
        gradient: Option<&mut [T]>,
    ) -> f64 {
        Loss::<O, G>::evaluate(self, output, targets, weights, gradient)
    }
}

/// Panics unless there is a weight for each row of `output`.
fn check_rows<T>(output: &[T], row: usize, weights: &[T]) {
    let rows = weights.len();
    assert_eq!(
        output.len(),
        rows * row,
        "loss: {} outputs are not {rows} rows of {row}",
        output.len()
    );
}
