//! Embedding: rows of a table by token, and the gradients of those rows.
//!
//! ```text
//! gather:       y[i] = table[token[i]]
//! scatter_add:  dtable[token[i]] += dy[i]      i ascending
//! ```
//!
//! Every element of the gradient is summed in the order of the rows. A table can be cut between any two tokens and each
//! part be added to alone, on another thread if need be, without a bit changing.

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// The sizes of a table, `[V][F]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Rows V; tokens are 0 to V − 1.
    pub vocabulary: usize,
    /// Numbers F a row.
    pub features: usize,
}

impl Table {
    /// `y[i] = table[tokens[i]]`, `[rows][F]`.
    ///
    /// # Panics
    /// If the table is not `[V][F]` or `y` not `[rows][F]`, or at a token of V or more, naming token, row and V.
    pub fn gather<T: Float>(&self, table: &[T], tokens: &[u32], y: &mut [T]) {
        self.check(table, tokens, y);
        for (row, &token) in tokens.iter().enumerate() {
            let source = &table[self.place(token, row)..][..self.features];
            y[row * self.features..][..self.features].copy_from_slice(source);
        }
    }

    /// `dtable[tokens[i]] += dy[i]` for every row i of `dy`, `[rows][F]`, in ascending order.
    ///
    /// # Panics
    /// As [`gather`](Self::gather).
    pub fn scatter_add<T: Float>(&self, dy: &[T], tokens: &[u32], dtable: &mut [T]) {
        self.scatter_add_part(dy, tokens, 0..self.vocabulary, dtable);
    }

    /// [`scatter_add`](Self::scatter_add) for the rows `part` of the table alone; `dpart` is `[part.len()][F]`.
    ///
    /// # Panics
    /// As [`gather`](Self::gather), with `dpart` in the table's place.
    pub fn scatter_add_part<T: Float>(
        &self,
        dy: &[T],
        tokens: &[u32],
        part: Range<usize>,
        dpart: &mut [T],
    ) {
        self.scatter_add_part_on(Isa::active(), dy, tokens, part, dpart);
    }

    fn scatter_add_part_on<T: Float>(
        &self,
        isa: Isa,
        dy: &[T],
        tokens: &[u32],
        part: Range<usize>,
        dpart: &mut [T],
    ) {
        assert!(
            part.end <= self.vocabulary,
            "embedding: rows {part:?} of a table of {}",
            self.vocabulary
        );
        Self {
            vocabulary: part.len(),
            ..*self
        }
        .check(dpart, tokens, dy);
        T::dispatch_on(
            isa,
            Scatter {
                table: *self,
                dy,
                tokens,
                part,
                dpart,
            },
        );
    }

    /// Zeroes the rows of all tokens: what [`scatter_add`](Self::scatter_add) added to.
    ///
    /// # Panics
    /// As [`gather`](Self::gather).
    pub fn clear<T: Float>(&self, tokens: &[u32], dtable: &mut [T]) {
        self.check(dtable, &[], &[]);
        for (row, &token) in tokens.iter().enumerate() {
            dtable[self.place(token, row)..][..self.features].fill(T::ZERO);
        }
    }

    /// Where the row of a token starts.
    #[inline(always)]
    fn place(&self, token: u32, row: usize) -> usize {
        assert!(
            (token as usize) < self.vocabulary,
            "embedding: token {token} in row {row}, but the vocabulary has {} tokens",
            self.vocabulary
        );
        token as usize * self.features
    }

    fn check<T>(&self, table: &[T], tokens: &[u32], rows: &[T]) {
        let Self {
            vocabulary,
            features,
        } = *self;
        assert!(
            table.len() == vocabulary * features,
            "embedding: a table of {} numbers, not [{vocabulary}][{features}]",
            table.len()
        );
        assert!(
            rows.len() == tokens.len() * features,
            "embedding: {} numbers for {} tokens of {features} features",
            rows.len(),
            tokens.len()
        );
    }
}

struct Scatter<'a, T> {
    table: Table,
    dy: &'a [T],
    tokens: &'a [u32],
    part: Range<usize>,
    dpart: &'a mut [T],
}

impl<T: Float> Kernel<T> for Scatter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            table,
            dy,
            tokens,
            part,
            dpart,
        } = self;
        let features = table.features;
        for (row, &token) in tokens.iter().enumerate() {
            table.place(token, row);
            if !part.contains(&(token as usize)) {
                continue;
            }
            let sums = &mut dpart[(token as usize - part.start) * features..][..features];
            let terms = &dy[row * features..][..features];
            for (sum, term) in sums.chunks_mut(S::LANES).zip(terms.chunks(S::LANES)) {
                simd.store_partial(
                    simd.add(simd.load_partial(sum), simd.load_partial(term)),
                    sum,
                );
            }
        }
    }
}
