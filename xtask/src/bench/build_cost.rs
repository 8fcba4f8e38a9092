//! `cargo xtask bench --build`: what networks cost at build time. The macro alone, and rustc with and without it.
//!
//! A crate of its own under `target/` depends on the library and holds one network of so many layers. What the library itself takes is
//! compiled before and not counted; a network's file is changed before every run, and built incrementally, as the README advises.

use super::median;
use super::table::Table;
use crate::Outcome;
use crate::process::run as run_command;
use proc_macro2::TokenStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Layers of the networks; none is a program without a network.
const LAYERS: [usize; 5] = [0, 10, 50, 200, 500];
/// How often each is timed.
const RUNS: usize = 5;

pub(super) fn run(root: &Path) -> Outcome {
    let program = Program::new(root)?;
    let mut table = Table::new(&[
        "layers",
        "macro, ms",
        "cargo check, s",
        "build --release, s",
        "ms a layer, check",
        "ms a layer, release",
    ]);
    let mut without = [0.0; 2];
    for layers in LAYERS {
        let check = program.build(layers, &["check"])?;
        let release = program.build(layers, &["build", "--release"])?;
        if layers == 0 {
            without = [check, release];
        }
        let a_layer = |seconds: f64, without: f64| match layers {
            0 => "–".to_owned(),
            _ => format!("{:.1}", (seconds - without) * 1e3 / layers as f64),
        };
        table.row([
            layers.to_string(),
            expansion(layers)?,
            format!("{check:.2}"),
            format!("{release:.2}"),
            a_layer(check, without[0]),
            a_layer(release, without[1]),
        ]);
    }
    print!("{table}");
    let rebuilt = program.rebuild(root, "fashion_mnist")?;
    println!("\nfashion_mnist, release, rebuilt after a changed line: {rebuilt:.2} s");
    Ok(())
}

/// The list of a network of so many layers, which fit.
fn network(layers: usize) -> String {
    let inner = ["Dense(64)", "Relu"].into_iter().cycle().take(layers - 1);
    let list: Vec<_> = inner.chain(["Dense(10)"]).collect();
    format!("Net: Vector<64> => Logits<10> {{ {} }}", list.join(", "))
}

/// Milliseconds of the macro's compiler, optimized.
fn expansion(layers: usize) -> Result<String, String> {
    if layers == 0 {
        return Ok("–".to_owned());
    }
    let tokens: TokenStream = network(layers)
        .parse()
        .map_err(|error| format!("the network is no Rust: {error}"))?;
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let expanded = plywood_model_compiler::compile(tokens.clone());
            let taken = start.elapsed();
            drop(expanded);
            taken.as_secs_f64() * 1e3
        })
        .collect();
    Ok(format!("{:.2}", median(&mut times)))
}

/// The crate that holds a network.
struct Program {
    folder: PathBuf,
}

impl Program {
    fn new(root: &Path) -> Result<Self, String> {
        let folder = root.join("target/build-cost");
        let manifest = "[package]
name = \"build-cost\"
version = \"0.0.0\"
edition = \"2024\"

[dependencies]
clap = { version = \"4.6\", features = [\"derive\"] }
plywood = { path = \"../../crates/plywood\" }
plywood-data = { path = \"../../crates/data\", features = [\"download\"] }

[profile.release.package.build-cost]
incremental = true

[workspace]
";
        let program = Self { folder };
        std::fs::create_dir_all(program.folder.join("src"))
            .map_err(|error| format!("{}: {error}", program.folder.display()))?;
        program.write("Cargo.toml", manifest)?;
        let lock = root.join("Cargo.lock");
        let lock = std::fs::read_to_string(&lock)
            .map_err(|error| format!("{}: {error}", lock.display()))?;
        program.write("Cargo.lock", &lock)?;
        Ok(program)
    }

    fn write(&self, file: &str, text: &str) -> Outcome {
        let path = self.folder.join(file);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Seconds that cargo takes for the program with a network of so many layers.
    fn build(&self, layers: usize, command: &[&str]) -> Result<f64, String> {
        let (network, uses) = match layers {
            0 => (String::new(), ""),
            _ => (
                format!("plywood::model! {{ {} }}", network(layers)),
                "println!(\"{}\", Net::new(Seed(1)).parameters().len());
                let mut trainer = Trainer::<Net, Class<10>>::new(&Net::new(Seed(1)), Seed(1));
                let objective = plywood::nn::engine::Objective { loss: &CrossEntropy, metric: &() };
                let examples = Examples::new(Batch::new(8), Batch::new(8));
                let adam = Adam::default();
                trainer.step(&mut Net::new(Seed(1)), &examples, objective, (&adam, 1e-3), &mut []);",
            ),
        };
        let text = |turn: usize| {
            format!(
                "#![allow(unused_imports)]
use plywood::prelude::*;
{network}
fn main() {{ println!(\"{turn}\"); {uses} }}\n"
            )
        };
        self.timed(text, command)
    }

    /// Seconds until an example is built anew.
    fn rebuild(&self, root: &Path, example: &str) -> Result<f64, String> {
        let path = root.join(format!("examples/{example}.rs"));
        let source = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let text = |turn: usize| source.replace("test accuracy", &format!("{turn}: accuracy"));
        self.timed(text, &["build", "--release"])
    }

    /// The middle time over some runs of `cargo command`, each with other text.
    fn timed(&self, text: impl Fn(usize) -> String, command: &[&str]) -> Result<f64, String> {
        let mut times = Vec::new();
        for turn in 0..=RUNS {
            self.write("src/main.rs", &text(turn))?;
            let mut cargo = Command::new("cargo");
            cargo.args(command).arg("--quiet").current_dir(&self.folder);
            let start = Instant::now();
            run_command(&mut cargo)?;
            times.push(start.elapsed().as_secs_f64());
        }
        // The first run may compile what the program depends on.
        times.remove(0);
        Ok(median(&mut times))
    }
}
