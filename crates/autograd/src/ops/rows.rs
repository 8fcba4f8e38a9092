//! The weighted sum of the losses of rows, a few rows at a time, without allocating.

use plywood_kernels::Float;
use std::ops::Range;

/// Rows at a time.
const ROWS: usize = 32;
/// Elements that fit the stack where no gradient is asked for; longer rows take a buffer from the heap.
const ROOM: usize = 1024;

/// Σ of the losses that `kernel(rows, losses, gradient)` writes for ranges of rows, in ascending order, kept in `f64`.
///
/// The kernels need the gradient's room even for the losses alone.
pub(super) fn sum_rows<T: Float>(
    rows: usize,
    columns: usize,
    gradient: Option<&mut [T]>,
    mut kernel: impl FnMut(Range<usize>, &mut [T], &mut [T]),
) -> f64 {
    let mut losses = [T::ZERO; ROWS];
    let mut sum = 0.0;
    let mut evaluate = |rows: Range<usize>, gradient: &mut [T]| {
        let losses = &mut losses[..rows.len()];
        kernel(rows, losses, gradient);
        losses.iter().for_each(|loss| sum += loss.to_f64());
    };
    if let Some(gradient) = gradient {
        for start in (0..rows).step_by(ROWS) {
            let range = start..rows.min(start + ROWS);
            let own = &mut gradient[range.start * columns..range.end * columns];
            evaluate(range, own);
        }
        return sum;
    }
    let mut stack = [T::ZERO; ROOM];
    let mut heap = Vec::new();
    let room = if columns <= ROOM {
        &mut stack[..]
    } else {
        heap.resize(columns, T::ZERO);
        &mut heap[..]
    };
    let at_once = (room.len() / columns).min(ROWS);
    for start in (0..rows).step_by(at_once) {
        let range = start..rows.min(start + at_once);
        let len = range.len() * columns;
        evaluate(range, &mut room[..len]);
    }
    sum
}

/// The weights of `rows`, if there are any.
pub(super) fn part<'a, T>(weights: Option<&'a [T]>, rows: &Range<usize>) -> Option<&'a [T]> {
    weights.map(|weights| &weights[rows.clone()])
}

/// The weights of `rows` rows divided by their total, so that a weighted sum is a mean; 0 everywhere if the total is 0.
///
/// # Panics
/// If there is not one weight a row.
#[track_caller]
pub(super) fn normalised<T: Float>(weights: Option<&[T]>, rows: usize) -> Vec<T> {
    let Some(weights) = weights else {
        return vec![T::from_f64(1.0 / rows as f64); rows];
    };
    assert!(
        weights.len() == rows,
        "loss: {} weights for {rows} rows",
        weights.len()
    );
    let total: f64 = weights.iter().map(|weight| weight.to_f64()).sum();
    let share = |weight: &T| {
        if total == 0.0 {
            T::ZERO
        } else {
            T::from_f64(weight.to_f64() / total)
        }
    };
    weights.iter().map(share).collect()
}
