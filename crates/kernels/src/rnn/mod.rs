//! Recurrent cells over whole sequences: simple RNN, GRU and LSTM, forward and backward.
//!
//! ```text
//! for each step in reading order:
//!     g = x·W + b + h·U              for all gates
//!     h = cell(g, h)                 the non-linearities
//! ```
//!
//! and on the way back the same loop reversed, which turns the saved gates into their gradients in place, then one product
//! over all steps for each weight. GRU and LSTM hold all gates of some units in registers from the first product to the new
//! state (`tile`), with weights in an order made for it (`strips`), and likewise on the way back (`back`, `ahead`); what such
//! a tile reads and writes besides, it does by columns of vectors (`column`). `forward` keeps the gates for the way back,
//! `advance` keeps nothing and carries the state from piece to piece of a sequence, and both give the same bits. Gates lie
//! side by side in the columns of a weight, as in Keras: GRU `z, r, h`; LSTM `i, f, c, o`.
//!
//! Rows are time-major: row `t·samples + n` is step `t` of sample `n`, so that a step is a contiguous block. A sample with
//! a length reads its valid steps only: a padded step leaves the state as it was. Read forward, padded steps therefore
//! repeat the last valid state; read in reverse, they come first and leave the initial state, zero. Nothing that is
//! computed for a sample depends on the other samples or on the number of padded steps, to the bit.

mod ahead;
mod back;
mod block;
mod column;
mod gru;
mod inputs;
mod lstm;
mod once;
mod products;
mod simple;
mod strips;
#[cfg(test)]
mod tests;
mod tile;
mod walk;

pub use gru::Gru;
pub use inputs::{Inputs, Lookup};
pub use lstm::Lstm;
pub(crate) use once::RnnElement;
pub use simple::SimpleRnn;

use std::ops::Range;

use plywood_shape::layers::Returns;

/// The sizes of a block of sequences, and the direction they are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Samples N in the block.
    pub samples: usize,
    /// Steps T of every sample, padded ones included.
    pub steps: usize,
    /// Numbers F of an input.
    pub features: usize,
    /// Numbers U of a state.
    pub units: usize,
    /// Whether the last step is read first.
    pub reverse: bool,
}

impl Sequence {
    /// Rows of the block, T·N.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.steps * self.samples
    }

    /// Numbers of the states of one step, N·U.
    #[must_use]
    pub const fn block(&self) -> usize {
        self.samples * self.units
    }

    /// Numbers of all states and the initial one, (T + 1)·N·U.
    #[must_use]
    pub const fn states_len(&self) -> usize {
        (self.steps + 1) * self.block()
    }

    /// The states after every step, `[T·N][U]` in the order of time, whatever the direction.
    ///
    /// # Panics
    /// If `saved` is not what a forward pass of these sizes filled.
    #[must_use]
    pub fn states<'s, T>(&self, saved: &'s [T]) -> &'s [T] {
        let initial = if self.reverse { 0 } else { self.block() };
        &saved[initial..][..self.rows() * self.units]
    }

    /// The state after the step that is read last, `[N][U]`.
    ///
    /// # Panics
    /// As [`states`](Self::states).
    #[must_use]
    pub fn last<'s, T>(&self, saved: &'s [T]) -> &'s [T] {
        let start = if self.reverse {
            0
        } else {
            self.steps * self.block()
        };
        &saved[start..][..self.block()]
    }

    /// The step that is read last; none of no steps.
    #[must_use]
    pub const fn last_step(&self) -> Option<usize> {
        if self.steps == 0 {
            None
        } else if self.reverse {
            Some(0)
        } else {
            Some(self.steps - 1)
        }
    }

    /// Where the initial state lies among the states.
    const fn initial(&self) -> Range<usize> {
        let start = if self.reverse {
            self.steps * self.block()
        } else {
            0
        };
        start..start + self.block()
    }
}

