//! A contestant's process: it is started once and answers a line of JSON for every request.

use crate::Outcome;
use crate::bench::protocol::{Request, Work};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(super) struct Process {
    /// The name with its version.
    pub(super) name: String,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What a contestant says to a work.
pub(super) enum Answer {
    Done {
        /// Mean over the last warm-up steps, of training.
        loss: Option<f64>,
        /// Which of several ways of its own it chose.
        variant: Option<String>,
    },
    Unsupported(String),
}

/// A run: steps and how long they took together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) steps: f64,
    pub(super) seconds: f64,
}

impl Process {
    /// Starts `command`, without waiting for it.
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|error| format!("{command:?}: {error}"))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{command:?}: no way to talk to it"));
        };
        Ok(Self {
            name: format!("{command:?}"),
            child,
            requests,
            answers: BufReader::new(answers),
        })
    }

    /// Waits for name and version.
    pub(super) fn introduce(&mut self) -> Outcome {
        let hello = self.listen()?;
        let word = |key: &str| hello[key].as_str().unwrap_or("?").to_owned();
        self.name = format!("{} {}", word("name"), word("version"));
        Ok(())
    }

    pub(super) fn prepare(&mut self, work: &Work) -> Result<Answer, String> {
        let answer = self.ask(&Request::Prepare { work: work.clone() })?;
        if let Some(reason) = answer["unsupported"].as_str() {
            return Ok(Answer::Unsupported(reason.to_owned()));
        }
        Ok(Answer::Done {
            // A loss that is no number is none in JSON, and agrees with nothing.
            loss: (work.losses > 0).then(|| answer["loss"].as_f64().unwrap_or(f64::INFINITY)),
            variant: answer["variant"].as_str().map(str::to_owned),
        })
    }

    pub(super) fn run(&mut self, seconds: f64) -> Result<Run, String> {
        let answer = self.ask(&Request::Run { seconds })?;
        match (answer["steps"].as_f64(), answer["seconds"].as_f64()) {
            (Some(steps), Some(seconds)) if steps > 0.0 && seconds > 0.0 => {
                Ok(Run { steps, seconds })
            }
            _ => Err(format!("{} answered {answer} and no time", self.name)),
        }
    }

    /// The most memory that the process has had, in bytes.
    pub(super) fn memory(&mut self) -> Result<Option<u64>, String> {
        Ok(self.ask(&Request::Memory)?["bytes"].as_u64())
    }

    fn ask(&mut self, request: &Request) -> Result<Value, String> {
        let line = serde_json::to_string(request).map_err(|error| error.to_string())?;
        writeln!(self.requests, "{line}").map_err(|error| format!("{}: {error}", self.name))?;
        let answer = self.listen()?;
        match answer["error"].as_str() {
            Some(what) => Err(format!("{} failed at {line}:\n{what}", self.name)),
            None => Ok(answer),
        }
    }

    fn listen(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        match read.map_err(|error| format!("{}: {error}", self.name))? {
            0 => Err(format!("{} ended before it answered", self.name)),
            _ => serde_json::from_str(&line)
                .map_err(|error| format!("{} said {line:?}: {error}", self.name)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
