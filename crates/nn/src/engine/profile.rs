//! Where the time of training steps goes: by step of the network and by phase.
//!
//! Every thread adds what it spent to counters that all share; sums are therefore of the time of all threads, and what is missing to
//! the time that passed, times the threads, is waiting. Without a profile nobody looks at a clock.

use crate::network::Network;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a training step does outside of the network's layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Bringing samples into the order of steps, and clearing the lanes' gradients.
    Stage,
    /// Loss and metric, with the gradient of the outputs.
    Compare,
    /// Merging statistics where all blocks meet.
    Meet,
    /// Adding up the lanes' gradients and letting the optimizer update.
    Update,
    /// Scattering the gradient of a table and updating it.
    Table,
    /// Products over the whole batch, which are the gradients of late weights, and updating these.
    Late,
}

impl Phase {
    /// All of them, in order of a step.
    pub const ALL: [Self; 6] = [
        Self::Stage,
        Self::Compare,
        Self::Meet,
        Self::Update,
        Self::Table,
        Self::Late,
    ];

    /// What it is called in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stage => "staging",
            Self::Compare => "loss",
            Self::Meet => "meeting",
            Self::Update => "update",
            Self::Table => "table",
            Self::Late => "late weights",
        }
    }
}

/// What is done with a step of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Forward,
    Backward,
    Prepare,
}

/// How many kinds of work there are.
const WORKS: usize = 3;

/// Where a span of time belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A step of the network, by position.
    Step(usize, Work),
    /// A phase.
    Phase(Phase),
}

/// The counters of a profile, in nanoseconds: those of the phases, then those of the network's steps.
#[derive(Debug)]
pub(crate) struct Clock {
    counters: Vec<AtomicU64>,
    /// Training steps, the time from their beginning to their end, and that times the threads.
    passed: [AtomicU64; 3],
}

/// Adds spans of time to a clock, if there is one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer<'a>(Option<&'a Clock>);

impl Clock {
    /// A clock for a network of so many steps.
    pub(crate) fn new(steps: usize) -> Self {
        let counters = Phase::ALL.len() + steps * WORKS;
        Self {
            counters: (0..counters).map(|_| AtomicU64::new(0)).collect(),
            passed: Default::default(),
        }
    }

    fn counter(&self, place: Place) -> &AtomicU64 {
        &self.counters[match place {
            Place::Phase(phase) => phase as usize,
            Place::Step(index, work) => Phase::ALL.len() + index * WORKS + work as usize,
        }]
    }

    fn read(&self, place: Place) -> Duration {
        Duration::from_nanos(self.counter(place).load(Ordering::Relaxed))
    }

    /// What the clock shows of network `N`.
    pub(crate) fn profile<N: Network>(&self) -> Profile {
        let [steps, wall, available] = &self.passed;
        let layers = N::STEPS.iter().enumerate().map(|(index, step)| {
            let time = |work| self.read(Place::Step(index, work));
            LayerTimes {
                name: name::<N>(step.layer),
                forward: time(Work::Forward),
                backward: time(Work::Backward),
                prepare: time(Work::Prepare),
            }
        });
        let phases = Phase::ALL.iter();
        Profile {
            steps: steps.load(Ordering::Relaxed),
            wall: Duration::from_nanos(wall.load(Ordering::Relaxed)),
            available: Duration::from_nanos(available.load(Ordering::Relaxed)),
            layers: layers.collect(),
            phases: phases
                .map(|&phase| (phase, self.read(Place::Phase(phase))))
                .collect(),
        }
    }
}

impl<'a> Timer<'a> {
    /// A timer for `clock`.
    pub(crate) fn of(clock: Option<&'a Clock>) -> Self {
        Self(clock)
    }

    /// Does `work`, whose time belongs to `place`.
    pub(crate) fn time<R>(self, place: Place, work: impl FnOnce() -> R) -> R {
        let Some(clock) = self.0 else { return work() };
        let started = Instant::now();
        let result = work();
        add(clock.counter(place), started.elapsed());
        result
    }

    /// Does the work of a whole training step on this pool of threads.
    pub(crate) fn step<R>(self, work: impl FnOnce() -> R) -> R {
        let Some(clock) = self.0 else { return work() };
        let started = Instant::now();
        let result = work();
        let [steps, wall, available] = &clock.passed;
        let elapsed = started.elapsed();
        steps.fetch_add(1, Ordering::Relaxed);
        add(wall, elapsed);
        add(available, elapsed * rayon::current_num_threads() as u32);
        result
    }
}

fn add(counter: &AtomicU64, time: Duration) {
    counter.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
}

/// The names of the layers that are computed with layer `first`.
fn name<N: Network>(first: usize) -> String {
    let group = N::LAYERS.iter().filter(|layer| layer.fused_into == first);
    let names: Vec<String> = group.map(|layer| layer.name.to_string()).collect();
    names.join(" + ")
}

/// Where the time of training steps went; print it with `{}`.
///
/// [`Trainer::profiled`](super::Trainer::profiled) takes it. Times of layers and phases are sums over all threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Training steps that it covers.
    pub steps: u64,
    /// The time that passed in them.
    pub wall: Duration,
    /// That time, times the threads of the pool.
    pub available: Duration,
    /// What the network's steps took, in order.
    pub layers: Vec<LayerTimes>,
    /// What everything else took.
    pub phases: Vec<(Phase, Duration)>,
}

/// What a layer took, with those that are computed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerTimes {
    /// Its name, and those of the others.
    pub name: String,
    /// On the way forward.
    pub forward: Duration,
    /// On the way back.
    pub backward: Duration,
    /// Deriving what it wants to have ready from new parameters.
    pub prepare: Duration,
}

impl LayerTimes {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.forward + self.backward + self.prepare
    }
}

impl Profile {
    /// The time that all threads spent at work.
    #[must_use]
    pub fn busy(&self) -> Duration {
        let layers: Duration = self.layers.iter().map(LayerTimes::total).sum();
        layers + self.phases.iter().map(|(_, time)| *time).sum::<Duration>()
    }

    /// The time that threads had nothing to do, or handed work over.
    #[must_use]
    pub fn waiting(&self) -> Duration {
        self.available.saturating_sub(self.busy())
    }

    /// A line of microseconds a step, the last of which are all there are, and their share in all threads' time.
    fn line(&self, f: &mut fmt::Formatter<'_>, name: &str, times: [Duration; 4]) -> fmt::Result {
        let steps = self.steps.max(1) as f64;
        let available = self.available.as_secs_f64().max(f64::MIN_POSITIVE);
        write!(f, "{name:<32}")?;
        for time in times {
            if time.is_zero() {
                write!(f, "{:>10}", "")?;
            } else {
                write!(f, "{:>10.1}", time.as_secs_f64() * 1e6 / steps)?;
            }
        }
        let share = 100.0 * times[3].as_secs_f64() / available;
        writeln!(f, "{share:>8.1} %")
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alone = |time| [Duration::ZERO, Duration::ZERO, Duration::ZERO, time];
        writeln!(
            f,
            "{:<32}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "µs a step, all threads", "forward", "backward", "prepare", "total", "share"
        )?;
        for layer in &self.layers {
            let times = [layer.forward, layer.backward, layer.prepare, layer.total()];
            self.line(f, &layer.name, times)?;
        }
        for &(phase, time) in self.phases.iter().filter(|(_, time)| !time.is_zero()) {
            self.line(f, phase.name(), alone(time))?;
        }
        self.line(f, "waiting", alone(self.waiting()))
    }
}
