//! One target a sequence out of one a step: what teaches a network that reads a whole text before it answers.

use super::{Columns, Dataset, Stored};
use crate::{DataError, Source};
use plywood_shape::{Sequence, SequenceItem};

impl<I: Stored, G: Stored + SequenceItem> Dataset<I, Sequence<G>> {
    /// The same samples, each with one target: that of its last valid step.
    ///
    /// Inputs share their memory with this data set; lengths, weights and order stay.
    ///
    /// # Errors
    /// If a sample has no valid step.
    ///
    /// ```
    /// use plywood_data::{Dataset, Source};
    /// use plywood_shape::{Class, Sequence, Token};
    /// use plywood_tensor::Examples;
    ///
    /// let tokens = vec![5_u8, 6, 7, 8, 9, 0];
    /// let labels = vec![0_u8, 1, 2, 2, 1, 0];
    /// let every = Dataset::<Sequence<Token<10>>, Sequence<Class<3>>>::sequences(3, tokens, labels)?;
    /// let last: Dataset<_, Class<3>> = every.with_lengths(vec![3, 2])?.last_targets()?;
    ///
    /// let mut examples = Examples::<_, _, f32>::default();
    /// last.fill(&[0, 1], &mut examples);
    /// assert_eq!(examples.inputs.lengths(), [3, 2]);
    /// assert_eq!(examples.targets.data(), [2, 1]);
    /// # Ok::<(), plywood_data::DataError>(())
    /// ```
    pub fn last_targets(&self) -> Result<Dataset<I, G>, DataError> {
        let columns = &*self.columns;
        let empty = |&sample: &usize| columns.length(self.row(sample as u32)) == 0;
        if let Some(sample) = (0..self.len()).find(empty) {
            return Err(DataError::NoLastStep { sample });
        }
        let last = |row| {
            // A sequence without steps is not among the selected ones: nobody draws what stands in its place.
            let step = columns.length(row).saturating_sub(1);
            let at = row * columns.steps + step;
            at..at + 1
        };
        let targets = G::gather(&columns.targets, (0..columns.samples).map(last));
        Ok(self.with_targets(targets))
    }
}

impl<I: Stored, G: Stored> Columns<I, G> {
    /// Valid steps of the sample at `row`.
    fn length(&self, row: usize) -> usize {
        let length = self.lengths.get(row);
        length.map_or(self.steps, |&length| length as usize)
    }
}
