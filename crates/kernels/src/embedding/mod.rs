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

use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// `y[i] = table[tokens[i]]`, for a table `[vocabulary][features]` and `y` `[rows][features]`.
///
/// # Panics
/// If a slice does not consist of whole rows, or at a token beyond the table, naming token, row and vocabulary.
pub fn gather<T: Float>(tokens: &[u32], table: &[T], features: usize, y: &mut [T]) {
    let vocabulary = vocabulary(table.len(), features);
    check_rows(tokens, y.len(), features);
    for (row, &token) in tokens.iter().enumerate() {
        check_token(token, row, vocabulary);
        let source = &table[token as usize * features..][..features];
        y[row * features..][..features].copy_from_slice(source);
    }
}

/// `dtable[tokens[i]] += dy[i]` for every row i in ascending order; `dy` is `[rows][features]`, `dtable`
/// `[vocabulary][features]`.
///
/// # Panics
/// As [`gather`].
pub fn scatter_add<T: Float>(tokens: &[u32], dy: &[T], features: usize, dtable: &mut [T]) {
    let vocabulary = vocabulary(dtable.len(), features);
    for (row, &token) in tokens.iter().enumerate() {
        check_token(token, row, vocabulary);
    }
    scatter_add_part(tokens, dy, features, 0, dtable);
}

/// [`scatter_add`] for a part of the table alone, the rows from that of token `first` on; tokens outside of it are
/// passed over.
///
/// # Panics
/// If a slice does not consist of whole rows.
pub fn scatter_add_part<T: Float>(
    tokens: &[u32],
    dy: &[T],
    features: usize,
    first: usize,
    dpart: &mut [T],
) {
    scatter_add_part_on(
        Isa::active(),
        Scatter {
            tokens,
            dy,
            features,
            first,
            dpart,
        },
    );
}

/// Zeroes the rows of all tokens: those that [`scatter_add`] added to.
///
/// # Panics
/// As [`gather`].
pub fn clear<T: Float>(tokens: &[u32], features: usize, dtable: &mut [T]) {
    let vocabulary = vocabulary(dtable.len(), features);
    for (row, &token) in tokens.iter().enumerate() {
        check_token(token, row, vocabulary);
        dtable[token as usize * features..][..features].fill(T::ZERO);
    }
}

/// Rows of a table of `len` numbers.
fn vocabulary(len: usize, features: usize) -> usize {
    let is_whole = features > 0 && len.is_multiple_of(features);
    assert!(
        is_whole,
        "embedding: a table of {len} numbers is not whole rows of {features}"
    );
    len / features
}

#[inline(always)]
pub(crate) fn check_token(token: u32, row: usize, vocabulary: usize) {
    assert!(
        (token as usize) < vocabulary,
        "embedding: token {token} in row {row}, but the vocabulary has {vocabulary} tokens"
    );
}

fn check_rows(tokens: &[u32], len: usize, features: usize) {
    assert!(
        len == tokens.len() * features,
        "embedding: {len} numbers for {} tokens of {features} features",
        tokens.len()
    );
}

fn scatter_add_part_on<T: Float>(isa: Isa, scatter: Scatter<'_, T>) {
    check_rows(scatter.tokens, scatter.dy.len(), scatter.features);
    vocabulary(scatter.dpart.len(), scatter.features);
    T::dispatch_on(isa, scatter);
}

struct Scatter<'a, T> {
    tokens: &'a [u32],
    dy: &'a [T],
    features: usize,
    first: usize,
    dpart: &'a mut [T],
}

impl<T: Float> Kernel<T> for Scatter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            tokens,
            dy,
            features,
            first,
            dpart,
        } = self;
        let part = first..first + dpart.len() / features;
        for (row, &token) in tokens.iter().enumerate() {
            if !part.contains(&(token as usize)) {
                continue;
            }
            let sums = &mut dpart[(token as usize - first) * features..][..features];
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
