//! Pooling: the largest or the mean number of a window, channel by channel, forward and backward.

mod average;
pub(crate) mod best;
mod dims;
mod max;
#[cfg(test)]
mod tests;
mod window;

use crate::once::compiled_once;
pub use average::{average_backward, average_backward_on, average_forward, average_forward_on};
pub use dims::Dims;
pub use max::{MaxBackward, MaxForward, max_backward, max_forward, max_forward_on};

compiled_once! {
    /// The passes of the pools.
    PoolElement {
        max_forward: MaxForward<'_, Self>,
        max_backward: MaxBackward<'_, Self>,
        average_forward: average::AverageForward<'_, Self>,
        average_backward: average::AverageBackward<'_, Self>,
    }
}

/// Panics unless an operand has the length that the sizes ask for.
fn check_len(operand: &str, found: usize, expected: usize) {
    assert!(
        found == expected,
        "pool: {operand} has {found} elements, the sizes ask for {expected}"
    );
}