/// The parameters of a cell with G gates.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a, T> {
    /// `[F][G·U]`, of the inputs.
    pub weight: &'a [T],
    /// `[U][G·U]`, of the state.
    pub recurrent: &'a [T],
    /// `[G·U]`; a GRU that resets after the product has `[2][G·U]`, of the inputs and of the state.
    pub bias: &'a [T],
}

/// The gradients of [`Weights`], each of the same size; added to.
#[derive(Debug)]
pub struct WeightGradients<'a, T> {
    /// `[F][G·U]`.
    pub weight: &'a mut [T],
    /// `[U][G·U]`.
    pub recurrent: &'a mut [T],
    /// `[G·U]` or `[2][G·U]`.
    pub bias: &'a mut [T],
}

/// What a forward pass reads and writes.
#[derive(Debug)]
pub struct Forward<'a, T> {
    /// `[T·N][F]`.
    pub x: &'a [T],
    /// The cell's parameters.
    pub weights: Weights<'a, T>,
    /// What `prepare` of the cell made of them.
    pub prepared: &'a [T],
    /// Valid steps of every sample, at most T each; empty where all are valid.
    pub lengths: &'a [u32],
    /// What is kept for the way back, `saved_len` of the cell; begins with the states (see [`Sequence::states`]).
    pub saved: &'a mut [T],
    /// `scratch_len` of the cell at least.
    pub scratch: &'a mut [T],
}

/// What an inference over a piece of the sequences reads and writes: nothing is kept for a way back.
#[derive(Debug)]
pub struct Advance<'a, T> {
    /// Rows, or tokens whose products are ready.
    pub inputs: Inputs<'a, T>,
    /// The cell's parameters.
    pub weights: Weights<'a, T>,
    /// What `prepare` of the cell made of them.
    pub prepared: &'a [T],
    /// Valid steps of every sample, at most T each; empty where all are valid.
    pub lengths: &'a [u32],
    /// The state before the step read first, replaced by that after the step read last: a row for every sample, `[N][U]`, of an
    /// LSTM `[N][2·U]` with the cell behind the state. Zero where sequences begin.
    pub carried: &'a mut [T],
    /// Whether `y` takes the states of all steps, `[T·N][U]`, or those of the step read last, `[N][U]`.
    pub returns: Returns,
    /// The states, to be written.
    pub y: &'a mut [T],
    /// `scratch_len` of the cell at least.
    pub scratch: &'a mut [T],
}

/// What a backward pass reads and writes.
#[derive(Debug)]
pub struct Backward<'a, T> {
    /// `[T·N][F]`, as for the forward pass.
    pub x: &'a [T],
    /// The cell's parameters.
    pub weights: Weights<'a, T>,
    /// As for the forward pass.
    pub lengths: &'a [u32],
    /// What the forward pass kept. The states stay as they are, the rest is overwritten.
    pub saved: &'a mut [T],
    /// The gradient of the states.
    pub dstates: StateGradient<'a, T>,
    /// The gradient of the inputs, `[T·N][F]`, to be overwritten; `None` where nobody asks for it.
    pub dx: Option<&'a mut [T]>,
    /// The gradients of the parameters, to be added to.
    pub gradients: WeightGradients<'a, T>,
    /// `scratch_len` of the cell at least.
    pub scratch: &'a mut [T],
}

/// The gradient of the states that were passed on.
#[derive(Clone, Copy, Debug)]
pub struct StateGradient<'a, T> {
    /// Whether there is a row for every step, T·N in all, or for the step read last alone, N in all.
    pub returns: Returns,
    /// Rows of U numbers.
    pub data: &'a [T],
    /// Numbers from one row to the next, at least U.
    pub row_stride: usize,
}

impl<'a, T> StateGradient<'a, T> {
    /// Rows of `units` numbers, one after the other.
    pub const fn new(returns: Returns, data: &'a [T], units: usize) -> Self {
        Self {
            returns,
            data,
            row_stride: units,
        }
    }
}
