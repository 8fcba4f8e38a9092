//! The same work by Plywood, PyTorch and Keras, in turn, as whole processes; a table with medians and ratios.

use super::steps::{ALL, Span, Work, seconds_a_step};
use super::table::Table;
use super::{Options, median};
use crate::{Outcome, process};
use plywood::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const PEERS: [&str; 2] = ["pytorch.py", "tensorflow_keras.py"];

/// Losses further apart than this share say that the contestants do not do the same.
const LOSS_TOLERANCE: f64 = 0.2;

/// All runs of one piece of work: those of Plywood, then of each peer.
struct Contest {
    work: Work,
    runs: Vec<Vec<Value>>,
}

/// What the runs have in common.
struct Setting {
    scripts: PathBuf,
    python: PathBuf,
    data: PathBuf,
    span: Span,
    threads: usize,
}

pub(super) fn run(root: &Path, options: &Options) -> Outcome {
    let scripts = root.join("benches/peers");
    let requirements = scripts.join("requirements.txt");
    let setting = Setting {
        data: FashionMnist::folder().map_err(|error| error.to_string())?,
        python: process::environment(
            &root.join("target/peers-venv"),
            &options.python,
            &requirements,
        )?,
        scripts,
        span: Span::new(options.quick),
        threads: options.threads,
    };
    if let Some(load) = load().filter(|&load| load > 1.0) {
        eprintln!("this machine is busy (load {load}): the figures will say little");
    }
    let rounds = if options.quick { 3 } else { 7 };
    let mut contests = Vec::new();
    for work in ALL {
        eprintln!("{} ...", work.name());
        let contest = setting.contest(work, rounds)?;
        contest.losses_agree()?;
        contests.push(contest);
    }
    let page = page(&contests, options.threads);
    print!("{page}");
    save(root, "BENCHMARKS.md", &page)?;
    save(root, "BENCHMARKS.json", &record(&contests, options.threads))
}

impl Setting {
    /// All contestants in turn, `rounds` times.
    fn contest(&self, work: Work, rounds: usize) -> Result<Contest, String> {
        let mut runs = vec![Vec::new(); 1 + PEERS.len()];
        for _ in 0..rounds {
            runs[0].push(self.own(work)?);
            for (index, script) in PEERS.iter().enumerate() {
                runs[index + 1].push(self.peer(script, work)?);
            }
        }
        Ok(Contest { work, runs })
    }

    fn own(&self, work: Work) -> Result<Value, String> {
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(this);
        command.args(["bench", "--work", work.name()]);
        figures(self.common(&mut command))
    }

    fn peer(&self, script: &str, work: Work) -> Result<Value, String> {
        let mut command = Command::new(&self.python);
        command.arg(self.scripts.join(script)).arg(work.name());
        figures(self.common(&mut command).arg("--data").arg(&self.data))
    }

    fn common<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .args(["--steps", &self.span.steps.to_string()])
            .args(["--seconds", &self.span.seconds.to_string()])
            .args(["--threads", &self.threads.to_string()])
    }
}

/// The line of JSON that ends what a contestant prints.
fn figures(command: &mut Command) -> Result<Value, String> {
    let printed = process::output(command)?;
    let line = printed.lines().last().unwrap_or_default();
    let figures: Value = serde_json::from_str(line)
        .map_err(|error| format!("{command:?} printed {line:?}: {error}"))?;
    if seconds_a_step(&figures) > 0.0 {
        Ok(figures)
    } else {
        Err(format!("{command:?} printed {line:?}: no time was taken"))
    }
}

impl Contest {
    fn losses_agree(&self) -> Outcome {
        if !self.work.is_training() {
            return Ok(());
        }
        // A loss that is no number is none in JSON.
        let loss = |runs: &Vec<Value>| runs[0]["loss"].as_f64().unwrap_or(f64::INFINITY);
        let losses: Vec<f64> = self.runs.iter().map(loss).collect();
        let low = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let high = losses.iter().copied().fold(0.0, f64::max);
        if high.is_finite() && high - low <= LOSS_TOLERANCE * high {
            return Ok(());
        }
        Err(format!(
            "{}: the losses {losses:?} do not agree, so the work is not the same",
            self.work.name()
        ))
    }

