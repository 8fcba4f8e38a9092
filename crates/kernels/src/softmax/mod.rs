//! Softmax, its logarithm, and the losses that start from logits.
//!
//! Rows are independent. Within a row the lanes of a vector sum up what lies LANES apart and are combined in halves at
//! the end, so the order depends on the row's length and the instruction set alone.

mod across;
mod binary;
mod cross_entropy;
mod rows;
#[cfg(test)]
mod tests;

pub use binary::{BinaryCrossEntropy, binary_cross_entropy};
pub use cross_entropy::{CrossEntropy, Targets, cross_entropy};
pub use rows::{log_softmax_backward, log_softmax_forward, softmax_backward, softmax_forward};

use crate::once::compiled_once;

compiled_once! {
    /// The softmaxes and the losses that start from logits.
    SoftmaxElement {
        softmax: rows::Forward<'_, Self>,
        softmax_gradient: rows::Backward<'_, Self>,
        cross_entropy: cross_entropy::Rows<'_, Self>,
        binary_cross_entropy: binary::Rows<'_, Self>,
    }
}

/// Panics unless `len` elements are whole rows of `columns`; gives back how many rows.
fn count_rows(len: usize, columns: usize) -> usize {
    assert!(columns > 0, "softmax: rows without elements");
    assert!(
        len.is_multiple_of(columns),
        "softmax: {len} elements are not whole rows of {columns}"
    );
    len / columns
}
