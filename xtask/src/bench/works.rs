//! The table of works: what is measured, how large it is, and who does it. It exists here once; contestants are sent it as data.

use super::data::Data;
use super::kernels::{SQUARES, THIN};
use super::protocol::Work;

/// Who takes part. Each is a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contestant {
    Plywood,
    /// A second process of Plywood's, for contests of Plywood with itself.
    PlywoodToo,
    PyTorch,
    Keras,
    Burn,
    Candle,
}

/// A table of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Whole steps, everybody.
    Steps,
    /// Matrix products on one thread: Plywood's and three libraries'.
    Products,
    /// Plywood alone, on one thread and on all.
    Threads,
    /// Plywood alone, with products in bf16 and in full precision.
    Precision,
}

/// One row: the same work, done by several.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) section: Section,
    pub(super) title: String,
    /// What is counted.
    pub(super) unit: &'static str,
    /// How many of them a step has.
    pub(super) units: f64,
    /// Who does it, by name, first the one that the others are compared with.
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) contestant: Contestant,
    pub(super) work: Work,
}

/// How thorough the measurement is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    pub(super) quick: bool,
    pub(super) threads: usize,
}

impl Effort {
    /// How often all contestants have their turn.
    pub(super) fn rounds(self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// Seconds that a contestant may warm up; who needs longer is left out of a quick measurement.
    fn patience(self) -> f64 {
        if self.quick { 5.0 } else { 0.0 }
    }

    /// Seconds of a run.
    pub(super) fn seconds(self, section: Section) -> f64 {
        match (section, self.quick) {
            (Section::Products, true) => 0.05,
            (Section::Products, false) => 0.5,
            (_, true) => 0.25,
            (_, false) => 1.5,
        }
    }
}

/// The peers in whole steps.
const PEERS: [(&str, Contestant); 4] = [
    ("PyTorch", Contestant::PyTorch),
    ("Keras", Contestant::Keras),
    ("burn", Contestant::Burn),
    ("candle", Contestant::Candle),
];

/// Network, mode, batch, steps of a sequence, and warm-up steps in a quick and in a thorough measurement: enough for the losses of a
/// training to have moved where their agreement is looked at.
type Step = (&'static str, &'static str, usize, usize, [usize; 2]);

const STEPS: [Step; 14] = [
    ("cnn", "training", 32, 1, [40, 100]),
    ("cnn", "training", 256, 1, [8, 60]),
    ("cnn", "inference", 1, 1, [20, 50]),
    ("cnn", "inference", 250, 1, [3, 20]),
    ("gru", "training", 32, 100, [10, 60]),
    ("gru", "training", 32, 32, [20, 60]),
    ("lstm", "training", 32, 100, [10, 60]),
    ("lstm", "training", 32, 32, [20, 60]),
    ("gru", "inference", 256, 100, [2, 10]),
    ("lstm", "inference", 256, 100, [2, 10]),
    ("gru", "stream", 1, 100, [50, 200]),
    ("lstm", "stream", 1, 100, [50, 200]),
    ("vgg", "training", 64, 1, [4, 4]),
    ("mlp", "training", 128, 1, [40, 100]),
];

/// All rows, in the order of the page.
pub(super) fn all(data: &Data, effort: Effort) -> Vec<Row> {
    let mut rows: Vec<Row> = steps(data, effort).map(Row::with_peers).collect();
    rows.extend(products(effort));
    if effort.threads > 1 {
        let trainings = steps(data, effort).filter(|row| row.is_training());
        rows.extend(trainings.map(|row| row.on_threads(effort.threads)));
    }
    rows.extend(in_bf16(data, effort));
    rows
}

/// The training steps that are worth bf16.
pub(super) fn in_bf16(data: &Data, effort: Effort) -> impl Iterator<Item = Row> {
    let wide = steps(data, effort).filter(|row| {
        let work = &row.entries[0].work;
        row.is_training() && matches!(work.network.as_str(), "vgg" | "mlp")
    });
    wide.map(Row::in_bf16)
}

/// The rows of whole steps, with Plywood alone.
pub(super) fn steps(data: &Data, effort: Effort) -> impl Iterator<Item = Row> {
    STEPS.into_iter().map(move |step| row(step, data, effort))
}

fn row((network, mode, batch, steps, warm_up): Step, data: &Data, effort: Effort) -> Row {
    let warm_up = warm_up[usize::from(!effort.quick)];
    let work = Work {
        network: network.to_owned(),
        mode: mode.to_owned(),
        batch,
        steps,
        threads: effort.threads,
        warm_up,
        losses: if mode == "training" {
            warm_up.div_ceil(2)
        } else {
            0
        },
        repeats: 1,
        patience: effort.patience(),
        // The VGG leaps at the usual rate, and early losses that leap cannot be compared.
        rate: if network == "vgg" { 1e-4 } else { 1e-3 },
        ..data.of(network, mode, steps)
    };
    let name = match network {
        "vgg" => "VGG, 32×32×3".to_owned(),
        _ => network.to_uppercase(),
    };
    let title = match (mode, steps) {
        ("stream", _) => format!("{name}, one stream, step by step"),
        (_, 1) => format!("{name} {mode}, batch {batch}"),
        _ => format!("{name} {mode}, batch {batch}, T {steps}"),
    };
    let (unit, a_sample) = match (network, mode) {
        (_, "stream") => ("tokens/s", 1),
        ("gru" | "lstm", _) => ("tokens/s", steps),
        _ => ("images/s", 1),
    };
    Row {
        section: Section::Steps,
        title,
        unit,
        units: (batch * a_sample) as f64,
        entries: vec![Entry {
            name: "Plywood",
            contestant: Contestant::Plywood,
            work,
        }],
    }
}

impl Row {
    /// Whether the losses say that all do the same.
    pub(super) fn is_training(&self) -> bool {
        self.entries[0].work.losses > 0
    }

