//! How the peers come onto the machine and how each contestant is started.

use super::contestant::Process;
use crate::bench::Options;
use crate::bench::works::Contestant;
use crate::{Outcome, process};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) const CONTESTANTS: [Contestant; 6] = [
    Contestant::Plywood,
    Contestant::PlywoodToo,
    Contestant::PyTorch,
    Contestant::Keras,
    Contestant::Burn,
    Contestant::Candle,
];

/// Where the contestants are.
pub(super) struct Setup {
    scripts: PathBuf,
    python: PathBuf,
    burn: PathBuf,
    candle: PathBuf,
    threads: usize,
}

impl Setup {
    /// Puts the peers there: PyTorch and Keras in a virtual environment, burn and candle built for this very processor.
    pub(super) fn new(root: &Path, options: &Options) -> Result<Self, String> {
        let scripts = root.join("benches/peers");
        Ok(Self {
            python: process::environment(
                &root.join("target/peers-venv"),
                &options.python,
                &scripts.join("requirements.txt"),
            )?,
            burn: built(root, &scripts, "burn")?,
            candle: built(root, &scripts, "candle")?,
            scripts,
            threads: options.threads,
        })
    }

    /// Starts a contestant's process.
    pub(super) fn start(&self, contestant: Contestant) -> Result<Process, String> {
        let mut command = match contestant {
            Contestant::Plywood | Contestant::PlywoodToo => {
                let this = std::env::current_exe().map_err(|error| error.to_string())?;
                let mut command = Command::new(this);
                command.args(["bench", "--worker"]);
                command
            }
            Contestant::PyTorch => self.script("pytorch.py"),
            Contestant::Keras => self.script("tensorflow_keras.py"),
            Contestant::Burn => Command::new(&self.burn),
            Contestant::Candle => Command::new(&self.candle),
        };
        command.env("RAYON_NUM_THREADS", self.threads.to_string());
        Process::start(&mut command)
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.scripts.join(name));
        command
    }
}

/// The program of a peer that is a Cargo workspace of its own, built if need be.
fn built(root: &Path, scripts: &Path, peer: &str) -> Result<PathBuf, String> {
    let target = root.join(format!("target/peers-{peer}"));
    build(&scripts.join(peer), &target)?;
    Ok(target.join(format!("release/plywood-peer-{peer}")))
}

fn build(folder: &Path, target: &Path) -> Outcome {
    let mut command = Command::new("cargo");
    command
        .args(["build", "--quiet", "--release", "--locked", "--target-dir"])
        .arg(target)
        .current_dir(folder)
        // Both choose some of their kernels when they are compiled; the best they have is what counts.
        .env("RUSTFLAGS", "-C target-cpu=native");
    process::run(&mut command)
}
