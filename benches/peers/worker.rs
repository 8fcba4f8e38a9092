//! The protocol of the contest, shared by Plywood's own worker and the Rust peers; `worker.py` is the same for Python.
//!
//! Each contestant is one long-lived process. It prints `{"name", "version"}` and then answers every line on its standard
//! input, a [`Request`], with one line of JSON:
//!
//! ```text
//! {"do": "prepare", "work": {…}}   -> {"loss": 2.1, "variant": null}     network built, warm-up steps taken
//! {"do": "run", "seconds": 0.5}    -> {"steps": 310, "seconds": 0.501}   steps on until so many seconds have passed
//! {"do": "memory"}                 -> {"bytes": 123456789}               the most memory the process has had
//! ```
//!
//! or with `{"unsupported": reason}`, or `{"error": what}`. A contestant knows networks and modes; which of them are measured,
//! how large and how long, is data that comes with the request.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// The share of a run that goes before it untimed: caches and threads that other contestants used meanwhile.
const UNTIMED: f64 = 1.0 / 8.0;

/// What is asked of a contestant.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Request {
    /// Build a network and take the warm-up steps.
    Prepare {
        /// What to do from now on.
        work: Work,
    },
    /// Do what was prepared for so long.
    Run {
        /// Seconds at least, and one step at least.
        seconds: f64,
    },
    /// Tell the most memory that the process has had.
    Memory,
}

/// What a contestant does: all that decides how long a step takes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Work {
    /// `cnn`, `gru`, `lstm`, `vgg`, `mlp` or `product`.
    pub network: String,
    /// `training`, `inference`, `stream`; of a product, whose kernel: `plywood`, `matrixmultiply`, `gemm`, `mkl`.
    pub mode: String,
    /// Samples a step.
    pub batch: usize,
    /// Steps of a sequence.
    pub steps: usize,
    /// Threads.
    pub threads: usize,
    /// Steps before the first that is timed.
    pub warm_up: usize,
    /// The last so many of them have their losses averaged.
    pub losses: usize,
    /// Seconds that the warm-up may take; 0 for any number.
    pub patience: f64,
    /// Adam's learning rate.
    pub rate: f64,
    /// Steps between two looks at the clock.
    pub repeats: usize,
    /// Samples in the files.
    pub samples: usize,
    /// Pixels of a byte each, or tokens of four bytes, little endian.
    pub inputs: PathBuf,
    /// Classes of a byte each.
    pub targets: PathBuf,
    /// Rows of the first factor of a product.
    pub m: usize,
    /// Columns of the first and rows of the second.
    pub k: usize,
    /// Columns of the second.
    pub n: usize,
}

