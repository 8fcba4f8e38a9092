//! Inputs as their own targets: what teaches an autoencoder.

use super::{Dataset, Stored, steps_of};

impl<I: Stored, G: Stored> Dataset<I, G> {
    /// The same samples, each its own target.
    ///
    /// Inputs share their memory with this data set, targets are a copy of them; lengths, weights and order stay.
    ///
    /// ```
    /// use plywood_data::{Dataset, Source};
    /// use plywood_shape::{Class, Vector};
    /// use plywood_tensor::Examples;
    ///
    /// let labelled = Dataset::<Vector<2>, Class<3>>::new(vec![0.1_f32, 0.2, 0.3, 0.4], vec![0_u8, 2])?;
    /// let mut examples = Examples::<_, _, f32>::default();
    /// labelled.reconstruction().fill(&[1], &mut examples);
    /// assert_eq!(examples.targets.data(), [0.3, 0.4]);
    /// # Ok::<(), plywood_data::DataError>(())
    /// ```
    #[must_use]
    pub fn reconstruction(&self) -> Dataset<I, I> {
        let columns = &*self.columns;
        let rows = columns.samples * steps_of::<I>(columns.steps);
        self.with_targets(I::gather(&columns.inputs, std::iter::once(0..rows)))
    }
}
