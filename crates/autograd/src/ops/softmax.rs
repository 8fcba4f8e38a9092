//! Softmax and its logarithm over rows.
//!
//! ```text
//! y = eˣ / Σ eˣ         dx = y·(dy − Σ y·dy)
//! y = x − ln Σ eˣ       dx = dy − eʸ·Σ dy
//! ```
//!
//! The row's maximum is subtracted first, so nothing overflows. A loss that takes logits (see
//! [`cross_entropy`](super::cross_entropy)) does better than a logarithm after a softmax.

use crate::var::Var;
use plywood_kernels::Float;
pub use plywood_kernels::softmax::{
    log_softmax_backward, log_softmax_forward, softmax_backward, softmax_forward,
};
use plywood_tensor::Tensor;

/// Writes y from x, given the length of a row.
type Forward<T> = fn(&[T], &mut [T], usize);
/// Writes dx from y and dy, given the length of a row.
type Backward<T> = fn(&[T], &[T], &mut [T], usize);

impl<'t, T: Float> Var<'t, T> {
    /// eˣ / Σ eˣ over the last axis.
    ///
    /// # Panics
    /// If there is no axis or the last one is empty.
    #[track_caller]
    #[must_use]
    pub fn softmax(self) -> Self {
        self.over_rows(softmax_forward, softmax_backward)
    }

    /// x − ln Σ eˣ over the last axis.
    ///
    /// # Panics
    /// If there is no axis or the last one is empty.
    #[track_caller]
    #[must_use]
    pub fn log_softmax(self) -> Self {
        self.over_rows(log_softmax_forward, log_softmax_backward)
    }

    #[track_caller]
    fn over_rows(self, forward: Forward<T>, backward: Backward<T>) -> Self {
        let x = self.value();
        let columns = super::row_len(&x, "softmax");
        let mut y = Tensor::zeros(x.shape());
        forward(x.data(), y.data_mut(), columns);
        self.tape().record(&[self], y, move |step| {
            let mut dx = vec![T::ZERO; step.input(0).len()];
            backward(
                step.output().data(),
                step.output_gradient(),
                &mut dx,
                columns,
            );
            step.add(0, dx);
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck;
    use crate::ops::{sample, seeded};

    #[test]
    fn gradients_agree_with_differences() {
        let shapes: [&[usize]; 10] = [
            &[1],
            &[2],
            &[7],
            &[0, 3],
            &[1, 4],
            &[3, 1],
            &[2, 10],
            &[4, 17],
            &[2, 3, 5],
            &[2, 0, 5],
        ];
        for (seed, shape) in seeded(3, shapes) {
            let x = [sample(seed, shape)];
            gradcheck(&x, |_, v| (v[0] * 3.0).softmax()).unwrap();
            gradcheck(&x, |_, v| (v[0] * 3.0).log_softmax()).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "softmax: shape [3, 0] has no rows of at least one element")]
    fn empty_rows_are_refused() {
        let _ = crate::Tape::new().leaf(sample(1, [3, 0])).softmax();
    }
}
