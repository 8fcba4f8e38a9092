//! What came out of a contest: rates, ratios, whether the losses agree, and the record of all runs.

use super::contestant::Run;
use crate::Outcome;
use crate::bench::median;
use crate::bench::works::Row;
use serde_json::{Value, json};

/// Losses further apart than this share say that the contestants do not do the same: they draw weights and dropout differently, and no more.
const LOSS_TOLERANCE: f64 = 0.2;

/// Means of fewer losses than this, soon after the first step, tell mostly what weights were drawn: they may lie twice as far apart.
const FEW_LOSSES: usize = 4;

/// What one contestant did of a row.
#[derive(Debug, Default)]
pub(super) struct Entered {
    pub(super) loss: Option<f64>,
    pub(super) variant: Option<String>,
    pub(super) unsupported: Option<String>,
    pub(super) runs: Vec<Run>,
}

/// A row, and what everybody did of it.
pub(super) struct Contested {
    pub(super) row: Row,
    pub(super) entered: Vec<Entered>,
}

/// The most memory of a contestant's process.
pub(super) struct Memory {
    pub(super) name: &'static str,
    pub(super) bytes: Option<u64>,
}

/// A whole contest.
pub(super) struct Outcomes {
    pub(super) results: Vec<Contested>,
    pub(super) memory: Vec<Memory>,
    /// Names with versions.
    pub(super) contestants: Vec<String>,
    pub(super) threads: usize,
    pub(super) quick: bool,
    pub(super) processor: String,
}

impl Entered {
    /// Whether a step took longer than so many seconds.
    pub(super) fn slow(&self, seconds: f64) -> bool {
        self.runs
            .iter()
            .any(|run| run.seconds > seconds * run.steps)
    }
}

impl Contested {
    /// Refuses a training whose losses are too far apart for the same work.
    pub(super) fn losses_agree(&self) -> Outcome {
        let losses: Vec<f64> = self
            .entered
            .iter()
            .filter_map(|entered| entered.loss)
            .collect();
        let low = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let high = losses.iter().copied().fold(0.0, f64::max);
        let few = self.row.entries[0].work.losses < FEW_LOSSES;
        let tolerance = if few { 2.0 } else { 1.0 } * LOSS_TOLERANCE;
        if losses.is_empty() || (high.is_finite() && high - low <= tolerance * high) {
            return Ok(());
        }
        Err(format!(
            "{}: the losses {losses:?} do not agree, so the work is not the same",
            self.row.title
        ))
    }

    /// Takes all runs back.
    pub(super) fn refuse(&mut self, reason: &str) {
        for entered in &mut self.entered {
            entered.runs.clear();
            entered.unsupported = Some(reason.to_owned());
        }
    }

    /// Units a second of each, the median over the rounds; none where there was no run.
    pub(super) fn rates(&self) -> Vec<Option<f64>> {
        let rate = |run: &Run| self.row.units * run.steps / run.seconds;
        let of = |entered: &Entered| {
            let mut rates: Vec<f64> = entered.runs.iter().map(rate).collect();
            (!rates.is_empty()).then(|| median(&mut rates))
        };
        self.entered.iter().map(of).collect()
    }

    /// How many times as fast the first is as each of the others.
    pub(super) fn ratios(&self) -> Vec<Option<f64>> {
        let rates = self.rates();
        let ratio = |other: &Option<f64>| Some(rates[0]? / (*other)?);
        rates[1..].iter().map(ratio).collect()
    }

    /// How many times as fast the first is as the fastest of the others.
    pub(super) fn over_the_fastest(&self) -> Option<f64> {
        self.ratios().into_iter().flatten().min_by(f64::total_cmp)
    }

    fn record(&self) -> Value {
        let rates = self.rates();
        let entries = self.row.entries.iter().zip(&self.entered).zip(rates);
        let entries = entries.map(|((entry, entered), rate)| {
            json!({
                "name": entry.name,
                "network": entry.work.network,
                "mode": entry.work.mode,
                "batch": entry.work.batch,
                "steps": entry.work.steps,
                "threads": entry.work.threads,
                "warm_up": entry.work.warm_up,
                "loss": entered.loss,
                "variant": entered.variant,
                "unsupported": entered.unsupported,
                "rate": rate,
                "runs": entered.runs.iter().map(|run| json!([run.steps, run.seconds])).collect::<Vec<_>>(),
            })
        });
        json!({
            "title": self.row.title,
            "unit": self.row.unit,
            "units_a_step": self.row.units,
            "entries": entries.collect::<Vec<_>>(),
        })
    }
}