    fn with_peers(mut self) -> Self {
        let work = self.entries[0].work.clone();
        let peers = PEERS.map(|(name, contestant)| Entry {
            name,
            contestant,
            work: work.clone(),
        });
        self.entries.extend(peers);
        self
    }

    /// The same by two processes of Plywood's, on all threads and on one.
    fn on_threads(mut self, threads: usize) -> Self {
        let mut one = self.entries[0].clone();
        self.entries[0].name = if threads == 2 {
            "two threads"
        } else {
            "all threads"
        };
        one.name = "one thread";
        one.contestant = Contestant::PlywoodToo;
        one.work.threads = 1;
        self.section = Section::Threads;
        self.entries.push(one);
        self
    }

    /// The same by two processes of Plywood's, with products in bf16 and in full precision.
    fn in_bf16(mut self) -> Self {
        let mut full = self.entries[0].clone();
        self.entries[0].name = "bf16";
        "training in bf16".clone_into(&mut self.entries[0].work.mode);
        full.name = "f32";
        full.contestant = Contestant::PlywoodToo;
        self.section = Section::Precision;
        self.entries.push(full);
        self
    }
}

fn products(effort: Effort) -> impl Iterator<Item = Row> {
    let squares = SQUARES.into_iter().map(|side| [side; 3]);
    squares.chain(THIN).map(move |sizes| product(sizes, effort))
}

/// Floating-point operations between two looks at the clock, in products: some hundred microseconds.
const BETWEEN_LOOKS: usize = 10_000_000;

fn product([m, k, n]: [usize; 3], effort: Effort) -> Row {
    let flops = 2 * m * k * n;
    let repeats = BETWEEN_LOOKS.div_ceil(flops);
    let work = |mode: &str| Work {
        network: "product".to_owned(),
        mode: mode.to_owned(),
        threads: 1,
        warm_up: if effort.quick { repeats } else { 10 * repeats },
        repeats,
        m,
        k,
        n,
        ..Work::default()
    };
    let entry = |name, contestant, mode| Entry {
        name,
        contestant,
        work: work(mode),
    };
    Row {
        section: Section::Products,
        title: format!("{m}×{k} by {k}×{n}"),
        unit: "GFLOP/s",
        units: flops as f64 / 1e9,
        entries: vec![
            entry("Plywood", Contestant::Plywood, "plywood"),
            entry("matrixmultiply", Contestant::PlywoodToo, "matrixmultiply"),
            entry("gemm", Contestant::Candle, "gemm"),
            entry("MKL", Contestant::PyTorch, "mkl"),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::{Contestant, Data, Effort, Section, all};

    #[test]
    fn every_row_is_the_same_work_for_everybody() {
        let effort = Effort {
            quick: true,
            threads: 2,
        };
        let rows = all(&Data::at("data".into()), effort);
        for row in &rows {
            let first = &row.entries[0].work;
            for entry in &row.entries {
                assert_eq!(first.network, entry.work.network, "{}", row.title);
                assert_eq!(first.batch, entry.work.batch, "{}", row.title);
                assert_eq!(first.warm_up, entry.work.warm_up, "{}", row.title);
                assert_eq!(first.inputs, entry.work.inputs, "{}", row.title);
            }
            assert!(row.units > 0.0 && row.entries.len() >= 2, "{}", row.title);
        }
        let of = |section| rows.iter().filter(|row| row.section == section).count();
        assert_eq!(
            (
                of(Section::Steps),
                of(Section::Products),
                of(Section::Threads),
                of(Section::Precision)
            ),
            (14, 11, 8, 2)
        );
    }

    #[test]
    fn nobody_competes_with_himself_in_one_process() {
        let effort = Effort {
            quick: false,
            threads: 2,
        };
        for row in all(&Data::at("data".into()), effort) {
            let mut seen: Vec<Contestant> = Vec::new();
            for entry in &row.entries {
                assert!(!seen.contains(&entry.contestant), "{}", row.title);
                seen.push(entry.contestant);
            }
        }
    }

    #[test]
    fn two_threads_are_compared_with_one() {
        let effort = Effort {
            quick: true,
            threads: 2,
        };
        let rows = all(&Data::at("data".into()), effort);
        let row = rows
            .iter()
            .find(|row| row.section == Section::Threads)
            .unwrap();
        let threads: Vec<usize> = row.entries.iter().map(|entry| entry.work.threads).collect();
        assert_eq!(threads, [2, 1]);
    }
}
