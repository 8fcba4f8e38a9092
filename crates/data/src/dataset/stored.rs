//! Which kinds of samples a data set holds, and how each comes out of the column that it is stored in.

use super::numbers::{Indices, Numbers, Reals};
use crate::DataError;
use crate::error::Column;
use plywood_kernels::Float;
use plywood_shape::{
    Class, Image, Item, Logits, Probabilities, Real, Sample, Sequence, SequenceItem, Size, Token,
    Vector,
};
use std::ops::Range;

/// A kind of sample that a [`Dataset`](super::Dataset) can hold.
pub trait Stored: Sample {
    /// [`Reals`], [`Indices`], or [`SideBySide`](super::SideBySide) of several.
    type Numbers: Send + Sync + 'static;

    /// How many samples of `steps` rows a column makes.
    ///
    /// # Errors
    /// If samples are not whole or an index is out of range; the error says so of `what`.
    fn samples(from: &Self::Numbers, steps: usize, what: Column) -> Result<usize, DataError>;

    /// Writes the numbers of `rows` to `into`.
    ///
    /// # Shapes
    /// `into` `[rows][Self::ROW]`.
    fn copy<T: Float>(from: &Self::Numbers, rows: Range<usize>, into: &mut [Self::Element<T>]);

    /// [`copy`](Stored::copy) of what stands beside other kinds: indices too are numbers there.
    fn copy_numbers<T: Float>(from: &Self::Numbers, rows: Range<usize>, into: &mut [T]);

    /// A column of these rows, one range after the other.
    fn gather(
        from: &Self::Numbers,
        rows: impl Iterator<Item = Range<usize>> + Clone,
    ) -> Self::Numbers;
}

/// What the indices of a kind must be below; `None` for real numbers.
fn bound<S: Sample>() -> Option<usize> {
    match S::SHAPE.item {
        Item::Token(Size::Known(n)) | Item::Class(Size::Known(n)) => Some(n),
        _ => None,
    }
}

/// Where the numbers of `rows` lie.
pub(super) fn range<S: Sample>(rows: Range<usize>) -> Range<usize> {
    rows.start * S::ROW..rows.end * S::ROW
}

/// How many samples the numbers of one kind make; checks that they are whole and their indices in range.
fn samples<S: Sample>(from: &impl Numbers, steps: usize, what: Column) -> Result<usize, DataError> {
    let (per_sample, found) = (steps * S::ROW, from.len());
    if per_sample == 0 || found % per_sample != 0 {
        return Err(DataError::Ragged {
            what,
            per_sample,
            found,
        });
    }
    if let Some(bound) = bound::<S>()
        && let Some((place, value)) = from.beyond(bound)
    {
        return Err(DataError::Index {
            what,
            sample: place / per_sample,
            position: place % per_sample,
            value,
            bound,
        });
    }
    Ok(found / per_sample)
}

impl<S: Stored + SequenceItem> Stored for Sequence<S> {
    type Numbers = S::Numbers;

    fn samples(from: &S::Numbers, steps: usize, what: Column) -> Result<usize, DataError> {
        S::samples(from, steps, what)
    }

    fn copy<T: Float>(from: &S::Numbers, rows: Range<usize>, into: &mut [S::Element<T>]) {
        S::copy::<T>(from, rows, into);
    }

    fn copy_numbers<T: Float>(from: &S::Numbers, rows: Range<usize>, into: &mut [T]) {
        S::copy_numbers(from, rows, into);
    }

    fn gather(from: &S::Numbers, rows: impl Iterator<Item = Range<usize>> + Clone) -> S::Numbers {
        S::gather(from, rows)
    }
}

macro_rules! stored {
    ($column:ident: $([$($size:ident),+] $kind:ty),+) => {$(
        impl<$(const $size: usize),+> Stored for $kind {
            type Numbers = $column;

            fn samples(from: &$column, steps: usize, what: Column) -> Result<usize, DataError> {
                samples::<Self>(from, steps, what)
            }

            fn copy<T: Float>(from: &$column, rows: Range<usize>, into: &mut [Self::Element<T>]) {
                from.copy(range::<Self>(rows), into);
            }

            fn copy_numbers<T: Float>(from: &$column, rows: Range<usize>, into: &mut [T]) {
                from.copy_numbers(range::<Self>(rows), into);
            }

            fn gather(from: &$column, rows: impl Iterator<Item = Range<usize>> + Clone) -> $column {
                from.gather(rows.map(range::<Self>))
            }
        }
    )+};
}

stored!(Reals: [H, W, C] Image<H, W, C>, [N] Vector<N>, [N] Logits<N>, [N] Probabilities<N>, [N] Real<N>);
stored!(Indices: [N] Token<N>, [N] Class<N>);
