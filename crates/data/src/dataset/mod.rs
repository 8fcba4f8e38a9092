//! A data set in memory.

mod last_targets;
mod numbers;
mod reconstruction;
mod sides;
mod stored;
#[cfg(test)]
mod tests;

pub use numbers::{Indices, Moments, Numbers, Reals};
pub use sides::SideBySide;
pub use stored::Stored;

use crate::error::Column;
use crate::stream;
use crate::{DataError, Source};
use plywood_kernels::Float;
use plywood_shape::{Image, Sample};
use plywood_tensor::Examples;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use stored::range;

/// Inputs `I` and the targets `G` that belong to them, in memory as compactly as they came.
///
/// Cloning, splitting and taking share the memory.
///
/// ```
/// use plywood_data::{Dataset, Source};
/// use plywood_shape::{Class, Image};
///
/// let (pixels, labels) = (vec![0, 255, 51, 0, 7, 8, 9, 0], vec![0_u8, 9]);
/// let data = Dataset::<Image<2, 2, 1>, Class<10>>::new(pixels, labels)?;
/// assert_eq!(data.len(), 2);
/// let wrong = Dataset::<Image<2, 2, 1>, Class<9>>::new(vec![0_u8; 8], vec![0_u8, 9]);
/// assert_eq!(
///     wrong.unwrap_err().to_string(),
///     "targets: number 0 of sample 1 is 9, expected an index below 9",
/// );
/// # Ok::<(), plywood_data::DataError>(())
/// ```
///
/// Several inputs or targets stand in a tuple:
///
/// ```
/// use plywood_data::Dataset;
/// use plywood_shape::{Class, Image, Real};
///
/// let (pixels, labels, weights) = (vec![0_u8; 8], vec![0_u8, 9], vec![3.5_f32, 8.0]);
/// let data = Dataset::<Image<2, 2, 1>, (Class<10>, Real<1>)>::new(pixels, (labels, weights))?;
/// # let _ = data;
/// # Ok::<(), plywood_data::DataError>(())
/// ```
pub struct Dataset<I: Stored, G: Stored> {
    columns: Arc<Columns<I, G>>,
    /// The numbers of the samples that it has, in its order; all of them if `None`.
    selection: Option<Arc<[u32]>>,
}

struct Columns<I: Stored, G: Stored> {
    /// Shared with data sets that differ in their targets alone.
    inputs: Arc<I::Numbers>,
    targets: G::Numbers,
    samples: usize,
    steps: usize,
    /// Valid steps of each sample; empty where all have all.
    lengths: Vec<u32>,
    /// How much each sample counts; empty where all count alike.
    weights: Vec<f32>,
}

impl<I: Stored, G: Stored> Dataset<I, G> {
    /// A data set of samples that are no sequences, one after the other.
    ///
    /// Real numbers come as `Vec<f32>`, or as bytes that become numbers from 0 to 1; tokens and classes as `Vec<u32>`
    /// or bytes. Several kinds side by side come as a tuple, each as it would come alone.
    ///
    /// # Errors
    /// If the numbers do not make whole samples, if inputs and targets are not equally many, or if an index is not
    /// below the vocabulary or the number of classes.
    ///
    /// # Panics
    /// If `I` or `G` is a sequence: see [`Dataset::sequences`].
    #[track_caller]
    pub fn new(
        inputs: impl Into<I::Numbers>,
        targets: impl Into<G::Numbers>,
    ) -> Result<Self, DataError> {
        assert!(
            !I::SHAPE.sequence && !G::SHAPE.sequence,
            "Dataset::new: sequences need a number of steps, see Dataset::sequences"
        );
        Self::checked(1, inputs.into(), targets.into())
    }

    /// A data set of sequences of `steps` steps each, padding included; see also [`Dataset::with_lengths`].
    ///
    /// Targets are sequences too, or one target a sequence; [`Dataset::last_targets`] makes the latter of the former.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    ///
    /// # Panics
    /// If `I` is no sequence: see [`Dataset::new`].
    #[track_caller]
    pub fn sequences(
        steps: usize,
        inputs: impl Into<I::Numbers>,
        targets: impl Into<G::Numbers>,
    ) -> Result<Self, DataError> {
        assert!(
            I::SHAPE.sequence,
            "Dataset::sequences: {} is no sequence, see Dataset::new",
            I::SHAPE
        );
        Self::checked(steps, inputs.into(), targets.into())
    }

