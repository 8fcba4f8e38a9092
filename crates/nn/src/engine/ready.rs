//! What the layers of a network in training derived from its parameters, ready for the passes.
//!
//! Little is derived by every thread for itself, when it first needs it in a step; much, once for all, by all threads together.
//! Packed and transformed weights are several times as many numbers as the parameters they come from, and to fetch them from
//! another core's cache takes longer than to derive them again.

use super::profile::Timer;
use super::thread;
use crate::network::Network;
use crate::prepare::{prepare, prepare_in_parallel};
use crate::run::Layout;
use plywood_kernels::{AlignedVec, Float};
use std::sync::Mutex;

/// Numbers that a thread derives by itself at most: 2 MiB of `f32`, two second-level caches. What is more leaves the cache before it
/// is used, whoever derived it.
const MOST_OWN: usize = 1 << 19;

/// Derived numbers.
#[derive(Debug)]
pub(super) enum Ready<T: Float> {
    /// For all threads.
    Shared(AlignedVec<T>),
    /// Each thread's own.
    Own(Vec<Mutex<Own<T>>>),
}

#[derive(Debug)]
pub(super) struct Own<T: Float> {
    numbers: AlignedVec<T>,
    /// Whether the parameters have changed since.
    stale: bool,
}

impl<T: Float> Ready<T> {
    pub(super) fn new<N: Network<Scalar = T>>(layout: &Layout, parameters: &[T]) -> Self {
        if layout.prepared_len <= MOST_OWN {
            return Self::Own(Vec::new());
        }
        let mut numbers = AlignedVec::zeroed(layout.prepared_len);
        prepare::<N>(layout, parameters, &mut numbers, Timer::default());
        Self::Shared(numbers)
    }

    /// Makes room for the threads of this pool.
    pub(super) fn reserve(&mut self, layout: &Layout) {
        if let Self::Own(all) = self {
            while all.len() < rayon::current_num_threads() {
                all.push(Mutex::new(Own {
                    numbers: AlignedVec::zeroed(layout.prepared_len),
                    stale: true,
                }));
            }
        }
    }

    /// Takes note of new parameters.
    pub(super) fn refresh<N: Network<Scalar = T>>(
        &mut self,
        layout: &Layout,
        parameters: &[T],
        timer: Timer<'_>,
    ) {
        match self {
            Self::Shared(numbers) => prepare_in_parallel::<N>(layout, parameters, numbers, timer),
            Self::Own(all) => {
                for own in all {
                    own.get_mut().expect(UNHARMED).stale = true;
                }
            }
        }
    }

    /// Lets this thread do `work` with what is derived from `parameters`.
    pub(super) fn with<N: Network<Scalar = T>, R>(
        &self,
        layout: &Layout,
        parameters: &[T],
        timer: Timer<'_>,
        work: impl FnOnce(&[T]) -> R,
    ) -> R {
        match self {
            Self::Shared(numbers) => work(numbers),
            Self::Own(all) => {
                let mut own = all[thread()].lock().expect(UNHARMED);
                if own.stale {
                    prepare::<N>(layout, parameters, &mut own.numbers, timer);
                    own.stale = false;
                }
                work(&own.numbers)
            }
        }
    }
}

const UNHARMED: &str = "a thread that panicked ended the step";
