//! Embedding: rows of a table by token.
//!
//! ```text
//! y[i] = table[token[i]]        dtable[token[i]] += dy[i], i ascending
//! ```
//!
//! The passes over slices are those of [`plywood_kernels::embedding`].

pub use plywood_kernels::embedding::{clear, gather, scatter_add, scatter_add_part};

use crate::var::Var;
use plywood_kernels::Float;
use plywood_tensor::Tensor;

impl<T: Float> Var<'_, T> {
    /// The rows of this table at `tokens`.
    ///
    /// # Shapes
    /// `self` \[vocabulary\]\[features\]; yields \[tokens\]\[features\].
    ///
    /// # Panics
    /// If this is not a matrix with columns, or at a token beyond the vocabulary, naming both.
    #[must_use]
    #[track_caller]
    pub fn embedding(self, tokens: &[u32]) -> Self {
        let table = self.value();
        let &[_, features] = table.shape() else {
            panic!("embedding: a table of shape {:?}", table.shape());
        };
        let mut rows = Tensor::zeros([tokens.len(), features]);
        gather(tokens, table.data(), features, rows.data_mut());
        let tokens = tokens.to_vec();
        self.tape().record(&[self], rows, move |step| {
            if let Some(mut dtable) = step.zeros(0) {
                scatter_add(&tokens, step.output_gradient(), features, &mut dtable);
                step.add(0, dtable);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::sample;
    use crate::{Tape, gradcheck};

    #[test]
    fn gradients_agree_with_differences() {
        for features in [1, 3, 17] {
            let (one, five) = ([sample(1, [1, features])], [sample(2, [5, features])]);
            for tokens in [&[][..], &[0], &[0, 0, 0]] {
                gradcheck(&one, |_, v| v[0].embedding(tokens)).unwrap();
            }
            for tokens in [
                &[4][..],
                &[0, 1, 2, 3, 4],
                &[3, 3, 1, 3],
                &[4, 0, 0, 4, 2, 2, 0],
            ] {
                gradcheck(&five, |_, v| v[0].embedding(tokens)).unwrap();
            }
        }
    }

    #[test]
    #[should_panic(expected = "token 5 in row 1, but the vocabulary has 5 tokens")]
    fn a_token_beyond_the_vocabulary_is_named() {
        let tape = Tape::new();
        let _ = tape.leaf(sample(1, [5, 2])).embedding(&[4, 5]);
    }
}
