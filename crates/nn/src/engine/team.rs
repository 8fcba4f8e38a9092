//! A few pieces of work shared by the threads of the pool, which stay awake for a while until the last piece is done.
//!
//! ```text
//! every member: its own stretch of the pieces, in order; then what others have left, last first; then wait awake, not for long
//! ```
//!
//! A training step is a row of short phases, each of which needs the threads again. A thread that sleeps between two of them
//! takes longer to wake up than a small phase lasts, so members leave a phase together. Every member begins with the same
//! stretch each time: what it wrote lies in its own core's cache. Which thread does a piece changes no bit.
//!
//! Whoever waits for long goes to sleep: two members may have come to stand on one core, where the one that waits holds up the
//! one that works, and the system moves a thread to an idle core when it wakes, hardly while it spins.

use std::array;
use std::hint;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most pieces, and so the most members.
pub(crate) const MOST: usize = 16;

/// Turns of waiting awake: some dozens of microseconds, about what it takes to wake up.
const PATIENCE: usize = 1 << 12;

/// Calls `work` with every item and its position, on all threads of the pool that this thread belongs to, or of the
/// global one. A single item stays on this thread.
///
/// # Panics
/// If there are more than [`MOST`] items, or `work` panics.
pub(crate) fn share<I: Send>(mut items: impl Iterator<Item = I>, work: impl Fn(usize, I) + Sync) {
    let mut count = 0;
    let pieces: [Mutex<Option<I>>; MOST] = array::from_fn(|_| {
        let item = items.next();
        count += usize::from(item.is_some());
        Mutex::new(item)
    });
    assert!(items.next().is_none(), "at most {MOST} pieces are shared");
    let members = rayon::current_num_threads().clamp(1, count.max(1));
    let team = Team {
        pieces: &pieces[..count],
        members,
        left: AtomicUsize::new(count),
        work: &work,
    };
    team.gather(0..members);
}

struct Team<'a, I, W> {
    pieces: &'a [Mutex<Option<I>>],
    members: usize,
    /// Pieces that are not done.
    left: AtomicUsize,
    work: &'a W,
}

impl<I: Send, W: Fn(usize, I) + Sync> Team<'_, I, W> {
    /// Lets as many threads as there are in `members`, if they have time, take part.
    fn gather(&self, members: Range<usize>) {
        if members.len() == 1 {
            return self.take_part(members.start);
        }
        let middle = members.start + members.len() / 2;
        rayon::join(
            || self.gather(members.start..middle),
            || self.gather(middle..members.end),
        );
    }

    fn take_part(&self, member: usize) {
        let count = self.pieces.len();
        let own = member * count / self.members..(member + 1) * count / self.members;
        let others = (0..own.start).chain(own.end..count);
        for index in own.clone().chain(others.rev()) {
            self.attempt(index);
        }
        // Whoever called waits for all members in any case.
        for _ in 0..PATIENCE {
            if self.left.load(Ordering::Acquire) == 0 {
                return;
            }
            hint::spin_loop();
        }
    }

    /// Does a piece unless somebody has taken it.
    fn attempt(&self, index: usize) {
        let item = match self.pieces[index].lock() {
            Ok(mut piece) => piece.take(),
            // Nothing panics between lock and release.
            Err(_) => None,
        };
        if let Some(item) = item {
            let _done = Done(&self.left);
            (self.work)(index, item);
        }
    }
}

/// Counts a piece as done when it is dropped, even if its work panicked.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, share};
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn on_threads(threads: usize, test: impl FnOnce() + Send) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(test);
    }

    #[test]
    fn every_item_is_worked_on_once() {
        for threads in [1, 2, 3, 8] {
            on_threads(threads, || {
                for count in 0..=MOST {
                    let mut seen = vec![0; count];
                    share(seen.iter_mut(), |index, item: &mut usize| {
                        *item += index + 1
                    });
                    assert!(
                        seen.iter()
                            .enumerate()
                            .all(|(index, &item)| item == index + 1)
                    );
                }
            });
        }
    }

    #[test]
    fn a_single_item_stays_on_the_thread_of_the_caller() {
        let caller = std::thread::current().id();
        share(0..1, |_, _| assert_eq!(std::thread::current().id(), caller));
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        on_threads(2, || {
            let done = AtomicUsize::new(0);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                share(0..4, |index, _| {
                    assert_ne!(index, 2, "a piece that fails");
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }));
            assert!(outcome.is_err());
            assert!(done.into_inner() <= 3);
        });
    }

    #[test]
    #[should_panic(expected = "at most 16 pieces")]
    fn too_many_items_are_refused() {
        share(0..=MOST, |_, _| ());
    }
}
