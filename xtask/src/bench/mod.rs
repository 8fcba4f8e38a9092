//! `cargo xtask bench`: kernels and whole steps; the same steps beside those of the peers; how time grows with size.

mod build_cost;
mod contest;
mod data;
mod growth;
mod kernels;
mod machine;
mod own;
#[path = "../../../benches/peers/worker.rs"]
#[allow(unreachable_pub)] // The peers share the file.
mod protocol;
mod table;
mod works;

use crate::Outcome;
use data::Data;
use std::path::Path;
use table::Table;
use works::Effort;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs PyTorch, Keras, burn and candle beside, from their registries, under target/, and writes BENCHMARKS.md.
    #[arg(long)]
    peers: bool,
    /// How time grows with batch, image side, sequence, state and threads; writes BENCHMARKS-GROWTH.md.
    #[arg(long, conflicts_with = "peers")]
    growth: bool,
    /// Where the time of Plywood's training steps goes, by layer and phase.
    #[arg(long, conflicts_with_all = ["peers", "growth"])]
    profile: bool,
    /// What networks of some to many layers cost at build time.
    #[arg(long, conflicts_with_all = ["peers", "growth", "profile"])]
    build: bool,
    /// Fewer and shorter runs.
    #[arg(long)]
    quick: bool,
    /// Threads of every contestant.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The Python that makes the virtual environment.
    #[arg(long, default_value = "python3")]
    python: String,
    /// Plywood's worker in the contest of `--peers`.
    #[arg(long, hide = true)]
    worker: bool,
}

impl Options {
    fn effort(&self) -> Effort {
        Effort {
            quick: self.quick,
            threads: self.threads,
        }
    }
}

pub(crate) fn run(root: &Path, options: &Options) -> Outcome {
    if options.worker {
        own::serve();
        return Ok(());
    }
    if options.peers {
        return contest::run(root, options);
    }
    if options.growth {
        return growth::run(root, options.effort());
    }
    if options.build {
        return build_cost::run(root);
    }
    if options.profile {
        return profiles(root, options.effort());
    }
    kernels::run(options.quick, options.threads)?;
    println!();
    steps(root, options.effort())
}

/// Prints Plywood's whole steps.
fn steps(root: &Path, effort: Effort) -> Outcome {
    let data = Data::at(root.join("target/bench-data"));
    data.write()?;
    println!("steps on {} threads", effort.threads);
    let mut table = Table::new(&["work", "ms a step", "rate", "unit"]);
    for row in works::steps(&data, effort) {
        let cells = match own::run(&row.entries[0].work, effort.seconds(row.section)) {
            Ok(timed) => {
                let step = timed.seconds / timed.steps as f64;
                [
                    format!("{:.3}", step * 1e3),
                    format!("{:.0}", row.units / step),
                ]
            }
            Err(reason) => [reason, String::new()],
        };
        let [milliseconds, rate] = cells;
        table.row([row.title, milliseconds, rate, row.unit.to_owned()]);
    }
    print!("{table}");
    Ok(())
}

/// Prints where the time of Plywood's training steps goes.
fn profiles(root: &Path, effort: Effort) -> Outcome {
    let data = Data::at(root.join("target/bench-data"));
    data.write()?;
    let full = works::steps(&data, effort).filter(works::Row::is_training);
    for mut row in full.chain(works::in_bf16(&data, effort)) {
        let work = &mut row.entries[0].work;
        println!(
            "{} ({}) on {} threads",
            row.title, work.mode, effort.threads
        );
        work.mode.push_str(", profiled");
        own::run(work, effort.seconds(row.section))?;
    }
    Ok(())
}

/// The middle one of `values`.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
