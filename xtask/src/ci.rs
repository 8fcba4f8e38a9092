//! `cargo xtask ci`: what continuous integration runs, by hand.

use crate::{Outcome, process};
use std::path::Path;
use std::process::Command;

pub(crate) fn run(root: &Path) -> Outcome {
    process::run(Command::new("bash").arg(".ci/run").current_dir(root))
}
