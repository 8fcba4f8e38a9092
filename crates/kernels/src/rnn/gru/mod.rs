//! The gated recurrent unit (Cho et al., *Learning phrase representations using RNN encoder–decoder*, 2014).
//!
//! ```text
//! z = σ(x·W_z + b_z + h·U_z [+ d_z])        r = σ(x·W_r + b_r + h·U_r [+ d_r])
//! c = tanh(x·W_h + b_h + r⊙(h·U_h + d_h))   reset after the product, the frameworks' default
//! c = tanh(x·W_h + b_h + (r⊙h)·U_h)         reset before it, the paper's form, without d
//! h' = z⊙h + (1 − z)⊙c
//! ```
//!
//! z weighs the old state, as in Keras, PyTorch and ONNX; a text in which it weighs the candidate is matched by negating
//! W_z, U_z and b_z. Saved are, for every row, z, r, c side by side and then q: `h·U_h + d_h` or `r⊙h`.

mod backward;
mod forward;

pub(crate) use self::backward::BackwardPass;
pub(crate) use self::forward::ForwardPass;
use super::block::Needs;
use super::products::products_len;
use super::{Backward, Forward, Sequence};
use crate::float::Float;
use crate::simd::Isa;

/// A GRU over a block of sequences. Gates `z, r, h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gru {
    /// Sizes and direction.
    pub sequence: Sequence,
    /// Whether the reset gate acts after the recurrent product; the bias is then `[2][3·U]`, else `[3·U]`.
    pub reset_after: bool,
}

impl Gru {
    /// Numbers kept from forward to backward: the states, then three gates and q a row.
    #[must_use]
    pub const fn saved_len(&self) -> usize {
        self.sequence.states_len() + 4 * self.sequence.rows() * self.sequence.units
    }

    /// Numbers of scratch for either pass.
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        let Sequence { units, .. } = self.sequence;
        3 * units * units + 3 * units + 2 * self.sequence.block() + products_len(&self.sequence, 3)
    }

    /// The states of all steps, on the active instruction set.
    ///
    /// # Panics
    /// If a slice has another length than the block's sizes say, or a length exceeds the steps.
    pub fn forward<T: Float>(&self, pass: Forward<'_, T>) {
        self.forward_on(Isa::active(), pass);
    }

    /// [`forward`](Self::forward) on a given instruction set.
    ///
    /// # Panics
    /// As [`forward`](Self::forward), and if this machine lacks `isa`.
    pub fn forward_on<T: Float>(&self, isa: Isa, pass: Forward<'_, T>) {
        self.sequence.check_forward(&pass, 3, self.needs());
        T::gru_forward(isa, ForwardPass { gru: *self, pass });
    }

    /// The gradients, after a forward pass, on the active instruction set.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward<T: Float>(&self, pass: Backward<'_, T>) {
        self.backward_on(Isa::active(), pass);
    }

    /// [`backward`](Self::backward) on a given instruction set.
    ///
    /// # Panics
    /// As [`forward_on`](Self::forward_on).
    pub fn backward_on<T: Float>(&self, isa: Isa, pass: Backward<'_, T>) {
        self.sequence.check_backward(&pass, 3, self.needs());
        T::gru_backward(isa, BackwardPass { gru: *self, pass });
    }

    const fn needs(&self) -> Needs {
        let biases = if self.reset_after { 2 } else { 1 };
        let bias = biases * 3 * self.sequence.units;
        Needs {
            bias,
            carried: self.sequence.units,
            saved: self.saved_len(),
            scratch: self.scratch_len(),
        }
    }
}