    /// Images or tokens a second of each contestant, the median over the rounds.
    fn rates(&self) -> Vec<f64> {
        let units = self.work.units() as f64;
        let rate = |run| units / seconds_a_step(run);
        let runs = self.runs.iter();
        runs.map(|runs| median(&mut runs.iter().map(rate).collect::<Vec<f64>>()))
            .collect()
    }

    fn row(&self) -> Vec<String> {
        let rates = self.rates();
        let mut row = vec![
            self.work.name().to_owned(),
            self.work.batch().to_string(),
            format!("{}/s", self.work.unit()),
        ];
        row.extend(rates.iter().map(|rate| format!("{rate:.0}")));
        row.extend(
            rates[1..]
                .iter()
                .map(|peer| format!("{:.2}x", rates[0] / peer)),
        );
        row
    }
}

fn page(contests: &[Contest], threads: usize) -> String {
    let mut table = Table::new(&[
        "work",
        "batch",
        "unit",
        "Plywood",
        "PyTorch",
        "Keras",
        "over PyTorch",
        "over Keras",
    ]);
    for contest in contests {
        table.row(contest.row());
    }
    let versions: Vec<String> = contests[0]
        .runs
        .iter()
        .map(|runs| format!("{} {}", text(&runs[0]["name"]), text(&runs[0]["version"])))
        .collect();
    format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench --peers`. Each figure is the median over rounds in which all contestants run in turn, as\n\
         processes of their own; starting, loading and warm-up steps are not counted. `benches/peers` says what the peers do.\n\n\
         {table}\n{threads} threads on {}. {}.\n",
        processor(),
        versions.join(", ")
    )
}

fn record(contests: &[Contest], threads: usize) -> String {
    let runs: Vec<&Value> = contests
        .iter()
        .flat_map(|contest| contest.runs.iter().flatten())
        .collect();
    let record = json!({ "processor": processor(), "threads": threads, "runs": runs });
    format!("{record:#}\n")
}

fn save(root: &Path, name: &str, text: &str) -> Outcome {
    std::fs::write(root.join(name), text).map_err(|error| format!("{name}: {error}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// How many threads wanted a processor over the last minute, where the system tells it.
fn load() -> Option<f64> {
    let load = std::fs::read_to_string("/proc/loadavg").ok()?;
    load.split(' ').next()?.parse().ok()
}

/// The processor's name, where the system tells it.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(
        || "an unknown processor".to_owned(),
        |(_, name)| name.to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::{Contest, Work};
    use serde_json::json;

    /// One run of each contestant, of 10 steps.
    fn contest(of_each: [(f64, f64); 3]) -> Contest {
        let run = |(seconds, loss)| vec![json!({"steps": 10, "seconds": seconds, "loss": loss})];
        Contest {
            work: Work::CnnTraining,
            runs: of_each.into_iter().map(run).collect(),
        }
    }

    #[test]
    fn a_row_has_rates_and_ratios() {
        let row = contest([(1.0, 0.5), (2.0, 0.5), (4.0, 0.5)]).row();
        assert_eq!(row[3..], ["320", "160", "80", "2.00x", "4.00x"]);
    }

    #[test]
    fn losses_of_other_work_are_refused() {
        assert!(
            contest([(1.0, 0.50), (1.0, 0.52), (1.0, 0.48)])
                .losses_agree()
                .is_ok()
        );
        let message = contest([(1.0, 0.50), (1.0, 0.90), (1.0, 0.48)]).losses_agree();
        assert!(message.unwrap_err().contains("0.9"));
        let message = contest([(1.0, 0.50), (1.0, f64::NAN), (1.0, 0.48)]).losses_agree();
        assert!(message.unwrap_err().contains("inf"));
    }
}