    fn checked(steps: usize, inputs: I::Numbers, targets: G::Numbers) -> Result<Self, DataError> {
        let samples = I::samples(&inputs, steps_of::<I>(steps), "inputs".into())?;
        let found = G::samples(&targets, steps_of::<G>(steps), "targets".into())?;
        expect_samples("targets", samples, found)?;
        if u32::try_from(samples).is_err() {
            return Err(DataError::SourceLen { found: samples });
        }
        let columns = Columns {
            inputs: Arc::new(inputs),
            targets,
            samples,
            steps,
            lengths: Vec::new(),
            weights: Vec::new(),
        };
        Ok(Self {
            columns: Arc::new(columns),
            selection: None,
        })
    }

    /// The same with the number of valid steps of each sample; the steps after are padding.
    ///
    /// # Errors
    /// If there is not one length a sample, or one exceeds the number of steps.
    ///
    /// # Panics
    /// If samples are no sequences, or the data set shares its memory with another one.
    #[track_caller]
    pub fn with_lengths(mut self, lengths: Vec<u32>) -> Result<Self, DataError> {
        assert!(
            I::SHAPE.sequence,
            "with_lengths: {} is no sequence",
            I::SHAPE
        );
        let columns = self.columns_mut("with_lengths");
        expect_samples("lengths", columns.samples, lengths.len())?;
        let steps = columns.steps;
        if let Some(sample) = lengths.iter().position(|&length| length as usize > steps) {
            return Err(DataError::Length {
                sample,
                length: lengths[sample],
                steps,
            });
        }
        columns.lengths = lengths;
        Ok(self)
    }

    /// The same with a weight for each sample.
    ///
    /// # Errors
    /// If there is not one weight a sample, or one is negative or not finite.
    ///
    /// # Panics
    /// If the data set shares its memory with another one.
    #[track_caller]
    pub fn with_weights(mut self, weights: Vec<f32>) -> Result<Self, DataError> {
        let columns = self.columns_mut("with_weights");
        expect_samples("weights", columns.samples, weights.len())?;
        let fits = |weight: &f32| weight.is_finite() && *weight >= 0.0;
        if let Some(sample) = weights.iter().position(|weight| !fits(weight)) {
            let weight = weights[sample];
            return Err(DataError::Weight { sample, weight });
        }
        columns.weights = weights;
        Ok(self)
    }

    /// The same samples with other targets, one for each of all that the columns hold; inputs share their memory.
    fn with_targets<H: Stored>(&self, targets: H::Numbers) -> Dataset<I, H> {
        let columns = &*self.columns;
        Dataset {
            columns: Arc::new(Columns {
                inputs: Arc::clone(&columns.inputs),
                targets,
                samples: columns.samples,
                steps: columns.steps,
                lengths: columns.lengths.clone(),
                weights: columns.weights.clone(),
            }),
            selection: self.selection.clone(),
        }
    }

    #[track_caller]
    fn columns_mut(&mut self, what: &str) -> &mut Columns<I, G> {
        assert!(self.selection.is_none(), "{what}: on a whole data set only");
        Arc::get_mut(&mut self.columns)
            .unwrap_or_else(|| panic!("{what}: the data set shares its memory with another one"))
    }

    /// The samples with these numbers, in this order.
    ///
    /// # Panics
    /// If a number is not below [`Source::len`].
    #[must_use]
    #[track_caller]
    pub fn select(&self, indices: &[u32]) -> Self {
        let len = self.len();
        for &index in indices {
            assert!((index as usize) < len, "select: sample {index} of {len}");
        }
        let selection = indices.iter().map(|&index| self.row(index) as u32);
        Self {
            columns: Arc::clone(&self.columns),
            selection: Some(selection.collect()),
        }
    }

    /// The first `n` samples, or all if there are fewer.
    #[must_use]
    pub fn take(&self, n: usize) -> Self {
        let n = n.min(self.len()) as u32;
        self.select(&(0..n).collect::<Vec<_>>())
    }

    /// Splits off `fraction` of the samples at random, as for validation: the rest first, the split-off part second.
    ///
    /// The choice follows from `seed` alone; both parts keep the order of the whole.
    ///
    /// # Panics
    /// If `fraction` is not between 0 and 1.
    #[must_use]
    #[track_caller]
    pub fn split(&self, fraction: f64, seed: u64) -> (Self, Self) {
        assert!(
            (0.0..=1.0).contains(&fraction),
            "split: the fraction is {fraction}, expected one between 0 and 1"
        );
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        stream::of(seed, stream::SPLIT, 0)
            .sequence()
            .shuffle(&mut order);
        let part = (self.len() as f64 * fraction).round() as usize;
        let (off, rest) = order.split_at_mut(part);
        off.sort_unstable();
        rest.sort_unstable();
        (self.select(rest), self.select(off))
    }

