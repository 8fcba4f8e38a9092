//! Normalisations, forward and backward: over the rows of a batch, and over the features of one row.
//!
//! Batch normalisation couples the rows of a batch, so it comes in steps between which the blocks of the batch meet:
//! [`statistics`], [`merge`], [`normalise`], then [`gradient_sums`] and [`input_gradient`].

mod batch;
mod layer;
mod moments;
#[cfg(test)]
mod tests;
mod walk;

pub use batch::{BatchSums, Norm, fixed_input_gradient, gradient_sums, input_gradient, normalise};
pub use layer::{LayerBackward, LayerForward, layer_backward, layer_forward};
pub use moments::{Moments, merge, statistics};
pub use walk::Epilogue;

use crate::once::compiled_once;

compiled_once! {
    /// The passes of the normalisations.
    NormElement {
        statistics: moments::Statistics<'_, Self>,
        normalise: batch::Normalise<'_, Self>,
        gradient_sums: batch::GradientSums<'_, Self>,
        input_gradient: batch::InputGradient<'_, Self>,
        fixed_input_gradient: batch::FixedInputGradient<'_, Self>,
        layer_forward: LayerForward<'_, Self>,
        layer_backward: LayerBackward<'_, Self>,
    }
}

/// Panics unless an operand has the length that the others ask for.
fn check_len(operand: &str, found: usize, expected: usize) {
    assert!(
        found == expected,
        "norm: {operand} has {found} elements, the others ask for {expected}"
    );
}
