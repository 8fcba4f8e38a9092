//! Several kinds of numbers side by side: a column for each, put together as rows are drawn.
//!
//! Bytes stay bytes next to floats, which one column of all the numbers could not keep.

use super::stored::Stored;
use super::{Column, expect_samples};
use crate::DataError;
use plywood_kernels::Float;
use plywood_shape::{Sample, Side};
use std::ops::Range;

#[cfg(test)]
mod tests;

/// Columns of several kinds: a tuple of [`Reals`](super::Reals) and [`Indices`](super::Indices).
///
/// It is made of a tuple of what each is made of.
#[derive(Clone, Debug)]
pub struct SideBySide<C>(C);

impl Column {
    /// One kind of the several in this column.
    const fn side(self, side: usize) -> Self {
        Self {
            side: Some(side),
            ..self
        }
    }
}

/// The number of samples, if it is the same in every column.
fn equally_many(counts: &[usize], what: Column) -> Result<usize, DataError> {
    for (side, &count) in counts.iter().enumerate() {
        expect_samples(what.side(side), counts[0], count)?;
    }
    Ok(counts[0])
}

macro_rules! sides {
    ($($($side:ident $from:ident $i:tt),+;)+) => {$(
        impl<$($side, $from: Into<$side>),+> From<($($from,)+)> for SideBySide<($($side,)+)> {
            fn from(columns: ($($from,)+)) -> Self {
                Self(($(columns.$i.into(),)+))
            }
        }

        impl<$($side: Stored + Side),+> Stored for ($($side,)+) {
            type Numbers = SideBySide<($($side::Numbers,)+)>;

            fn samples(from: &Self::Numbers, steps: usize, what: Column) -> Result<usize, DataError> {
                let counts = [$($side::samples(&from.0.$i, steps, what.side($i))?),+];
                equally_many(&counts, what)
            }

            fn copy<T: Float>(from: &Self::Numbers, rows: Range<usize>, into: &mut [T]) {
                Self::copy_numbers(from, rows, into);
            }

            fn copy_numbers<T: Float>(from: &Self::Numbers, rows: Range<usize>, into: &mut [T]) {
                for (row, rest) in rows.zip(into.chunks_exact_mut(Self::ROW)) {
                    $(let (own, rest) = rest.split_at_mut($side::ROW);
                    $side::copy_numbers(&from.0.$i, row..row + 1, own);)+
                    debug_assert!(rest.is_empty(), "a row is its sides");
                }
            }

            fn gather(
                from: &Self::Numbers,
                rows: impl Iterator<Item = Range<usize>> + Clone,
            ) -> Self::Numbers {
                SideBySide(($($side::gather(&from.0.$i, rows.clone()),)+))
            }
        }
    )+};
}

sides! {
    A IntoA 0, B IntoB 1;
    A IntoA 0, B IntoB 1, C IntoC 2;
    A IntoA 0, B IntoB 1, C IntoC 2, D IntoD 3;
}
