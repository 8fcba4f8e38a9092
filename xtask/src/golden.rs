//! `cargo xtask golden`: the values that tests compare with, computed by PyTorch and Keras.

use crate::{Outcome, process};
use std::path::Path;
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The Python that makes the virtual environment.
    #[arg(long, default_value = "python3")]
    python: String,
}

pub(crate) fn run(root: &Path, options: &Options) -> Outcome {
    let scripts = root.join("xtask/golden");
    let environment = root.join("target/golden-venv");
    let python = process::environment(
        &environment,
        &options.python,
        &scripts.join("requirements.txt"),
    )?;
    let mut command = Command::new(python);
    command
        .arg(scripts.join("golden.py"))
        .arg(root.join("crates/testing/golden"));
    process::run(&mut command)
}