    /// The place in the columns of sample `index`.
    fn row(&self, index: u32) -> usize {
        match &self.selection {
            Some(selection) => selection[index as usize] as usize,
            None => index as usize,
        }
    }
}

impl<const H: usize, const W: usize, const C: usize, G: Stored> Dataset<Image<H, W, C>, G> {
    /// Mean and standard deviation of each channel over all images.
    #[must_use]
    pub fn moments(&self) -> Vec<Moments> {
        let images = (0..self.len() as u32).map(|index| {
            let row = self.row(index);
            range::<Image<H, W, C>>(row..row + 1)
        });
        self.columns.inputs.moments(C, images)
    }

    /// The same images with each channel's mean subtracted and divided by its deviation.
    ///
    /// The moments of the training images serve for the test images as well. This copies the images.
    ///
    /// # Panics
    /// If there is not one pair of moments a channel.
    #[must_use]
    #[track_caller]
    pub fn normalise(&self, moments: &[Moments]) -> Self
    where
        G::Numbers: Clone,
    {
        assert!(
            moments.len() == C,
            "normalise: moments of {} channels, expected {C}",
            moments.len()
        );
        let columns = &self.columns;
        let mut inputs = (*columns.inputs).clone();
        inputs.normalise(moments);
        Self {
            columns: Arc::new(Columns {
                inputs: Arc::new(inputs),
                targets: columns.targets.clone(),
                lengths: columns.lengths.clone(),
                weights: columns.weights.clone(),
                ..**columns
            }),
            selection: self.selection.clone(),
        }
    }
}

impl<I: Stored, G: Stored> Source for Dataset<I, G> {
    type Input = I;
    type Target = G;

    fn len(&self) -> usize {
        self.selection
            .as_ref()
            .map_or(self.columns.samples, |selection| selection.len())
    }

    fn steps(&self) -> usize {
        self.columns.steps
    }

    fn fill<T: Float>(&self, indices: &[u32], into: &mut Examples<I, G, T>) {
        let columns = &*self.columns;
        into.resize(indices.len(), columns.steps);
        for (n, &index) in indices.iter().enumerate() {
            let row = self.row(index);
            let rows = rows_of::<I>(row, columns.steps);
            I::copy::<T>(&columns.inputs, rows, into.inputs.sample_mut(n));
            let rows = rows_of::<G>(row, columns.steps);
            G::copy::<T>(&columns.targets, rows, into.targets.sample_mut(n));
            if let Some(&weight) = columns.weights.get(row) {
                into.weights.push(T::from_f64(f64::from(weight)));
            }
        }
        if !columns.lengths.is_empty() {
            self.fill_lengths(indices, into);
        }
    }
}

thread_local! {
    /// The lengths of a batch on their way into it; kept, so that filling allocates nothing.
    static LENGTHS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

impl<I: Stored, G: Stored> Dataset<I, G> {
    fn fill_lengths<T: Float>(&self, indices: &[u32], into: &mut Examples<I, G, T>) {
        LENGTHS.with_borrow_mut(|lengths| {
            lengths.clear();
            let all = &self.columns.lengths;
            lengths.extend(indices.iter().map(|&index| all[self.row(index)]));
            let fits = "the lengths were checked when the data set was made";
            into.inputs.set_lengths(lengths).expect(fits);
            if G::SHAPE.sequence {
                into.targets.set_lengths(lengths).expect(fits);
            }
        });
    }
}

impl<I: Stored, G: Stored> Clone for Dataset<I, G> {
    fn clone(&self) -> Self {
        Self {
            columns: Arc::clone(&self.columns),
            selection: self.selection.clone(),
        }
    }
}

impl<I: Stored, G: Stored> fmt::Debug for Dataset<I, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("input", &I::SHAPE)
            .field("target", &G::SHAPE)
            .field("samples", &self.len())
            .field("steps", &self.columns.steps)
            .finish_non_exhaustive()
    }
}

/// The rows of a column that are the sample at `place`.
fn rows_of<S: Sample>(place: usize, steps: usize) -> Range<usize> {
    let steps = steps_of::<S>(steps);
    place * steps..(place + 1) * steps
}

/// How many rows a sample has.
fn steps_of<S: Sample>(steps: usize) -> usize {
    if S::SHAPE.sequence { steps } else { 1 }
}

fn expect_samples(what: impl Into<Column>, expected: usize, found: usize) -> Result<(), DataError> {
    if expected == found {
        Ok(())
    } else {
        Err(DataError::Samples {
            what: what.into(),
            expected,
            found,
        })
    }
}
