//! The chores of the workspace: `cargo xtask <command>`.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod data;
mod expand;
mod golden;
mod process;
mod tidy;

use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The chores of Plywood.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks what the compiler does not: dependencies point downwards, files open with what they are, and more.
    Tidy,
    /// Makes the golden values of PyTorch and Keras anew, in a virtual environment under target/.
    Golden(golden::Options),
    /// Puts the data sets where the examples find them, and says where that is.
    Data,
    /// Measures kernels and whole steps; with --peers, side by side with PyTorch, Keras, burn and candle.
    Bench(bench::Options),
    /// Prints what `model!` makes of the networks of an example or a file.
    Expand(expand::Options),
    /// What continuous integration runs.
    Ci,
}

/// What a chore ends with: nothing, or a message.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let outcome = match Options::parse().command {
        Command::Tidy => tidy::run(&root()),
        Command::Golden(options) => golden::run(&root(), &options),
        Command::Data => data::run(),
        Command::Bench(options) => bench::run(&root(), &options),
        Command::Expand(options) => expand::run(&root(), &options),
        Command::Ci => ci::run(&root()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask lies in the root").to_owned()
}
