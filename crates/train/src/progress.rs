//! What a training shows while it runs: a bar on a terminal, one plain line an epoch elsewhere.

use crate::history::Epoch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Where progress goes.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Nowhere.
    Quiet,
    /// To standard error.
    Shown(ProgressBar),
}

/// How often the bar is drawn, a second.
const FRAMES_PER_SECOND: u8 = 5;

impl Progress {
    /// A bar over `steps` steps for epoch `number` of `epochs`; without a terminal nothing moves.
    pub(crate) fn start(quiet: bool, number: usize, epochs: usize, steps: usize) -> Self {
        if quiet {
            return Self::Quiet;
        }
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
        let style =
            ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len}  {msg}  {eta} left")
                .expect("the template is well-formed");
        bar.set_style(style);
        bar.set_prefix(format!("epoch {number}/{epochs}"));
        Self::Shown(bar)
    }

    /// One step further; `loss` is asked for when it is time to show it.
    pub(crate) fn step(&self, done: usize, loss: f64) {
        let Self::Shown(bar) = self else { return };
        if bar.is_hidden() {
            return;
        }
        bar.inc(1);
        // A message is a string of its own; every 32nd step is often enough for an eye.
        if done.is_multiple_of(32) {
            bar.set_message(format!("loss {loss:.4}"));
        }
    }

    /// The bar gives way to the epoch's line.
    pub(crate) fn finish(&self, epoch: &Epoch) {
        let Self::Shown(bar) = self else { return };
        bar.finish_and_clear();
        eprintln!("{epoch}");
    }
}
