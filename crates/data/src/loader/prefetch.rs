//! Filling batches ahead on a thread, while another trains on the last one.
//!
//! Three buffers go round between two bounded channels: one is in use, two are filled ahead or being filled. Nothing is
//! allocated once every buffer has held a full batch.

use super::Loader;
use crate::{DataError, Source};
use plywood_kernels::Float;
use plywood_shape::Sample;
use plywood_tensor::Examples;
use std::fmt;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

/// One batch in use and two ahead: enough to hide a slow one behind a fast one.
pub(super) const BUFFERS: usize = 3;

/// A batch, and which one it is.
pub struct Loaded<I: Sample, G: Sample, T: Float = f32> {
    /// The epoch.
    pub epoch: u32,
    /// Its number within the epoch.
    pub batch: usize,
    /// Whether it is the epoch's last.
    pub last: bool,
    /// The samples.
    pub examples: Examples<I, G, T>,
}

impl<I: Sample, G: Sample, T: Float> fmt::Debug for Loaded<I, G, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("epoch", &self.epoch)
            .field("batch", &self.batch)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

/// Batches that a thread fills ahead; see [`Loader::prefetch`].
pub struct Prefetched<'scope, I: Sample, G: Sample, T: Float = f32> {
    current: Option<Loaded<I, G, T>>,
    /// `None` once the last batch or an error has come.
    ends: Option<Ends<I, G, T>>,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
}

/// A batch, or why there is none.
type Outcome<I, G, T> = Result<Loaded<I, G, T>, DataError>;

struct Ends<I: Sample, G: Sample, T: Float> {
    full: Receiver<Outcome<I, G, T>>,
    empty: SyncSender<Examples<I, G, T>>,
}

impl<'scope, I: Sample, G: Sample, T: Float> Prefetched<'scope, I, G, T> {
    pub(super) fn start<S>(
        loader: &'scope Loader<S>,
        scope: &'scope Scope<'scope, '_>,
        epochs: Range<u32>,
    ) -> Self
    where
        S: Source<Input = I, Target = G> + Sync,
    {
        let (send_full, full) = sync_channel(BUFFERS);
        let (empty, take_empty) = sync_channel(BUFFERS);
        for _ in 0..BUFFERS {
            empty
                .send(Examples::default())
                .expect("the other end is in this function");
        }
        let thread = scope.spawn(move || work(loader, epochs, &take_empty, &send_full));
        Self {
            current: None,
            ends: Some(Ends { full, empty }),
            thread: Some(thread),
        }
    }

    /// The next batch, or `None` after the last; waits until it is filled.
    ///
    /// # Errors
    /// If the source has no samples, or filled a batch with something else than it should. Nothing comes after that.
    ///
    /// # Panics
    /// If the source panicked while it filled a batch, with its panic.
    #[expect(clippy::should_implement_trait, reason = "it lends the batch")]
    pub fn next(&mut self) -> Result<Option<&Loaded<I, G, T>>, DataError> {
        let Some(ends) = &self.ends else {
            return Ok(None);
        };
        if let Some(used) = self.current.take() {
            // After the last batch nobody takes it, and it is dropped.
            drop(ends.empty.send(used.examples));
        }
        match ends.full.recv() {
            Ok(Ok(loaded)) => Ok(Some(self.current.insert(loaded))),
            Ok(Err(error)) => {
                self.ends = None;
                Err(error)
            }
            Err(_) => {
                self.ends = None;
                if let Some(thread) = self.thread.take()
                    && let Err(panic) = thread.join()
                {
                    resume_unwind(panic);
                }
                Ok(None)
            }
        }
    }
}

impl<I: Sample, G: Sample, T: Float> Drop for Prefetched<'_, I, G, T> {
    /// Ends the thread. A panic in a batch that nobody asked for is dropped with it.
    fn drop(&mut self) {
        self.ends = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl<I: Sample, G: Sample, T: Float> fmt::Debug for Prefetched<'_, I, G, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefetched")
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

/// Fills what comes empty until the epochs are over or the other ends are gone.
fn work<S: Source, T: Float>(
    loader: &Loader<S>,
    epochs: Range<u32>,
    empty: &Receiver<Examples<S::Input, S::Target, T>>,
    full: &SyncSender<Outcome<S::Input, S::Target, T>>,
) {
    if let Err(error) = loader.check() {
        drop(full.send(Err(error)));
        return;
    }
    let mut order = Vec::new();
    let batches = loader.batches();
    for epoch in epochs {
        loader.order_into(epoch, &mut order);
        for batch in 0..batches {
            let Ok(mut examples) = empty.recv() else {
                return;
            };
            let filled = loader.fill(epoch, batch, &order, &mut examples);
            let failed = filled.is_err();
            let loaded = filled.map(|()| Loaded {
                epoch,
                batch,
                last: batch + 1 == batches,
                examples,
            });
            if full.send(loaded).is_err() || failed {
                return;
            }
        }
    }
}
