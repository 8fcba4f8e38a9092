//! The same work by Plywood, PyTorch and Keras, in turn, as whole processes; a table with medians and ratios.

use super::steps::{ALL, Work};
use super::table::Table;
use super::{Options, median};
use crate::{Outcome, process};
use plywood::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const PEERS: [&str; 2] = ["pytorch.py", "tensorflow_keras.py"];

/// All runs of one piece of work: those of Plywood, then of each peer.
struct Result3 {
    work: Work,
    runs: Vec<Vec<Value>>,
}

pub(super) fn run(root: &Path, options: &Options) -> Outcome {
    let scripts = root.join("benches/peers");
    let environment = root.join("target/peers-venv");
    let python = process::environment(
        &environment,
        &options.python,
        &scripts.join("requirements.txt"),
    )?;
    let data = FashionMnist::folder().map_err(|error| error.to_string())?;
    let rounds = if options.quick { 3 } else { 7 };
    let mut results = Vec::new();
    for work in ALL {
        let steps = work.steps(options.quick);
        let mut runs = vec![Vec::new(); 1 + PEERS.len()];
        for _ in 0..rounds {
            runs[0].push(own(work, steps, options.threads)?);
            for (index, script) in PEERS.iter().enumerate() {
                let script = scripts.join(script);
                runs[index + 1].push(peer(&python, &script, work, steps, options.threads, &data)?);
            }
        }
        losses_agree(work, &runs)?;
        results.push(Result3 { work, runs });
    }
    write(root, options.threads, &results)
}

fn own(work: Work, steps: usize, threads: usize) -> Result<Value, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(this);
    command.args([
        "bench",
        "--work",
        work.name(),
        "--steps",
        &steps.to_string(),
    ]);
    figures(command.args(["--threads", &threads.to_string()]))
}

fn peer(
    python: &Path,
    script: &Path,
    work: Work,
    steps: usize,
    threads: usize,
    data: &PathBuf,
) -> Result<Value, String> {
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg(work.name())
        .args(["--steps", &steps.to_string()]);
    figures(
        command
            .args(["--threads", &threads.to_string(), "--data"])
            .arg(data),
    )
}

/// The line of JSON that ends what a contestant prints.
fn figures(command: &mut Command) -> Result<Value, String> {
    let printed = process::output(command)?;
    let line = printed.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|error| format!("{command:?} printed {line:?}: {error}"))
}

fn losses_agree(work: Work, runs: &[Vec<Value>]) -> Outcome {
    let losses: Vec<f64> = runs
        .iter()
        .filter_map(|runs| runs[0]["loss"].as_f64())
        .collect();
    let (low, high) = losses
        .iter()
        .fold((f64::MAX, 0.0_f64), |(low, high), &loss| {
            (low.min(loss), high.max(loss))
        });
    if losses.is_empty() || high - low < 0.15 * high {
        return Ok(());
    }
    Err(format!(
        "{}: the losses {losses:?} do not agree, so the work is not the same",
        work.name()
    ))
}

/// Samples a second, the median over the rounds.
fn rate(work: Work, runs: &[Value]) -> f64 {
    let mut rates: Vec<f64> = runs
        .iter()
        .map(|run| {
            let steps = run["steps"].as_f64().unwrap_or(f64::NAN);
            work.batch() as f64 * steps / run["seconds"].as_f64().unwrap_or(f64::NAN)
        })
        .collect();
    median(&mut rates)
}

fn write(root: &Path, threads: usize, results: &[Result3]) -> Outcome {
    let versions: Vec<String> = results[0]
        .runs
        .iter()
        .map(|runs| format!("{} {}", text(&runs[0]["name"]), text(&runs[0]["version"])))
        .collect();
    let mut table = Table::new(&[
        "work",
        "batch",
        "Plywood",
        "PyTorch",
        "Keras",
        "over PyTorch",
        "over Keras",
    ]);
    for result in results {
        let rates: Vec<f64> = result
            .runs
            .iter()
            .map(|runs| rate(result.work, runs))
            .collect();
        let mut row = vec![
            result.work.name().to_owned(),
            result.work.batch().to_string(),
        ];
        row.extend(rates.iter().map(|rate| format!("{rate:.0}/s")));
        row.extend(
            rates[1..]
                .iter()
                .map(|peer| format!("{:.2}x", rates[0] / peer)),
        );
        table.row(row);
    }
    let mut page = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench --peers`. Samples a second, each the median over rounds in which all contestants run in\nturn, as processes of their own; warm-up steps are not counted.\n\n",
    );
    let _ = writeln!(
        page,
        "{table}\n{threads} threads on {}. {}.",
        processor(),
        versions.join("; ")
    );
    print!("{page}");
    std::fs::write(root.join("BENCHMARKS.md"), &page)
        .map_err(|error| format!("BENCHMARKS.md: {error}"))?;
    let all: Vec<&Value> = results
        .iter()
        .flat_map(|result| result.runs.iter().flatten())
        .collect();
    let all = json!({ "processor": processor(), "threads": threads, "runs": all });
    let all = serde_json::to_string_pretty(&all).map_err(|error| error.to_string())?;
    std::fs::write(root.join("BENCHMARKS.json"), all + "\n")
        .map_err(|error| format!("BENCHMARKS.json: {error}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
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
