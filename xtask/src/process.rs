//! Running other programs, and virtual environments for Python.

use crate::Outcome;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `command`, whose output passes through.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command
        .status()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?} ended with {status}"))
    }
}

/// Runs `command` and gives what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{command:?} ended with {}:\n{said}", output.status))
    }
}

/// The Python of a virtual environment at `folder` that has what `requirements` lists; made by `python` if need be.
pub(crate) fn environment(
    folder: &Path,
    python: &str,
    requirements: &Path,
) -> Result<PathBuf, String> {
    let inside = folder.join("bin/python");
    if !inside.exists() {
        run(Command::new(python).args(["-m", "venv"]).arg(folder)).map_err(|error| {
            format!("{error}\na Python with the module venv is needed; --python names another one")
        })?;
    }
    let mut install = Command::new(&inside);
    install
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(requirements);
    run(&mut install).map_err(|error| {
        let folder = folder.display();
        format!(
            "{error}\nthe packages are in {}; if {folder} is damaged, remove it",
            requirements.display()
        )
    })?;
    Ok(inside)
}
