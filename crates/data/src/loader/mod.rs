//! Batches of a source, epoch after epoch, in an order that follows from (seed, epoch) alone.

mod prefetch;
#[cfg(test)]
mod tests;

pub use prefetch::{Loaded, Prefetched};

use crate::{DataError, Source, stream};
use plywood_kernels::Float;
use plywood_shape::Sample;
use plywood_tensor::{Batch, Examples};
use std::ops::Range;
use std::thread::Scope;

/// Cuts a source into batches: shuffled or not, the last one smaller where the number does not come out even.
///
/// ```
/// use plywood_data::{Loader, synthetic};
///
/// let data = synthetic::images::<8, 8>(100, 1);
/// let loader = Loader::new(&data).batch_size(32).shuffle(42);
/// let samples = std::thread::scope(|scope| {
///     let mut batches = loader.prefetch::<f32>(scope, 0..2);
///     let mut samples = 0;
///     while let Some(batch) = batches.next()? {
///         samples += batch.examples.samples();
///     }
///     Ok::<_, plywood_data::DataError>(samples)
/// })?;
/// assert_eq!((loader.batches(), samples), (4, 200));
/// # Ok::<(), plywood_data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Loader<S> {
    source: S,
    batch_size: usize,
    seed: Option<u64>,
    drop_last: bool,
}

impl<S: Source> Loader<S> {
    /// Batches of 32, in the source's order, the last partial one kept.
    #[must_use]
    pub fn new(source: S) -> Self {
        Self {
            source,
            batch_size: 32,
            seed: None,
            drop_last: false,
        }
    }

    /// Sets how many samples a batch has.
    ///
    /// # Panics
    /// If it is zero.
    #[must_use]
    #[track_caller]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        assert!(
            batch_size > 0,
            "batch_size: a batch has at least one sample"
        );
        self.batch_size = batch_size;
        self
    }

    /// Draws the samples of every epoch in a new order.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Leaves out a last batch that is not full.
    #[must_use]
    pub fn drop_last(mut self) -> Self {
        self.drop_last = true;
        self
    }

    /// What it draws from.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.source
    }

    /// How many batches an epoch has.
    #[must_use]
    pub fn batches(&self) -> usize {
        if self.drop_last {
            self.source.len() / self.batch_size
        } else {
            self.source.len().div_ceil(self.batch_size)
        }
    }

    /// The order in which `epoch` draws the samples: a permutation that follows from (seed, epoch) alone.
    #[must_use]
    pub fn order(&self, epoch: u32) -> Vec<u32> {
        let mut order = Vec::new();
        self.order_into(epoch, &mut order);
        order
    }

    /// Likewise, over an old order, whose memory is reused.
    pub fn order_into(&self, epoch: u32, order: &mut Vec<u32>) {
        order.clear();
        order.extend(0..self.source.len() as u32);
        if let Some(seed) = self.seed {
            stream::of(seed, stream::SHUFFLE, epoch)
                .sequence()
                .shuffle(order);
        }
    }

    /// Checks that the source has samples, and that a `u32` counts them.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self) -> Result<(), DataError> {
        match self.source.len() {
            found if found == 0 || u32::try_from(found).is_err() => {
                Err(DataError::SourceLen { found })
            }
            _ => Ok(()),
        }
    }

    /// Fills `into` with batch `batch` of an epoch, whose order [`Loader::order`] gave.
    ///
    /// # Errors
    /// If the source fills it with something else than it should: a wrong number of samples, steps or weights, a token
    /// or class out of range.
    ///
    /// # Panics
    /// If there is no such batch.
    pub fn fill<T: Float>(
        &self,
        epoch: u32,
        batch: usize,
        order: &[u32],
        into: &mut Examples<S::Input, S::Target, T>,
    ) -> Result<(), DataError> {
        let end = ((batch + 1) * self.batch_size).min(order.len());
        let indices = &order[batch * self.batch_size..end];
        self.source.fill_epoch(epoch, indices, into);
        let place = Place { epoch, batch };
        let steps = self.source.steps();
        place.check("inputs", &into.inputs, indices.len(), steps)?;
        place.check("targets", &into.targets, indices.len(), steps)?;
        match into.weights.len() {
            0 => Ok(()),
            found => place.expect("the weights of samples", indices.len(), found),
        }
    }

    /// Fills batches ahead on a thread of `scope`, epoch after epoch.
    ///
    /// Two batches are ready ahead of the one in use. Their memory goes round, so that after the first few nothing is
    /// allocated. The thread ends with the last batch, with the first error, or when what this returns is dropped.
    pub fn prefetch<'scope, T: Float>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        epochs: Range<u32>,
    ) -> Prefetched<'scope, S::Input, S::Target, T>
    where
        S: Sync,
    {
        Prefetched::start(self, scope, epochs)
    }
}

/// Which batch a check is about.
#[derive(Clone, Copy)]
struct Place {
    epoch: u32,
    batch: usize,
}

impl Place {
    fn check<K: Sample, T: Float>(
        self,
        what: &'static str,
        filled: &Batch<K, T>,
        samples: usize,
        steps: usize,
    ) -> Result<(), DataError> {
        let (samples_of, steps_of) = match what {
            "inputs" => ("the inputs of samples", "input steps"),
            _ => ("the targets of samples", "target steps"),
        };
        self.expect(samples_of, samples, filled.samples())?;
        if K::SHAPE.sequence {
            self.expect(steps_of, steps, filled.steps())?;
        }
        filled.check().map_err(|fault| DataError::FilledIndex {
            what,
            epoch: self.epoch,
            batch: self.batch,
            fault,
        })
    }

    fn expect(self, what: &'static str, expected: usize, found: usize) -> Result<(), DataError> {
        if expected == found {
            return Ok(());
        }
        Err(DataError::Filled {
            what,
            expected,
            found,
            epoch: self.epoch,
            batch: self.batch,
        })
    }
}
