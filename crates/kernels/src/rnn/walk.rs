//! The walk of an inference over the steps: where the states of each step are, and which steps count.

use plywood_shape::layers::Returns;

use super::Sequence;
use crate::float::Float;

/// A step, and the lengths that say of which samples it is valid.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    lengths: &'a [u32],
    t: usize,
}

impl<'a> Reading<'a> {
    pub(super) const fn new(lengths: &'a [u32], t: usize) -> Self {
        Self { lengths, t }
    }

    #[inline(always)]
    pub(super) fn is_valid(self, n: usize) -> bool {
        Sequence::is_valid(self.lengths, n, self.t)
    }
}

/// The states of an inference: of every step where all are passed on, else of two steps in turn.
pub(super) struct States<'a, T> {
    sequence: Sequence,
    returns: Returns,
    /// `[T·N][U]` or `[N][U]`: what is passed on.
    y: &'a mut [T],
    /// `[2][N][U]`
    turns: &'a mut [T],
    /// Where the latest states are: a block of `y`, or of `turns`.
    latest: Option<usize>,
}

impl<'a, T: Float> States<'a, T> {
    pub(super) fn new(
        sequence: &Sequence,
        returns: Returns,
        y: &'a mut [T],
        turns: &'a mut [T],
    ) -> Self {
        Self {
            sequence: *sequence,
            returns,
            y,
            turns,
            latest: None,
        }
    }

    /// The states before step `t`, none if it is the first, and the place of those after it.
    pub(super) fn around(&mut self, t: usize) -> (Option<&[T]>, &mut [T]) {
        let len = self.sequence.block();
        let (buffer, at) = match self.returns {
            Returns::Sequence => (&mut *self.y, t),
            Returns::Last => (&mut *self.turns, self.latest.map_or(0, |latest| 1 - latest)),
        };
        match self.latest.replace(at) {
            None => (None, &mut buffer[at * len..][..len]),
            Some(before) if before < at => {
                let (head, tail) = buffer.split_at_mut(at * len);
                (Some(&head[before * len..][..len]), &mut tail[..len])
            }
            Some(before) => {
                let (head, tail) = buffer.split_at_mut(before * len);
                (Some(&tail[..len]), &mut head[at * len..][..len])
            }
        }
    }

    /// Carries the latest states on, and passes them on where they are all that is. Rows of `carried` are `width` long.
    pub(super) fn finish(self, carried: &mut [T], width: usize) {
        let (units, len) = (self.sequence.units, self.sequence.block());
        if let Some(latest) = self.latest {
            let buffer = match self.returns {
                Returns::Sequence => &*self.y,
                Returns::Last => &*self.turns,
            };
            let latest = buffer[latest * len..][..len].chunks_exact(units);
            for (carried, state) in carried.chunks_exact_mut(width).zip(latest) {
                carried[..units].copy_from_slice(state);
            }
        }
        if self.returns == Returns::Last {
            let states = carried.chunks_exact(width);
            for (y, carried) in self.y.chunks_exact_mut(units).zip(states) {
                y.copy_from_slice(&carried[..units]);
            }
        }
    }
}
