//! Elements picked by index: y takes from x, and dx collects from dy in ascending order.

use crate::var::Var;
use plywood_kernels::Float;
use plywood_tensor::Tensor;

impl<'t, T: Float> Var<'t, T> {
    /// The entries of `axis` at `indices`, in that order; an index may occur several times.
    ///
    /// # Panics
    /// If there is no such axis or an index is past its end.
    #[track_caller]
    #[must_use]
    pub fn index_select(self, axis: usize, indices: &[usize]) -> Self {
        let x = self.value();
        assert!(
            axis < x.rank() && indices.iter().all(|&i| i < x.shape()[axis]),
            "index_select: indices {indices:?} on axis {axis} of shape {:?}",
            x.shape()
        );
        let inner: usize = x.shape()[axis + 1..].iter().product();
        let len = x.shape()[axis];
        let outer: usize = x.shape()[..axis].iter().product();
        let mut shape = x.shape().to_vec();
        shape[axis] = indices.len();
        let mut y = Vec::with_capacity(outer * indices.len() * inner);
        for o in 0..outer {
            for i in indices {
                y.extend_from_slice(&x.data()[(o * len + i) * inner..][..inner]);
            }
        }
        let indices = indices.to_vec();
        self.tape()
            .record(&[self], Tensor::from_vec(shape, y), move |step| {
                let Some(mut dx) = step.zeros(0) else { return };
                let mut rows = step.output_gradient().chunks_exact(inner.max(1));
                for o in 0..outer {
                    for i in &indices {
                        let place = &mut dx[(o * len + i) * inner..][..inner];
                        for (sum, &dy) in place.iter_mut().zip(rows.next().unwrap_or_default()) {
                            *sum += dy;
                        }
                    }
                }
                step.add(0, dx);
            })
    }

    /// One element of every row of the last axis: `indices[row]` of row `row`; the axis disappears.
    ///
    /// ```
    /// use plywood_autograd::Tape;
    /// use plywood_tensor::Tensor;
    ///
    /// // The log-probabilities of the actions taken, as a policy gradient needs them.
    /// let tape = Tape::new();
    /// let logits = tape.leaf(Tensor::from_vec([2, 3], vec![0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]));
    /// let taken = logits.pick(&[2, 0]);
    /// assert_eq!(taken.value().to_vec(), [2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If there is not one index for every row, or one is past the end of the row.
    #[track_caller]
    #[must_use]
    pub fn pick(self, indices: &[usize]) -> Self {
        let x = self.value();
        let columns = super::row_len(&x, "pick");
        assert!(
            indices.len() == x.len() / columns && indices.iter().all(|&i| i < columns),
            "pick: indices {indices:?} for the rows of shape {:?}",
            x.shape()
        );
        let rows = x.data().chunks_exact(columns);
        let y = rows.zip(indices).map(|(row, &i)| row[i]).collect();
        let y = Tensor::from_vec(&x.shape()[..x.rank() - 1], y);
        let indices = indices.to_vec();
        self.tape().record(&[self], y, move |step| {
            let Some(mut dx) = step.zeros(0) else { return };
            let picked = dx.chunks_exact_mut(columns).zip(&indices);
            for ((row, &i), &dy) in picked.zip(step.output_gradient()) {
                row[i] = dy;
            }
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
        let cases: [(&[usize], usize, &[usize]); 12] = [
            (&[3], 0, &[0]),
            (&[3], 0, &[2, 2, 0]),
            (&[3], 0, &[]),
            (&[1], 0, &[0, 0]),
            (&[2, 3], 0, &[1, 0, 1]),
            (&[2, 3], 1, &[2]),
            (&[2, 3], 1, &[0, 1, 2]),
            (&[2, 3, 4], 0, &[1]),
            (&[2, 3, 4], 1, &[2, 2]),
            (&[2, 3, 4], 2, &[3, 0, 3]),
            (&[0, 2], 1, &[1]),
            (&[2, 0], 0, &[1, 0]),
        ];
        for (seed, (shape, axis, indices)) in seeded(2, cases) {
            gradcheck(&[sample(seed, shape)], |_, v| {
                v[0].index_select(axis, indices).square()
            })
            .unwrap();
        }
        let cases: [(&[usize], &[usize]); 8] = [
            (&[1], &[0]),
            (&[4], &[3]),
            (&[2, 3], &[0, 2]),
            (&[3, 1], &[0, 0, 0]),
            (&[2, 2, 2], &[1, 0, 0, 1]),
            (&[0, 3], &[]),
            (&[1, 5], &[4]),
            (&[3, 2], &[1, 1, 1]),
        ];
        for (seed, (shape, indices)) in seeded(3, cases) {
            gradcheck(&[sample(seed, shape)], |_, v| v[0].pick(indices).square()).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "pick: indices [0, 3] for the rows of shape [2, 3]")]
    fn an_index_past_the_end_is_named() {
        let tape = crate::Tape::new();
        let _ = tape.leaf(sample(1, [2, 3])).pick(&[0, 3]);
    }
}
