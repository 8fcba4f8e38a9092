//! What the cells share: the walk over a block's steps, row passes of the way back, and checks.

use std::ops::Range;

use plywood_shape::layers::Returns;

use super::tile::Rows;
use super::{Advance, Backward, Forward, Inputs, Sequence, StateGradient, Weights};
use crate::embedding::check_token;
use crate::simd::Simd;

/// Rows whose inputs are projected at once: their gates then still lie in the second-level cache when their steps come.
const CHUNK_ROWS: usize = 128;

impl Sequence {
    /// Stretches of steps in reading order; of each stretch the steps in the order of time.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let Self { steps, reverse, .. } = *self;
        let size = (CHUNK_ROWS / self.samples.max(1)).max(1);
        (0..steps).step_by(size).map(move |i| {
            let end = (i + size).min(steps);
            if reverse {
                steps - end..steps - i
            } else {
                i..end
            }
        })
    }

    /// The steps of a stretch in reading order.
    pub(super) fn read(
        &self,
        steps: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let Self { reverse, .. } = *self;
        let (start, end) = (steps.start, steps.end);
        steps.map(move |t| if reverse { start + end - 1 - t } else { t })
    }

    /// The states before and after step `t`.
    pub(super) fn around<'s, T>(&self, states: &'s mut [T], t: usize) -> (&'s [T], &'s mut [T]) {
        let block = self.block();
        let (earlier, later) = states[t * block..][..2 * block].split_at_mut(block);
        if self.reverse {
            (later, earlier)
        } else {
            (earlier, later)
        }
    }

    /// The states before and after step `t`, to read.
    pub(super) fn beside<'s, T>(&self, states: &'s [T], t: usize) -> (&'s [T], &'s [T]) {
        let block = self.block();
        let (earlier, later) = states[t * block..][..2 * block].split_at(block);
        if self.reverse {
            (later, earlier)
        } else {
            (earlier, later)
        }
    }

    /// The states before every step, `[T·N][U]` in the order of time.
    pub(super) fn previous<'s, T>(&self, states: &'s [T]) -> &'s [T] {
        let start = if self.reverse { self.block() } else { 0 };
        &states[start..][..self.rows() * self.units]
    }

    /// The rows of step `t` in a buffer of `columns` numbers a row, to write, and those of the step read after it, if there is
    /// one.
    pub(super) fn with_next<'s, T>(
        &self,
        buffer: &'s mut [T],
        t: usize,
        columns: usize,
    ) -> (&'s mut [T], Option<&'s [T]>) {
        let len = self.samples * columns;
        if self.reverse {
            let (earlier, rest) = buffer.split_at_mut(t * len);
            let next = t.checked_sub(1).map(|t| &earlier[t * len..]);
            (&mut rest[..len], next)
        } else {
            let (rest, later) = buffer.split_at_mut((t + 1) * len);
            let next = (t + 1 < self.steps).then(|| &later[..len]);
            (&mut rest[t * len..], next)
        }
    }

    /// The rows of step `t` in a buffer of `columns` numbers a row.
    pub(super) const fn step(&self, t: usize, columns: usize) -> Range<usize> {
        let len = self.samples * columns;
        t * len..(t + 1) * len
    }

    /// Whether step `t` of sample `n` is valid.
    #[inline(always)]
    pub(super) fn is_valid(lengths: &[u32], n: usize, t: usize) -> bool {
        lengths.is_empty() || t < lengths[n] as usize
    }

    fn check<T>(
        &self,
        inputs: Inputs<'_, T>,
        weights: &Weights<'_, T>,
        lengths: &[u32],
        gates: usize,
        needs: Needs,
    ) {
        let (given, expected) = match inputs {
            Inputs::Rows(x) => (x.len(), self.rows() * self.features),
            Inputs::Tokens(lookup) => (lookup.tokens.len(), self.rows()),
        };
        assert!(
            given == expected,
            "rnn: {given} inputs for {} steps of {} samples of {} features",
            self.steps,
            self.samples,
            self.features
        );
        self.check_weights(weights, gates, needs);
        assert!(
            lengths.is_empty() || lengths.len() == self.samples,
            "rnn: {} lengths for {} samples",
            lengths.len(),
            self.samples
        );
        for (n, &length) in lengths.iter().enumerate() {
            assert!(
                length as usize <= self.steps,
                "rnn: sample {n} has length {length} of {} steps",
                self.steps
            );
        }
    }

    /// Panics unless a forward pass has the sizes of this block, for a cell of so many gates.
    pub(super) fn check_forward<T>(&self, pass: &Forward<'_, T>, gates: usize, needs: Needs) {
        self.check(
            Inputs::Rows(pass.x),
            &pass.weights,
            pass.lengths,
            gates,
            needs,
        );
        needs.check(pass.saved, pass.scratch);
        needs.check_prepared(pass.prepared);
    }

    /// Panics unless parameters have the sizes of this block, for a cell of so many gates.
    pub(super) fn check_weights<T>(&self, weights: &Weights<'_, T>, gates: usize, needs: Needs) {
        let (units, columns) = (self.units, gates * self.units);
        assert!(
            weights.weight.len() == self.features * columns,
            "rnn: weight is not [{}][{columns}]",
            self.features
        );
        assert!(
            weights.recurrent.len() == units * columns,
            "rnn: recurrent is not [{units}][{columns}]"
        );
        assert!(
            weights.bias.len() == needs.bias,
            "rnn: a bias of {}, expected {}",
            weights.bias.len(),
            needs.bias
        );
    }

    /// Panics unless an inference has the sizes of this block, for a cell of so many gates.
    pub(super) fn check_advance<T: Copy>(&self, pass: &Advance<'_, T>, gates: usize, needs: Needs) {
        self.check(pass.inputs, &pass.weights, pass.lengths, gates, needs);
        if let Inputs::Tokens(lookup) = pass.inputs {
            let vocabulary = lookup.projected.len().checked_div(needs.projected);
            let vocabulary = vocabulary.expect("rnn: this cell takes no products that are ready");
            for (row, &token) in lookup.tokens.iter().enumerate() {
                check_token(token, row, vocabulary);
            }
        }
        needs.check_prepared(pass.prepared);
        needs.check_scratch(pass.scratch);
        let rows = match pass.returns {
            Returns::Last => self.samples,
            Returns::Sequence => self.rows(),
        };
        for (what, given, expected) in [
            ("carried", pass.carried.len(), self.samples * needs.carried),
            ("of states", pass.y.len(), rows * self.units),
        ] {
            assert!(
                given == expected,
                "rnn: {given} numbers {what}, expected {expected}"
            );
        }
    }

    /// Panics unless a backward pass has the sizes of this block, for a cell of so many gates.
    pub(super) fn check_backward<T>(&self, pass: &Backward<'_, T>, gates: usize, needs: Needs) {
        self.check(
            Inputs::Rows(pass.x),
            &pass.weights,
            pass.lengths,
            gates,
            needs,
        );
        needs.check(pass.saved, pass.scratch);
        let Weights {
            weight,
            recurrent,
            bias,
        } = pass.weights;
        let gradients = &pass.gradients;
        assert!(
            gradients.weight.len() == weight.len(),
            "rnn: the gradient of weight has another size"
        );
        assert!(
            gradients.recurrent.len() == recurrent.len(),
            "rnn: the gradient of recurrent has another size"
        );
        assert!(
            gradients.bias.len() == bias.len(),
            "rnn: the gradient of bias has another size"
        );
        if let Some(dx) = &pass.dx {
            assert!(
                dx.len() == pass.x.len(),
                "rnn: {} input gradients for {} inputs",
                dx.len(),
                pass.x.len()
            );
        }
        let rows = match pass.dstates.returns {
            Returns::Last => self.samples,
            Returns::Sequence => self.rows(),
        };
        let StateGradient {
            data, row_stride, ..
        } = pass.dstates;
        assert!(
            row_stride >= self.units,
            "rnn: rows of state gradients overlap"
        );
        let needed = if rows == 0 {
            0
        } else {
            (rows - 1) * row_stride + self.units
        };
        assert!(
            data.len() >= needed,
            "rnn: {} numbers of state gradients, {needed} needed",
            data.len()
        );
    }
}