impl Outcomes {
    /// Everything, as JSON; a run is its steps and its seconds.
    pub(super) fn record(&self) -> String {
        let memory = self.memory.iter();
        let record = json!({
            "processor": self.processor,
            "threads": self.threads,
            "quick": self.quick,
            "contestants": self.contestants,
            "results": self.results.iter().map(Contested::record).collect::<Vec<_>>(),
            "memory": memory.map(|memory| json!({ "name": memory.name, "bytes": memory.bytes })).collect::<Vec<_>>(),
        });
        format!("{record:#}\n")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Contested, Entered, Run};
    use crate::bench::data::Data;
    use crate::bench::works::{Effort, all};

    /// The first row, with one run of ten steps in so many seconds by each, and a loss.
    pub(in super::super) fn contested(of_each: &[(f64, f64)]) -> Contested {
        let effort = Effort {
            quick: true,
            threads: 2,
        };
        let row = all(&Data::at("data".into()), effort).remove(0);
        let enter = |&(seconds, loss)| Entered {
            loss: Some(loss),
            runs: vec![Run {
                steps: 10.0,
                seconds,
            }],
            ..Entered::default()
        };
        Contested {
            row,
            entered: of_each.iter().map(enter).collect(),
        }
    }

    #[test]
    fn ratios_are_over_everybody_and_over_the_fastest() {
        let mut contested = contested(&[(1.0, 0.5), (2.0, 0.5), (4.0, 0.5), (3.0, 0.5)]);
        contested.entered.push(Entered {
            unsupported: Some("cannot".to_owned()),
            ..Entered::default()
        });
        assert_eq!(contested.rates()[..2], [Some(320.0), Some(160.0)]);
        assert_eq!(contested.ratios(), [Some(2.0), Some(4.0), Some(3.0), None]);
        assert_eq!(contested.over_the_fastest(), Some(2.0));
    }

    #[test]
    fn the_middle_round_counts() {
        let mut contested = contested(&[(1.0, 0.5), (2.0, 0.5)]);
        for seconds in [0.5, 100.0] {
            contested.entered[0].runs.push(Run {
                steps: 10.0,
                seconds,
            });
        }
        assert_eq!(contested.rates()[0], Some(320.0));
        assert!(contested.entered[0].slow(5.0) && !contested.entered[0].slow(20.0));
    }

    #[test]
    fn losses_of_other_work_are_refused() {
        let agree = |losses: [f64; 3]| contested(&losses.map(|loss| (1.0, loss))).losses_agree();
        assert!(agree([0.50, 0.52, 0.48]).is_ok());
        assert!(agree([0.50, 0.90, 0.48]).unwrap_err().contains("0.9"));
        let mut refused = contested(&[(1.0, 0.5), (1.0, 0.9)]);
        refused.refuse("no");
        assert_eq!(refused.rates(), [None, None]);
        assert_eq!(refused.over_the_fastest(), None);
        assert!(
            agree([0.50, f64::INFINITY, 0.48])
                .unwrap_err()
                .contains("inf")
        );
    }

    #[test]
    fn losses_soon_after_the_start_may_lie_further_apart() {
        let mut early = contested(&[(1.0, 2.45), (1.0, 1.89), (1.0, 2.57)]);
        assert!(early.losses_agree().is_err());
        early.row.entries[0].work.losses = 2;
        assert!(early.losses_agree().is_ok());
        early.entered[1].loss = Some(1.2);
        assert!(early.losses_agree().is_err());
    }

    #[test]
    fn work_without_losses_agrees() {
        let mut contested = contested(&[(1.0, 0.0), (1.0, 0.0)]);
        for entered in &mut contested.entered {
            entered.loss = None;
        }
        assert!(contested.losses_agree().is_ok());
    }
}
