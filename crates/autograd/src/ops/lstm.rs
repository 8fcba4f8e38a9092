//! Long short-term memory over whole sequences.
//!
//! ```text
//! i, f, o = σ(x·W + h·U + b)      g = tanh(x·W + h·U + b)      c' = f⊙c + i⊙g      h' = o⊙tanh(c')
//! ```
//!
//! The forward and backward passes over slices, with their layouts, are those of [`plywood_kernels::rnn`].

pub use plywood_kernels::rnn::Lstm;

use super::rnn::{Reading, Recurrent, cell, run};
use crate::var::Var;
use plywood_kernels::Float;

cell!(Lstm, "lstm", 4);

impl<'t, T: Float> Var<'t, T> {
    /// The states of an LSTM after every step; gates i, f, g (the candidate), o.
    ///
    /// # Shapes
    /// `self` \[steps\]\[samples\]\[features\]; yields \[steps\]\[samples\]\[units\], in the order of time.
    ///
    /// # Panics
    /// If the shapes do not fit, a length exceeds the steps, or values belong to different tapes.
    #[track_caller]
    pub fn lstm(self, parameters: Recurrent<'t, T>, reading: Reading) -> Self {
        run(self, parameters, reading, |sequence| Lstm { sequence })
    }
}

#[cfg(test)]
mod tests {
    use super::super::rnn::tests::check_gradients;

    #[test]
    fn gradients_agree_with_differences() {
        check_gradients(4, 1, |x, parameters, reading| x.lstm(parameters, reading));
    }
}