/// The lengths a cell expects.
#[derive(Clone, Copy)]
pub(super) struct Needs {
    pub(super) bias: usize,
    /// Numbers carried a sample.
    pub(super) carried: usize,
    /// Numbers of the product of a row of inputs; 0 if the cell takes none.
    pub(super) projected: usize,
    pub(super) prepared: usize,
    pub(super) saved: usize,
    pub(super) scratch: usize,
}

impl Needs {
    fn check<T>(self, saved: &[T], scratch: &[T]) {
        assert!(
            saved.len() == self.saved,
            "rnn: {} numbers to save in, expected {}",
            saved.len(),
            self.saved
        );
        self.check_scratch(scratch);
    }

    fn check_scratch<T>(self, scratch: &[T]) {
        assert!(
            scratch.len() >= self.scratch,
            "rnn: scratch of {}, {} needed",
            scratch.len(),
            self.scratch
        );
    }

    fn check_prepared<T>(self, prepared: &[T]) {
        assert!(
            prepared.len() == self.prepared,
            "rnn: {} prepared numbers, expected {}",
            prepared.len(),
            self.prepared
        );
    }
}

impl<'a, T> StateGradient<'a, T> {
    /// The gradient of the states after step `t`, a row a sample; none where those states were not passed on.
    #[inline(always)]
    pub(super) fn step(&self, sequence: &Sequence, t: usize) -> Option<Rows<'a, T>> {
        let row = match self.returns {
            Returns::Sequence => t * sequence.samples,
            Returns::Last if sequence.last_step() == Some(t) => 0,
            Returns::Last => return None,
        };
        let data = &self.data[row * self.row_stride..];
        Some(Rows::new(data, self.row_stride, sequence.units))
    }
}

/// d of lane group `j`: what came back from the later steps and, where there is one, the state's own gradient.
#[inline(always)]
pub(super) fn state_gradient<S: Simd>(
    simd: S,
    dh: &[S::Elem],
    own: Option<&[S::Elem]>,
    j: usize,
) -> S::Vector {
    let d = simd.load_partial(&dh[j..]);
    match own {
        Some(own) => simd.add(d, simd.load_partial(&own[j..])),
        None => d,
    }
}

/// What a padded step does on the way back: all of d goes to the state before.
#[inline(always)]
pub(super) fn pass_back<S: Simd>(simd: S, own: Option<&[S::Elem]>, dh: &mut [S::Elem]) {
    let mut j = 0;
    while j < dh.len() {
        let d = state_gradient(simd, dh, own, j);
        simd.store_partial(d, &mut dh[j..]);
        j += S::LANES;
    }
}

/// Takes `len` elements off the front.
pub(super) fn take<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (taken, left) = std::mem::take(rest).split_at_mut(len);
    *rest = left;
    taken
}
