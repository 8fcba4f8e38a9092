//! The matrix product of values, in batches with broadcasting.
//!
//! ```text
//! C = A·B      dA = dC·Bᵀ      dB = Aᵀ·dC      (summed over the leading axes that broadcasting stretched)
//! ```

use super::arithmetic::sum_to;
use crate::var::Var;
use plywood_kernels::Float;

impl<'t, T: Float> Var<'t, T> {
    /// The products of the matrices in the last two axes; the axes before them are broadcast.
    ///
    /// # Shapes
    /// \[…\]\[m\]\[k\] · \[…\]\[k\]\[n\] → \[…\]\[m\]\[n\].
    ///
    /// # Panics
    /// If the shapes do not fit or the values belong to different tapes.
    #[track_caller]
    #[must_use]
    pub fn matmul(self, other: Self) -> Self {
        let product = self.value().matmul(&*other.value());
        self.tape().record(&[self, other], product, |step| {
            let dy = step.output_gradient;
            let (a, b) = (step.input(0), step.input(1));
            if step.needs(0) {
                step.add(0, sum_to(&dy.matmul(&b.transpose()), a.shape()));
            }
            if step.needs(1) {
                step.add(1, sum_to(&a.transpose().matmul(dy), b.shape()));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck;
    use crate::ops::sample;

    #[test]
    fn gradients_agree_with_differences() {
        let matrices = [
            ([1, 1], [1, 1]),
            ([2, 3], [3, 4]),
            ([0, 3], [3, 2]),
            ([3, 0], [0, 2]),
            ([2, 3], [3, 0]),
            ([1, 7], [7, 9]),
            ([9, 7], [7, 1]),
        ];
        let leading: [(&[usize], &[usize]); 4] =
            [(&[], &[]), (&[2], &[]), (&[2, 1], &[3]), (&[0], &[1])];
        for (a, b) in matrices {
            for (a_leading, b_leading) in leading {
                let a = sample(1, [a_leading, &a].concat());
                let b = sample(2, [b_leading, &b].concat());
                gradcheck(&[a, b], |_, v| v[0].matmul(v[1])).unwrap();
            }
        }
    }

    #[test]
    fn a_value_times_itself_collects_both_gradients() {
        gradcheck(&[sample(1, [3, 3])], |_, v| v[0].matmul(v[0])).unwrap();
    }
}
