//! Long short-term memory (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers, Schmidhuber and Cummins, 2000).
//!
//! ```text
//! i, f, o = σ(x·W + h·U + b)      g = tanh(x·W + h·U + b)
//! c' = f⊙c + i⊙g                  h' = o⊙tanh(c')
//! ```
//!
//! Gates lie in the order `i, f, g, o`. Saved are the states, the cells likewise, then for every row the four gates side
//! by side, then tanh(c').

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

/// An LSTM over a block of sequences. Gates `i, f, g, o`, the third being the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lstm {
    /// Sizes and direction.
    pub sequence: Sequence,
}

impl Lstm {
    /// Numbers kept from forward to backward: states and cells, then four gates and tanh(c') a row.
    #[must_use]
    pub const fn saved_len(&self) -> usize {
        2 * self.sequence.states_len() + 5 * self.sequence.rows() * self.sequence.units
    }

    /// Numbers of scratch for either pass.
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        let Sequence { units, .. } = self.sequence;
        let back = self.transposed().len() + 4 * units;
        back + 3 * self.sequence.block() + products_len(&self.sequence, 4)
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
        self.sequence.check_weights(weights, 4, self.needs());
        let units = self.sequence.units;
        let bias = |row: usize, unit: usize| weights.bias[row * units + unit];
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
        Strips::of(&self.sequence, 4, 4)
    }

    const fn transposed(&self) -> Transposed {
        Transposed {
            units: self.sequence.units,
            gates: 4,
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
        self.sequence.check_forward(&pass, 4, self.needs());
        T::lstm_forward(isa, ForwardPass { lstm: *self, pass });
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
        self.sequence.check_advance(&pass, 4, self.needs());
        T::lstm_advance(isa, AdvancePass { lstm: *self, pass });
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
        self.sequence.check_backward(&pass, 4, self.needs());
        T::lstm_backward(isa, BackwardPass { lstm: *self, pass });
    }

    const fn needs(&self) -> Needs {
        Needs {
            bias: 4 * self.sequence.units,
            prepared: self.prepared_len(),
            carried: 2 * self.sequence.units,
            projected: self.projected_len(),
            saved: self.saved_len(),
            scratch: self.scratch_len(),
        }
    }

    /// What is saved, cut up.
    fn parts<'s, T>(&self, saved: &'s mut [T]) -> Parts<'s, T> {
        let Sequence { units, .. } = self.sequence;
        let (states, rest) = saved.split_at_mut(self.sequence.states_len());
        let (cells, rest) = rest.split_at_mut(self.sequence.states_len());
        let (gates, squashed) = rest.split_at_mut(4 * self.sequence.rows() * units);
        Parts {
            states,
            cells,
            gates,
            squashed,
        }
    }
}

struct Parts<'s, T> {
    /// `[T + 1][N][U]`
    states: &'s mut [T],
    /// `[T + 1][N][U]`
    cells: &'s mut [T],
    /// `[T·N][4·U]`
    gates: &'s mut [T],
    /// tanh(c'), `[T·N][U]`
    squashed: &'s mut [T],
}
