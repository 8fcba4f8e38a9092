//! A batch: samples of one kind, one after the other, as networks take and yield them.

use crate::error::BatchError;
use plywood_kernels::Float;
use plywood_shape::{Item, Sample, Size};
use std::fmt;

/// Samples of kind `S`, sample-major: sample n, step t, number i is `data[(n·steps + t)·S::ROW + i]`.
///
/// A batch keeps its memory when it is resized, so one that is refilled over and over allocates only while it grows.
pub struct Batch<S: Sample, T: Float = f32> {
    samples: usize,
    steps: usize,
    lengths: Vec<u32>,
    data: Vec<S::Element<T>>,
}

impl<S: Sample, T: Float> Batch<S, T> {
    /// `samples` samples of zeros.
    ///
    /// # Panics
    /// If `S` is a sequence: see [`Batch::sequences`].
    #[track_caller]
    pub fn new(samples: usize) -> Self {
        assert!(
            !S::SHAPE.sequence,
            "Batch::new: {} needs a number of steps, see Batch::sequences",
            S::SHAPE
        );
        Self::zeroed(samples, 1)
    }

    /// `samples` sequences of `steps` steps of zeros, all valid.
    ///
    /// # Panics
    /// If `S` is not a sequence: see [`Batch::new`].
    #[track_caller]
    pub fn sequences(samples: usize, steps: usize) -> Self {
        assert!(
            S::SHAPE.sequence,
            "Batch::sequences: {} is no sequence, see Batch::new",
            S::SHAPE
        );
        Self::zeroed(samples, steps)
    }

    fn zeroed(samples: usize, steps: usize) -> Self {
        let mut batch = Self::default();
        batch.resize(samples, steps);
        batch
    }

    /// A batch of `data`, sample-major; `steps` is 1 where samples are no sequences. Tokens and classes are checked.
    ///
    /// # Errors
    /// If the number of elements does not fit, or an index is not below the vocabulary's size or number of classes.
    pub fn from_vec(
        samples: usize,
        steps: usize,
        data: Vec<S::Element<T>>,
    ) -> Result<Self, BatchError> {
        let length_fault = BatchError::Length {
            samples,
            steps,
            row: S::ROW,
            found: data.len(),
        };
        let expected = samples
            .checked_mul(steps)
            .and_then(|rows| rows.checked_mul(S::ROW));
        if expected != Some(data.len()) || (!S::SHAPE.sequence && steps != 1) {
            return Err(length_fault);
        }
        let batch = Self {
            samples,
            steps,
            lengths: Vec::new(),
            data,
        };
        batch.check()?;
        Ok(batch)
    }

