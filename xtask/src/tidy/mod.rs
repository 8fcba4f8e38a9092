//! `cargo xtask tidy`: what is always true of the workspace and no compiler checks.

mod dependencies;
mod sources;

use crate::{Outcome, process};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A place and what is wrong there.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    place: String,
    what: String,
}

impl Fault {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
        }
    }
}

pub(crate) fn run(root: &Path) -> Outcome {
    let mut metadata = Command::new("cargo");
    metadata
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root);
    let metadata = process::output(&mut metadata)?;
    let metadata = serde_json::from_str(&metadata).map_err(|error| error.to_string())?;
    let mut faults = dependencies::check(&metadata);
    for path in rust_files(root)? {
        let text = std::fs::read_to_string(root.join(&path))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        faults.extend(sources::check(&path.to_string_lossy(), &text));
    }
    for fault in &faults {
        eprintln!("{}: {}", fault.place, fault.what);
    }
    if faults.is_empty() {
        println!("tidy");
        Ok(())
    } else {
        Err(format!("{} faults", faults.len()))
    }
}

/// The Rust files of the repository, tracked or new, relative to its root.
fn rust_files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut list = Command::new("git");
    list.args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "*.rs",
    ])
    .current_dir(root);
    let files = process::output(&mut list)?;
    let files = files
        .lines()
        .map(PathBuf::from)
        .filter(|path| root.join(path).exists());
    Ok(files.collect())
}
