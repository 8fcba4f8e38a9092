//! Plywood beside its peers: everybody in turn, round after round, each in a process that lives as long as the contest.

mod contestant;
mod page;
mod result;
mod setup;

use super::data::Data;
use super::protocol::Work;
use super::works::{self, Contestant, Effort, Entry, Row};
use super::{Options, machine};
use crate::Outcome;
use contestant::{Answer, Process};
use result::{Contested, Entered, Memory, Outcomes};
use setup::Setup;
use std::path::Path;
use std::time::Duration;

/// Before a run, the threads of the contestant before it get so long to fall asleep.
const PAUSE: Duration = Duration::from_millis(20);
/// In a quick contest, whoever takes so many times a run's length for a single step does not run again.
const TOO_SLOW: f64 = 3.0;

/// Runs the contest and writes its page and its record.
pub(super) fn run(root: &Path, options: &Options) -> Outcome {
    let setup = Setup::new(root, options)?;
    if let Some(load) = machine::load().filter(|&load| load > 1.0) {
        eprintln!("this machine is busy (load {load}): the figures will say little");
    }
    let effort = options.effort();
    let data = Data::at(root.join("target/bench-data"));
    data.write()?;
    let rows = works::all(&data, effort);
    let memory = memory(&setup, &rows[0])?;
    let mut processes = Processes::start(&setup)?;
    let mut results = Vec::new();
    let mut agreed = Ok(());
    for row in rows {
        eprintln!("{} ...", row.title);
        let mut result = processes.contest(row, effort)?;
        if let Err(reason) = result.losses_agree() {
            // The row says nothing then, but the others do.
            result.refuse(&reason);
            agreed = Err(reason);
        }
        results.push(result);
    }
    let outcomes = Outcomes {
        results,
        memory,
        contestants: processes.names(),
        threads: effort.threads,
        quick: effort.quick,
        processor: machine::processor(),
    };
    let page = page::page(&outcomes);
    print!("{page}");
    machine::save(root, "BENCHMARKS.md", &page)?;
    machine::save(root, "BENCHMARKS.json", &outcomes.record())?;
    agreed
}

/// The contestants' processes.
struct Processes {
    all: Vec<(Contestant, Process)>,
}

impl Processes {
    fn start(setup: &Setup) -> Result<Self, String> {
        let mut all = Vec::new();
        // All start at once, and then all are waited for.
        for contestant in setup::CONTESTANTS {
            all.push((contestant, setup.start(contestant)?));
        }
        for (_, process) in &mut all {
            process.introduce()?;
        }
        Ok(Self { all })
    }

    /// Names with versions.
    fn names(&self) -> Vec<String> {
        let others = self
            .all
            .iter()
            .filter(|(contestant, _)| *contestant != Contestant::PlywoodToo);
        others.map(|(_, process)| process.name.clone()).collect()
    }

    fn of(&mut self, contestant: Contestant) -> &mut Process {
        let found = self.all.iter_mut().find(|(other, _)| *other == contestant);
        &mut found.expect("every contestant is started").1
    }

    /// One row: everybody prepares, then all run in turn.
    fn contest(&mut self, row: Row, effort: Effort) -> Result<Contested, String> {
        let seconds = effort.seconds(row.section);
        let mut entered = Vec::new();
        for entry in &row.entries {
            entered.push(self.prepare(entry)?);
        }
        for _ in 0..effort.rounds() {
            for (entry, entered) in row.entries.iter().zip(&mut entered) {
                if entered.unsupported.is_some()
                    || (effort.quick && entered.slow(TOO_SLOW * seconds))
                {
                    continue;
                }
                std::thread::sleep(PAUSE);
                entered.runs.push(self.of(entry.contestant).run(seconds)?);
            }
        }
        Ok(Contested { row, entered })
    }

    fn prepare(&mut self, entry: &Entry) -> Result<Entered, String> {
        let process = self.of(entry.contestant);
        Ok(match process.prepare(&entry.work)? {
            Answer::Done { loss, variant } => Entered {
                loss,
                variant,
                ..Entered::default()
            },
            Answer::Unsupported(reason) => Entered {
                unsupported: Some(reason),
                ..Entered::default()
            },
        })
    }
}

/// The most memory of each contestant in `row`, as a process that does nothing else. All start at once, and then train one after the
/// other: threads that spin while they wait would hold up those that work.
fn memory(setup: &Setup, row: &Row) -> Result<Vec<Memory>, String> {
    eprintln!("memory, {} ...", row.title);
    let mut started = Vec::new();
    for entry in &row.entries {
        started.push((entry, setup.start(entry.contestant)?));
    }
    let mut all = Vec::new();
    for (entry, mut process) in started {
        process.introduce()?;
        process.prepare(&Work {
            warm_up: MEMORY_STEPS,
            ..entry.work.clone()
        })?;
        all.push(Memory {
            name: entry.name,
            bytes: process.memory()?,
        });
    }
    Ok(all)
}

/// Training steps after which memory no longer grows.
const MEMORY_STEPS: usize = 30;