    /// Whether every token or class is below the vocabulary's size or number of classes, padded steps included.
    ///
    /// # Errors
    /// The first index that is not.
    pub fn check(&self) -> Result<(), BatchError> {
        let Some(below) = bound::<S>() else {
            return Ok(());
        };
        let values = (&self.data as &dyn std::any::Any).downcast_ref::<Vec<u32>>();
        let values = values.expect("tokens and classes are stored as u32");
        match values.iter().position(|&index| index as usize >= below) {
            None => Ok(()),
            Some(row) => Err(BatchError::Index {
                sample: row / self.steps,
                step: row % self.steps,
                found: values[row],
                below,
            }),
        }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Number of steps; 1 where samples are no sequences.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Number of rows: samples × steps.
    pub fn rows(&self) -> usize {
        self.samples * self.steps
    }

    /// Valid steps of every sample; empty where all steps of all samples are valid.
    pub fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// Says how many steps of every sample are valid; an empty slice makes all valid.
    ///
    /// # Errors
    /// If samples are no sequences, if there is not one length a sample, or if one exceeds the number of steps.
    pub fn set_lengths(&mut self, lengths: &[u32]) -> Result<(), BatchError> {
        if lengths.is_empty() {
            self.lengths.clear();
            return Ok(());
        }
        if !S::SHAPE.sequence {
            return Err(BatchError::NotASequence);
        }
        if lengths.len() != self.samples {
            return Err(BatchError::LengthCount {
                samples: self.samples,
                found: lengths.len(),
            });
        }
        let steps = self.steps;
        if let Some(sample) = lengths.iter().position(|&length| length as usize > steps) {
            return Err(BatchError::TooLong {
                sample,
                found: lengths[sample],
                steps,
            });
        }
        self.lengths.clear();
        self.lengths.extend_from_slice(lengths);
        Ok(())
    }

    /// Valid steps of sample `n`.
    pub fn length(&self, n: usize) -> usize {
        self.lengths
            .get(n)
            .map_or(self.steps, |&length| length as usize)
    }

    /// All numbers, sample-major.
    pub fn data(&self) -> &[S::Element<T>] {
        &self.data
    }

    /// All numbers, to change; [`check`](Batch::check) tells whether the indices are in range.
    pub fn data_mut(&mut self) -> &mut [S::Element<T>] {
        &mut self.data
    }

    /// The numbers of sample `n`, steps × [`ROW`](Sample::ROW).
    ///
    /// # Panics
    /// If there is no such sample.
    #[track_caller]
    pub fn sample(&self, n: usize) -> &[S::Element<T>] {
        &self.data[self.range(n)]
    }

    /// The numbers of sample `n`, to change.
    ///
    /// # Panics
    /// If there is no such sample.
    #[track_caller]
    pub fn sample_mut(&mut self, n: usize) -> &mut [S::Element<T>] {
        let range = self.range(n);
        &mut self.data[range]
    }

    #[track_caller]
    fn range(&self, n: usize) -> std::ops::Range<usize> {
        assert!(
            n < self.samples,
            "batch: sample {n} of {} samples",
            self.samples
        );
        let len = self.steps * S::ROW;
        n * len..(n + 1) * len
    }

    /// Makes room for `samples` × `steps`; all numbers become 0 and all steps valid. The memory is kept.
    ///
    /// # Panics
    /// If samples are no sequences and `steps` is not 1.
    #[track_caller]
    pub fn resize(&mut self, samples: usize, steps: usize) {
        assert!(
            S::SHAPE.sequence || steps == 1,
            "batch: {} is no sequence, got {steps} steps",
            S::SHAPE
        );
        self.samples = samples;
        self.steps = steps;
        self.lengths.clear();
        self.data.clear();
        self.data
            .resize(samples * steps * S::ROW, S::Element::<T>::default());
    }
}

/// What the indices of a kind must be below; `None` where its numbers are no indices.
fn bound<S: Sample>() -> Option<usize> {
    match S::SHAPE.item {
        Item::Token(Size::Known(n)) | Item::Class(Size::Known(n)) => Some(n),
        _ => None,
    }
}

impl<S: Sample, T: Float> Default for Batch<S, T> {
    fn default() -> Self {
        Self {
            samples: 0,
            steps: if S::SHAPE.sequence { 0 } else { 1 },
            lengths: Vec::new(),
            data: Vec::new(),
        }
    }
}

impl<S: Sample, T: Float> Clone for Batch<S, T> {
    fn clone(&self) -> Self {
        Self {
            lengths: self.lengths.clone(),
            data: self.data.clone(),
            ..*self
        }
    }
}

impl<S: Sample, T: Float> PartialEq for Batch<S, T> {
    fn eq(&self, other: &Self) -> bool {
        (self.samples, self.steps) == (other.samples, other.steps)
            && self.lengths == other.lengths
            && self.data == other.data
    }
}

impl<S: Sample, T: Float> fmt::Debug for Batch<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("kind", &S::SHAPE)
            .field("samples", &self.samples)
            .field("steps", &self.steps)
            .field("lengths", &self.lengths)
            .field("data", &self.data)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Batch;
    use crate::error::BatchError;
    use plywood_shape::{Class, Sequence, Token, Vector};

    #[test]
    fn samples_lie_one_after_the_other() {
        let data = (0..12).map(|i| i as f32).collect();
        let batch = Batch::<Sequence<Vector<2>>>::from_vec(2, 3, data).unwrap();
        assert_eq!((batch.samples(), batch.steps(), batch.rows()), (2, 3, 6));
        assert_eq!(batch.sample(1), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
    }

    #[test]
    fn indices_out_of_range_are_named() {
        let fault = Batch::<Sequence<Token<5>>>::from_vec(2, 2, vec![0, 4, 1, 5]).unwrap_err();
        let expected = BatchError::Index {
            sample: 1,
            step: 1,
            found: 5,
            below: 5,
        };
        assert_eq!(fault, expected);
        assert!(Batch::<Class<5>>::from_vec(2, 1, vec![0, 4]).is_ok());
        assert!(Batch::<Class<4>, f64>::from_vec(2, 1, vec![0, 4]).is_err());
    }

    #[test]
    fn sizes_must_fit() {
        let fault = Batch::<Vector<3>>::from_vec(2, 1, vec![0.0; 5]).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "batch: got 5 numbers, expected 2 samples × 1 steps × 3"
        );
        assert!(Batch::<Vector<3>>::from_vec(1, 2, vec![0.0; 6]).is_err());
    }

    #[test]
    fn lengths_are_checked() {
        let mut batch = Batch::<Sequence<Token<5>>>::sequences(2, 3);
        assert_eq!(batch.length(1), 3);
        batch.set_lengths(&[0, 2]).unwrap();
        assert_eq!((batch.length(0), batch.length(1)), (0, 2));
        assert!(batch.set_lengths(&[1]).is_err());
        assert!(batch.set_lengths(&[1, 4]).is_err());
        assert_eq!(batch.lengths(), [0, 2]);
        let mut plain = Batch::<Vector<1>>::new(1);
        assert_eq!(plain.set_lengths(&[1]), Err(BatchError::NotASequence));
    }

    #[test]
    fn resizing_within_capacity_keeps_the_memory_and_clears_it() {
        let mut batch = Batch::<Vector<4>>::new(8);
        batch.data_mut().fill(1.0);
        let before = batch.data().as_ptr();
        batch.resize(3, 1);
        assert_eq!(batch.data(), [0.0; 12]);
        batch.resize(8, 1);
        assert_eq!(batch.data().as_ptr(), before);
    }
}
