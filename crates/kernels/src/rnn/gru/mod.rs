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
pub(crate) use self::forward::{AdvancePass, ForwardPass};
use super::back::Transposed;
use super::block::Needs;
use super::products::products_len;
use super::strips::Strips;
use super::{Advance, Backward, Forward, Sequence, Weights};
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
        let back = self.transposed().len() + 4 * units;
        back + 6 * self.sequence.block() + products_len(&self.sequence, 3)
    }

    /// Numbers that [`prepare`](Self::prepare) derives from the parameters.
    #[must_use]
    pub const fn prepared_len(&self) -> usize {
        self.strips().len()
    }

    /// Brings the parameters into the order in which a step reads them.
    ///
    /// # Panics
    /// If `weights` or `prepared` have other sizes.
    pub fn prepare<T: Float>(&self, weights: &Weights<'_, T>, prepared: &mut [T]) {
        self.sequence.check_weights(weights, 3, self.needs());
        let Sequence { units, .. } = self.sequence;
        // Of a bias of the state, what does not pass through the reset gate is added to that of the inputs.
        let bias = |row: usize, unit: usize| {
            let at = row * units + unit;
            match row {
                0 | 1 if self.reset_after => weights.bias[at] + weights.bias[at + 3 * units],
                3 => weights.bias[at + 2 * units],
                _ => weights.bias[at],
            }
        };
        self.strips().fill(weights, bias, prepared);
    }

    /// Numbers that [`project`](Self::project) makes of a row of inputs.
    #[must_use]
    pub const fn projected_len(&self) -> usize {
        self.strips().projected_len()
    }

    /// x·W + b of rows of inputs `[rows][F]`, such as an embedding's, in the order in which a step reads them ([`Lookup`](super::Lookup)), on
    /// the active instruction set.
    ///
    /// # Panics
    /// If `x` does not consist of whole rows, or a slice has another length than the sizes say.
    pub fn project<T: Float>(&self, prepared: &[T], x: &[T], projected: &mut [T]) {
        self.project_on(Isa::active(), prepared, x, projected);
    }

    /// [`project`](Self::project) on a given instruction set.
    ///
    /// # Panics
    /// As [`project`](Self::project), and if this machine lacks `isa`.
    pub fn project_on<T: Float>(&self, isa: Isa, prepared: &[T], x: &[T], projected: &mut [T]) {
        T::project(isa, self.strips().project(prepared, x, projected));
    }

    const fn strips(&self) -> Strips {
        let biases = if self.reset_after { 4 } else { 3 };
        Strips::of(&self.sequence, 3, biases)
    }

    const fn transposed(&self) -> Transposed {
        Transposed {
            units: self.sequence.units,
            gates: 3,
        }
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

    /// The states of a piece of the sequences, on the active instruction set; nothing is kept for a way back.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn advance<T: Float>(&self, pass: Advance<'_, T>) {
        self.advance_on(Isa::active(), pass);
    }

    /// [`advance`](Self::advance) on a given instruction set.
    ///
    /// # Panics
    /// As [`forward_on`](Self::forward_on).
    pub fn advance_on<T: Float>(&self, isa: Isa, pass: Advance<'_, T>) {
        self.sequence.check_advance(&pass, 3, self.needs());
        T::gru_advance(isa, AdvancePass { gru: *self, pass });
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
            prepared: self.prepared_len(),
            carried: self.sequence.units,
            projected: self.projected_len(),
            saved: self.saved_len(),
            scratch: self.scratch_len(),
        }
    }
}
