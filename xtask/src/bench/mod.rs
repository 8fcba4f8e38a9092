//! `cargo xtask bench`: kernels and steps, and the same steps in PyTorch and Keras, run in turn.

mod kernels;
mod peers;
mod steps;
mod table;

use crate::Outcome;
use std::path::Path;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs PyTorch and Keras beside, from PyPI, in a virtual environment under target/, and writes BENCHMARKS.md.
    #[arg(long)]
    peers: bool,
    /// Fewer and shorter runs.
    #[arg(long)]
    quick: bool,
    /// Threads of every contestant.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The Python that makes the virtual environment.
    #[arg(long, default_value = "python3")]
    python: String,
    /// Does one piece of work in this process and prints its figures as JSON; for `--peers`.
    #[arg(long, hide = true)]
    work: Option<steps::Work>,
    /// How long.
    #[command(flatten)]
    span: steps::Span,
}

pub(crate) fn run(root: &Path, options: &Options) -> Outcome {
    if let Some(work) = options.work {
        println!("{}", steps::run(work, options.span, options.threads)?);
        return Ok(());
    }
    if options.peers {
        return peers::run(root, options);
    }
    kernels::run(options.quick);
    println!();
    steps::print_all(options.quick, options.threads)
}

/// The middle one of `values`.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
