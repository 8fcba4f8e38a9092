//! From a batch, sample after sample, to a block, step after step.

use crate::network::Network;
use plywood_kernels::Float;
use plywood_shape::{Rows, Sample};
use plywood_tensor::Batch;
use std::ops::Range;

/// Where a block's rows come from: the batch itself, or a copy in the order of steps.
///
/// A sample that is no sequence is one row, so a block is a part of the batch as it stands. Sequences are copied so
/// that row `t·samples + n` is step `t` of sample `n`.
pub(crate) fn stage<'a, S: Sample, T: Float>(
    batch: &'a Batch<S, T>,
    samples: Range<usize>,
    copy: &'a mut [S::Element<T>],
) -> &'a [S::Element<T>] {
    let sample = batch.steps() * S::ROW;
    let source = &batch.data()[samples.start * sample..samples.end * sample];
    if !S::SHAPE.sequence {
        return source;
    }
    let count = samples.len();
    let copy = &mut copy[..source.len()];
    if count == 0 || sample == 0 {
        return copy;
    }
    for (n, sample) in source.chunks_exact(sample).enumerate() {
        for (t, step) in sample.chunks_exact(S::ROW).enumerate() {
            copy[(t * count + n) * S::ROW..][..S::ROW].copy_from_slice(step);
        }
    }
    copy
}

/// The rows of a block that were staged to `copy`, `start` samples into it; the batch's own where none was made.
pub(super) fn staged<'a, S: Sample, T: Float>(
    batch: &'a Batch<S, T>,
    copy: &'a [S::Element<T>],
    samples: &Range<usize>,
    start: usize,
) -> &'a [S::Element<T>] {
    let sample = batch.steps() * S::ROW;
    if S::SHAPE.sequence {
        &copy[start * sample..][..samples.len() * sample]
    } else {
        &batch.data()[samples.start * sample..samples.end * sample]
    }
}

/// The way back: the rows of a piece of a block, `rows.steps` steps from `start` on, into their samples of `steps` steps. `target` is
/// the block's part of a batch.
pub(super) fn unstage<E: Copy>(
    rows: Rows,
    row: usize,
    piece: &[E],
    (start, steps): (usize, usize),
    target: &mut [E],
) {
    for n in 0..rows.samples {
        let sample = &mut target[(n * steps + start) * row..][..rows.steps * row];
        for (t, step) in sample.chunks_exact_mut(row.max(1)).enumerate() {
            step.copy_from_slice(&piece[(t * rows.samples + n) * row..][..row]);
        }
    }
}

/// The rows of a block of `N`'s input.
pub(super) fn rows<N: Network>(batch: &Batch<N::Input, N::Scalar>, samples: &Range<usize>) -> Rows {
    Rows {
        samples: samples.len(),
        steps: batch.steps(),
    }
}

/// The lengths of a block's samples; empty where every step is valid.
pub(super) fn lengths<'a, S: Sample, T: Float>(
    batch: &'a Batch<S, T>,
    samples: &Range<usize>,
) -> &'a [u32] {
    if batch.lengths().is_empty() {
        &[]
    } else {
        &batch.lengths()[samples.clone()]
    }
}

/// Makes room for `len` elements, without giving any back.
pub(super) fn reserve<E: Clone + Default>(buffer: &mut Vec<E>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, E::default());
    }
}

/// How many elements of `N`'s input a copy of `samples` samples has; none where no copy is made.
pub(super) fn staged_len<S: Sample>(samples: usize, steps: usize) -> usize {
    if S::SHAPE.sequence {
        samples * steps * S::ROW
    } else {
        0
    }
}

/// A weight a row, divided by the batch's `total`; zero for a padded step.
pub(super) fn row_weights<T: Float>(
    rows: Rows,
    sequence: bool,
    lengths: &[u32],
    weights: &[T],
    total: f64,
    into: &mut [T],
) {
    let steps = if sequence { rows.steps } else { 1 };
    for n in 0..rows.samples {
        let weight = weights.get(n).map_or(1.0, |weight| weight.to_f64());
        let weight = T::from_f64(weight / total);
        let valid = lengths.get(n).map_or(steps, |&len| len as usize);
        for t in 0..steps {
            let padded = sequence && t >= valid;
            into[t * rows.samples + n] = if padded { T::ZERO } else { weight };
        }
    }
}

/// The sum of all rows' weights in a batch, sample by sample.
pub(super) fn total_weight<T: Float>(
    samples: usize,
    steps: usize,
    lengths: &[u32],
    weights: &[T],
) -> f64 {
    let mut total = 0.0;
    for n in 0..samples {
        let valid = lengths.get(n).map_or(steps, |&len| len as usize);
        total += valid as f64 * weights.get(n).map_or(1.0, |weight| weight.to_f64());
    }
    total
}
