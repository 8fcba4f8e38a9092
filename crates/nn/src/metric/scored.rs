//! Outputs that score classes, and targets that name the right one: what the classification metrics have in common.

use plywood_kernels::Float;
use plywood_shape::{Class, Logits, Probabilities, Sample, Sequence, SequenceItem};

/// An output that gives each class of `G` a score.
///
/// `Logits<N>` and `Probabilities<N>` score the classes of `Class<N>` and those of `Probabilities<N>`, whose likeliest
/// class is the right one; a sequence of them scores step by step.
#[diagnostic::on_unimplemented(
    message = "the outputs `{Self}` do not score the classes of `{G}`",
    label = "this metric counts right classes, which these outputs and targets do not have in common",
    note = "`Logits<N>` and `Probabilities<N>` score the classes of `Class<N>` and `Probabilities<N>`: the N must be the same"
)]
pub trait Scored<G: Sample>: Sample {
    /// How many classes there are.
    const CLASSES: usize = Self::ROW;

    /// The right class of a row.
    fn class<T: Float>(targets: &[G::Element<T>], row: usize) -> usize;
}

macro_rules! scored {
    ($($output:ident),*) => {$(
        impl<const N: usize> Scored<Class<N>> for $output<N> {
            fn class<T: Float>(targets: &[u32], row: usize) -> usize {
                targets[row] as usize
            }
        }

        impl<const N: usize> Scored<Probabilities<N>> for $output<N> {
            fn class<T: Float>(targets: &[T], row: usize) -> usize {
                largest(&targets[row * N..][..N])
            }
        }
    )*};
}

scored!(Logits, Probabilities);

impl<O: Scored<G> + SequenceItem, G: SequenceItem> Scored<Sequence<G>> for Sequence<O> {
    fn class<T: Float>(targets: &[G::Element<T>], row: usize) -> usize {
        O::class::<T>(targets, row)
    }
}

/// The index of the largest number; of equal ones the first.
pub(super) fn largest<T: Float>(values: &[T]) -> usize {
    let mut best = 0;
    for (i, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = i;
        }
    }
    best
}

/// The scores of a row.
pub(super) fn scores<T>(output: &[T], row: usize, classes: usize) -> &[T] {
    &output[row * classes..][..classes]
}

/// A share, and NaN of nothing.
pub(super) fn share(part: f64, whole: f64) -> f64 {
    part / whole
}
