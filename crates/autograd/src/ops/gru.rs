//! Gated recurrent unit over whole sequences.
//!
//! ```text
//! z = σ(x·W_z + h·U_z + b_z)      r = σ(x·W_r + h·U_r + b_r)      h' = z⊙h + (1 − z)⊙c
//! c = tanh(x·W_h + b_h + r⊙(h·U_h + d_h))     or, resetting before the product,
//! c = tanh(x·W_h + b_h + (r⊙h)·U_h)
//! ```
//!
//! The forward and backward passes over slices, with their layouts, are those of [`plywood_kernels::rnn`].

pub use plywood_kernels::rnn::Gru;

use super::rnn::{Reading, Recurrent, cell, run};
use crate::var::Var;
use plywood_kernels::Float;

cell!(
    Gru,
    "gru",
    3,
    fn bias_shape(&self) -> Vec<usize> {
        let columns = 3 * self.sequence.units;
        if self.reset_after {
            vec![2, columns]
        } else {
            vec![columns]
        }
    }
);

impl<'t, T: Float> Var<'t, T> {
    /// The states of a GRU after every step; gates z, r, h.
    ///
    /// `reset_after` says whether the reset gate acts after the recurrent product, as in the frameworks, or before it,
    /// as in the paper; the bias has two rows in the first case.
    ///
    /// # Shapes
    /// `self` \[steps\]\[samples\]\[features\]; yields \[steps\]\[samples\]\[units\], in the order of time.
    ///
    /// # Panics
    /// If the shapes do not fit, a length exceeds the steps, or values belong to different tapes.
    #[track_caller]
    pub fn gru(self, parameters: Recurrent<'t, T>, reset_after: bool, reading: Reading) -> Self {
        run(self, parameters, reading, |sequence| Gru {
            sequence,
            reset_after,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::rnn::tests::check_gradients;

    #[test]
    fn gradients_agree_with_differences() {
        check_gradients(3, 2, |x, parameters, reading| {
            x.gru(parameters, true, reading)
        });
    }

    #[test]
    fn gradients_agree_with_differences_resetting_before_the_product() {
        check_gradients(3, 1, |x, parameters, reading| {
            x.gru(parameters, false, reading)
        });
    }
}
