//! How long a kernel takes, on a machine that may have other things to do.

use std::time::Instant;

/// Seconds that a repetition lasts at least: many ticks of the clock, and less than a time slice of the system.
const REPETITION: f64 = 100e-6;
/// Repetitions of a quick measurement and of a thorough one.
const QUICK: usize = 40;
const THOROUGH: usize = 200;
/// Seconds after which a measurement ends even so.
const MOST_SECONDS: f64 = 0.5;

/// How thorough measurements are.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) quick: bool,
}

impl Clock {
    /// Seconds that `work` takes: the least of many short repetitions, which is the one that nothing disturbed.
    pub(super) fn seconds(self, mut work: impl FnMut()) -> f64 {
        work();
        let times = (REPETITION / seconds(1, &mut work).max(1e-9))
            .ceil()
            .max(1.0) as usize;
        let repetitions = if self.quick { QUICK } else { THOROUGH };
        let start = Instant::now();
        let mut least = f64::INFINITY;
        for _ in 0..repetitions {
            least = least.min(seconds(times, &mut work) / times as f64);
            if start.elapsed().as_secs_f64() > MOST_SECONDS {
                break;
            }
        }
        least
    }
}

fn seconds(times: usize, work: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..times {
        work();
    }
    start.elapsed().as_secs_f64()
}
