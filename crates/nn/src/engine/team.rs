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
//! Whoever waits for long goes to sleep, for good and not by yielding: two members may have come to stand on one core, where the one that
//! waits holds up the one that works. The system moves a thread to an idle core when it wakes; one that spins or yields counts as
//! busy, and stays for many steps.

use std::array;
use std::hint;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// The most pieces, and so the most members.
pub(crate) const MOST: usize = 16;

/// How long a member waits awake: several times as long as it takes to wake up, since members rarely end a phase further apart.
const PATIENCE: Duration = Duration::from_micros(250);

/// Turns of waiting between two looks at the clock.
const TURNS: usize = 64;

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
        asleep: Mutex::new(0),
        all_done: Condvar::new(),
        work: &work,
    };
    team.gather(0..members);
}

struct Team<'a, I, W> {
    pieces: &'a [Mutex<Option<I>>],
    members: usize,
    /// Pieces that are not done.
    left: AtomicUsize,
    /// Members that sleep until all are.
    asleep: Mutex<usize>,
    all_done: Condvar,
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
        self.wait();
    }

    /// Waits for the pieces of others; whoever called [`share`] does so in any case.
    fn wait(&self) {
        let start = Instant::now();
        while !self.is_done() {
            for _ in 0..TURNS {
                hint::spin_loop();
            }
            if start.elapsed() >= PATIENCE {
                return self.sleep();
            }
        }
    }

    fn sleep(&self) {
        // Nothing panics while this is locked.
        let Ok(mut asleep) = self.asleep.lock() else {
            return;
        };
        *asleep += 1;
        drop(self.all_done.wait_while(asleep, |_| !self.is_done()));
    }

    fn is_done(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }

    /// Does a piece unless somebody has taken it.
    fn attempt(&self, index: usize) {
        let item = match self.pieces[index].lock() {
            Ok(mut piece) => piece.take(),
            // Nothing panics between lock and release.
            Err(_) => None,
        };
        if let Some(item) = item {
            let _done = Done(self);
            (self.work)(index, item);
        }
    }
}

/// Counts a piece as done when it is dropped, even if its work panicked, and wakes who sleeps after the last.
struct Done<'t, 'a, I, W>(&'t Team<'a, I, W>);

impl<I, W> Drop for Done<'_, '_, I, W> {
    fn drop(&mut self) {
        let team = self.0;
        if team.left.fetch_sub(1, Ordering::AcqRel) == 1
            && team.asleep.lock().is_ok_and(|asleep| *asleep > 0)
        {
            team.all_done.notify_all();
        }
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
    fn who_slept_wakes_up_when_the_last_piece_is_done() {
        on_threads(2, || {
            let ended = AtomicUsize::new(0);
            for _ in 0..3 {
                share(0..2, |index, _| {
                    if index == 1 {
                        std::thread::sleep(20 * super::PATIENCE);
                    }
                    ended.fetch_add(1, Ordering::Relaxed);
                });
            }
            assert_eq!(ended.into_inner(), 6);
        });
    }

    #[test]
    #[should_panic(expected = "at most 16 pieces")]
    fn too_many_items_are_refused() {
        share(0..=MOST, |_, _| ());
    }
}
