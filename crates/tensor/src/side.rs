//! One of several kinds that lie side by side in a batch.

use crate::batch::Batch;
use plywood_kernels::Float;
use plywood_shape::{PartAt, Sample};

impl<S: Sample, T: Float> Batch<S, T> {
    /// The numbers of kind `I` alone, as a batch of their own; lengths of sequences stay.
    ///
    /// Kinds that are stored as indices stand among others as numbers and have no batch of that type.
    ///
    /// # Shapes
    /// Of `Batch<(A, B), T>`, rows of `A::ROW + B::ROW` numbers, `side::<0>()` is a `Batch<A, T>` of the first `A::ROW`
    /// numbers of every row and `side::<1>()` a `Batch<B, T>` of those behind them; of `Batch<Sequence<(A, B)>, T>` they
    /// are a `Batch<Sequence<A>, T>` and a `Batch<Sequence<B>, T>`.
    ///
    /// ```
    /// use plywood_shape::{Logits, Real};
    /// use plywood_tensor::Batch;
    ///
    /// let data = vec![0.1, 0.9, 5.0, 0.8, 0.2, 7.0];
    /// let outputs = Batch::<(Logits<2>, Real<1>)>::from_vec(2, 1, data)?;
    /// let (scores, sizes) = (outputs.side::<0>(), outputs.side::<1>());
    /// assert_eq!(scores.sample(1), [0.8, 0.2]);
    /// assert_eq!(sizes.data(), [5.0, 7.0]);
    /// # Ok::<(), plywood_tensor::BatchError>(())
    /// ```
    #[must_use]
    pub fn side<const I: usize>(&self) -> Batch<S::Part, T>
    where
        S: PartAt<I>,
        S::Part: Sample<Element<T> = T>,
    {
        let (numbers, row) = (S::numbers(self.data()), <S::Part as Sample>::ROW);
        let mut side = Batch::default();
        side.resize(self.samples(), self.steps());
        side.set_lengths(self.lengths())
            .expect("they are the lengths of as many sequences of as many steps");
        for n in 0..self.rows() {
            let own = &numbers[n * S::ROW + S::START..][..row];
            side.data_mut()[n * row..][..row].copy_from_slice(own);
        }
        side
    }
}

#[cfg(test)]
mod tests {
    use crate::Batch;
    use plywood_shape::{Class, Image, Logits, Real, Sequence, Vector};

    #[test]
    fn sides_have_the_numbers_of_their_kind() {
        type Three = (Vector<1>, Image<1, 2, 1>, Logits<3>);
        let data = (0..12).map(f64::from).collect();
        let batch = Batch::<Three, f64>::from_vec(2, 1, data).unwrap();
        let first: Batch<Vector<1>, f64> = batch.side::<0>();
        let second: Batch<Image<1, 2, 1>, f64> = batch.side::<1>();
        let third: Batch<Logits<3>, f64> = batch.side::<2>();
        assert_eq!(first.data(), [0.0, 6.0]);
        assert_eq!(second.data(), [1.0, 2.0, 7.0, 8.0]);
        assert_eq!(third.sample(1), [9.0, 10.0, 11.0]);
        assert_eq!((third.samples(), third.steps()), (2, 1));
    }

    #[test]
    fn sides_of_sequences_keep_steps_and_lengths() {
        let data = (0..18).map(|i| i as f32).collect();
        let mut batch = Batch::<Sequence<(Class<9>, Real<2>)>>::from_vec(2, 3, data).unwrap();
        batch.set_lengths(&[3, 1]).unwrap();
        let reals: Batch<Sequence<Real<2>>> = batch.side::<1>();
        assert_eq!((reals.samples(), reals.steps()), (2, 3));
        assert_eq!(reals.sample(1), [10.0, 11.0, 13.0, 14.0, 16.0, 17.0]);
        assert_eq!(reals.lengths(), [3, 1]);
    }

    #[test]
    fn no_samples_have_no_sides() {
        let empty = Batch::<Sequence<(Logits<2>, Real<2>)>>::default();
        assert_eq!(empty.side::<1>(), Batch::<Sequence<Real<2>>>::default());
    }
}