impl Work {
    /// All pixels, in `[0, 1]`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn pixels(&self) -> Result<impl ExactSizeIterator<Item = f32> + use<>, Refusal> {
        let bytes = read(&self.inputs)?.into_iter();
        Ok(bytes.map(|byte| f32::from(byte) / 255.0))
    }

    /// All tokens.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn tokens(&self) -> Result<Vec<u32>, Refusal> {
        let bytes = read(&self.inputs)?;
        let words = bytes.as_chunks::<4>().0.iter();
        Ok(words.map(|&word| u32::from_le_bytes(word)).collect())
    }

    /// All classes.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn classes(&self) -> Result<Vec<u32>, Refusal> {
        Ok(read(&self.targets)?.into_iter().map(u32::from).collect())
    }

    /// The factors of a product, row-major: numbers without pattern, none of them denormal.
    #[must_use]
    pub fn factors(&self) -> [Vec<f32>; 2] {
        let filled = |len: usize| (0..len).map(|i| ((i * 7919 + 13) % 1000) as f32 / 500.0 - 1.0);
        [
            filled(self.m * self.k).collect(),
            filled(self.k * self.n).collect(),
        ]
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Refusal> {
    std::fs::read(path).map_err(|error| Refusal::Fault(format!("{}: {error}", path.display())))
}

/// Why a contestant does not do what it is asked for.
#[derive(Debug)]
pub enum Refusal {
    /// The framework has no means for it.
    Unsupported(String),
    /// Something went wrong.
    Fault(String),
}

impl From<String> for Refusal {
    fn from(what: String) -> Self {
        Self::Fault(what)
    }
}

/// A step, which gives its loss if it is one of training.
pub type Step<'a> = &'a mut dyn FnMut() -> Result<Option<f64>, Refusal>;

/// What lets a prepared work run.
pub trait Drive: Send {
    /// Warms `step` up and runs it as often and as long as is asked for.
    ///
    /// # Errors
    /// Those of `step`.
    fn drive(&mut self, step: Step<'_>) -> Result<(), Refusal>;
}

/// Takes the warm-up steps and gives the mean loss over the last of them.
///
/// # Errors
/// Those of `step`.
pub fn warm_up(work: &Work, step: Step<'_>) -> Result<Option<f64>, Refusal> {
    let start = Instant::now();
    let mut sum = None;
    for index in 0..work.warm_up {
        let loss = step()?;
        let took = start.elapsed().as_secs_f64();
        if work.patience > 0.0 && took > work.patience {
            let reason = format!(
                "{} of {} steps before the first timed one took {took:.1} s",
                index + 1,
                work.warm_up
            );
            return Err(Refusal::Unsupported(reason));
        }
        if index + work.losses >= work.warm_up {
            sum = loss.map(|loss| loss + sum.unwrap_or(0.0));
        }
    }
    Ok(sum.map(|sum| sum / work.losses.min(work.warm_up) as f64))
}

/// Steps until `seconds` have passed, and at least `least` times; gives how many and how long.
///
/// # Errors
/// Those of `step`.
pub fn timed(
    repeats: usize,
    seconds: f64,
    least: usize,
    step: Step<'_>,
) -> Result<(usize, f64), Refusal> {
    let start = Instant::now();
    let mut steps = 0;
    while steps < least || start.elapsed().as_secs_f64() < seconds {
        for _ in 0..repeats.max(1) {
            step()?;
        }
        steps += repeats.max(1);
    }
    Ok((steps, start.elapsed().as_secs_f64()))
}

/// Answers requests until there are no more. `begin` builds what a work needs and calls [`Drive::drive`] with its step.
pub fn serve(
    name: &str,
    version: &str,
    mut begin: impl FnMut(&Work, &mut dyn Drive) -> Result<(), Refusal>,
) {
    say(&json!({ "name": name, "version": version }));
    let mut next = listen();
    while let Some(request) = next {
        next = match request {
            Request::Prepare { work } => {
                let mut host = Host {
                    work: work.clone(),
                    next: None,
                };
                match begin(&work, &mut host) {
                    Err(Refusal::Unsupported(reason)) => say(&json!({ "unsupported": reason })),
                    Err(Refusal::Fault(what)) => say(&json!({ "error": what })),
                    Ok(()) => {}
                }
                if host.next.is_some() {
                    host.next
                } else {
                    listen()
                }
            }
            Request::Run { .. } => {
                say(&json!({ "error": "nothing is prepared" }));
                listen()
            }
            Request::Memory => {
                say(&memory());
                listen()
            }
        };
    }
}

/// Drives a work as the requests on the standard input say, until one asks for another work.
struct Host {
    work: Work,
    next: Option<Request>,
}

impl Drive for Host {
    fn drive(&mut self, step: Step<'_>) -> Result<(), Refusal> {
        let loss = warm_up(&self.work, step)?;
        say(&json!({ "loss": loss, "variant": null }));
        let mut a_step = 0.0;
        while let Some(request) = listen() {
            match request {
                Request::Run { seconds } => {
                    timed(self.work.repeats, seconds * UNTIMED - a_step, 0, step)?;
                    let (steps, took) = timed(self.work.repeats, seconds, 1, step)?;
                    a_step = took / steps as f64;
                    say(&json!({ "steps": steps, "seconds": took }));
                }
                Request::Memory => say(&memory()),
                Request::Prepare { .. } => {
                    self.next = Some(request);
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The next request; none at the end.
fn listen() -> Option<Request> {
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => match serde_json::from_str(&line) {
            Ok(request) => Some(request),
            Err(error) => {
                say(&json!({ "error": format!("{line:?}: {error}") }));
                listen()
            }
        },
    }
}

fn say(answer: &Value) {
    let mut out = std::io::stdout().lock();
    // Whoever asked is gone if this fails, and the next request will not come.
    let _ = writeln!(out, "{answer}").and_then(|()| out.flush());
}

/// The most memory that the process has had, where the system tells it.
fn memory() -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = most.and_then(|most| most.trim().split(' ').next()?.parse::<u64>().ok());
    match kibibytes {
        Some(kibibytes) => json!({ "bytes": kibibytes * 1024 }),
        None => json!({ "unsupported": "this system does not tell" }),
    }
}
