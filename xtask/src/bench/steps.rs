//! Whole steps of the chapter's two networks, in this process.

use super::table::Table;
use crate::Outcome;
use plywood::nn::engine::Objective;
use plywood::prelude::*;
use serde_json::{Value, json};
use std::time::Instant;

plywood::model! {
    pub Cnn: Image<28, 28, 1> => Logits<10> {
        Conv2d(32, kernel: 3), Relu, MaxPool2d(2),
        Conv2d(64, kernel: 3), Relu, MaxPool2d(2),
        Conv2d(64, kernel: 3), Relu,
        Flatten,
        Dense(64), Relu,
        Dense(10),
    }
}

plywood::model! {
    pub Tagger: Sequence<Token<10_000>> => Sequence<Logits<10>> {
        Embedding(64),
        Gru(64, dropout: 0.1, returns: sequence),
        Dense(64), Relu,
        Dense(10),
    }
}

/// A piece of work, the same for every contestant.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Work {
    #[value(name = "cnn-training")]
    CnnTraining,
    #[value(name = "cnn-inference-250")]
    CnnInference250,
    #[value(name = "cnn-inference-1")]
    CnnInference1,
    #[value(name = "gru-training")]
    GruTraining,
    #[value(name = "gru-inference-256")]
    GruInference256,
}

/// All of them.
pub(super) const ALL: [Work; 5] = [
    Work::CnnTraining,
    Work::CnnInference250,
    Work::CnnInference1,
    Work::GruTraining,
    Work::GruInference256,
];

// As in benches/peers/work.py.
const WARM_UP: usize = 20;
/// The loss is the mean over as many steps.
const LOSS_STEPS: usize = 50;
/// Images that the batches are cut from.
const IMAGES: usize = 12_800;
const BATCHES_OF_TEXTS: usize = 40;
/// Steps of a sequence.
const STEPS: usize = 100;
/// Tokens of the texts and classes of their steps.
const VOCABULARY: u64 = 10_000;
const CLASSES: u32 = 10;

impl Work {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CnnTraining => "cnn-training",
            Self::CnnInference250 => "cnn-inference-250",
            Self::CnnInference1 => "cnn-inference-1",
            Self::GruTraining => "gru-training",
            Self::GruInference256 => "gru-inference-256",
        }
    }

    pub(super) fn batch(self) -> usize {
        match self {
            Self::CnnTraining | Self::GruTraining => 32,
            Self::CnnInference250 => 250,
            Self::CnnInference1 => 1,
            Self::GruInference256 => 256,
        }
    }

    /// What a batch has one of for every sample.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::CnnTraining | Self::CnnInference250 | Self::CnnInference1 => "images",
            Self::GruTraining | Self::GruInference256 => "tokens",
        }
    }

    /// Images or tokens of a batch.
    pub(super) fn units(self) -> usize {
        match self.unit() {
            "tokens" => STEPS * self.batch(),
            _ => self.batch(),
        }
    }

    pub(super) fn is_training(self) -> bool {
        matches!(self, Self::CnnTraining | Self::GruTraining)
    }
}

/// How long a run is: both hold.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Span {
    /// Steps timed at least; the loss is that of the last of them.
    #[arg(long, hide = true, default_value_t = 100)]
    pub(super) steps: usize,
    /// Seconds timed at least.
    #[arg(long, hide = true, default_value_t = 1.0)]
    pub(super) seconds: f64,
}

impl Span {
    /// Long enough for a figure, or for a glance.
    pub(super) fn new(quick: bool) -> Self {
        let seconds = if quick { 1.5 } else { 5.0 };
        Self {
            steps: 100,
            seconds,
        }
    }
}

/// What a run measured.
struct Timed {
    steps: usize,
    seconds: f64,
    /// Mean over the last of the steps that are always done; of training alone.
    loss: Option<f64>,
}

/// Does `work` on `threads` threads for `span` and says how long it took.
pub(super) fn run(work: Work, span: Span, threads: usize) -> Result<Value, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| error.to_string())?;
    let timed = match work {
        Work::CnnTraining | Work::CnnInference250 | Work::CnnInference1 => {
            let data = FashionMnist::load().map_err(|error| error.to_string())?;
            let batches = batches(&data.train, work.batch());
            pool.install(|| measure::<Cnn, _>(work, &batches, span))
        }
        Work::GruTraining | Work::GruInference256 => {
            let batches = random_texts(work.batch());
            pool.install(|| measure::<Tagger, _>(work, &batches, span))
        }
    };
    Ok(json!({
        "name": "Plywood",
        "version": env!("CARGO_PKG_VERSION"),
        "work": work.name(),
        "steps": timed.steps,
        "seconds": timed.seconds,
        "loss": timed.loss,
    }))
}

pub(super) fn print_all(quick: bool, threads: usize) -> Outcome {
    println!("steps on {threads} threads");
    let mut table = Table::new(&["work", "batch", "ms a step", "a second"]);
    for work in ALL {
        let figures = run(work, Span::new(quick), threads)?;
        let step = seconds_a_step(&figures);
        table.row([
            work.name().to_owned(),
            work.batch().to_string(),
            format!("{:.3}", step * 1e3),
            format!("{:.0} {}", work.units() as f64 / step, work.unit()),
        ]);
    }
    print!("{table}");
    Ok(())
}

/// Of the figures of a run, Plywood's or a peer's.
pub(super) fn seconds_a_step(figures: &Value) -> f64 {
    let number = |key: &str| figures[key].as_f64().unwrap_or(f64::NAN);
    number("seconds") / number("steps")
}

fn batches<D: Source>(data: &D, size: usize) -> Vec<Examples<D::Input, D::Target>> {
    let order: Vec<u32> = (0..data.len().min(IMAGES) as u32).collect();
    let full = order.chunks_exact(size);
    full.map(|indices| {
        let mut examples = Examples::default();
        data.fill(indices, &mut examples);
        examples
    })
    .collect()
}

/// Random tokens; the class of a step is its token modulo the classes, so that there is something to learn.
fn random_texts(size: usize) -> Vec<Examples<Sequence<Token<10_000>>, Sequence<Class<10>>>> {
    let mut random = plywood::kernels::random::Random {
        seed: 0,
        stream: 0,
        step: 0,
    }
    .sequence();
    (0..BATCHES_OF_TEXTS)
        .map(|_| {
            let mut examples = Examples::default();
            examples.resize(size, STEPS);
            let draw = || random.below(VOCABULARY) as u32;
            examples.inputs.data_mut().fill_with(draw);
            let tokens = examples.inputs.data().iter();
            for (class, token) in examples.targets.data_mut().iter_mut().zip(tokens) {
                *class = token % CLASSES;
            }
            examples
        })
        .collect()
}

fn measure<N, G>(work: Work, batches: &[Examples<N::Input, G>], span: Span) -> Timed
where
    N: Network<Scalar = f32>,
    G: plywood::shape::Sample,
    CrossEntropy: plywood::nn::loss::Loss<N::Output, G>,
{
    let mut network = N::seeded(Seed(0));
    let mut next = batches.iter().cycle();
    let mut batch = || next.next().expect("there are batches");
    if !work.is_training() {
        let mut session = Session::new(&network);
        let mut outputs = Batch::default();
        return timed(span, || {
            session.predict(&batch().inputs, &mut outputs);
            None
        });
    }
    let mut trainer = Trainer::new(&network, Seed(0));
    let objective = Objective {
        loss: &CrossEntropy,
        metric: &(),
    };
    let adam = Adam::default();
    timed(span, || {
        Some(trainer.step(&mut network, batch(), objective, (&adam, 1e-3), &mut []))
    })
}

/// Times `step`, which gives a loss or none, for `span` after a warm-up.
fn timed(span: Span, mut step: impl FnMut() -> Option<f64>) -> Timed {
    for _ in 0..WARM_UP {
        step();
    }
    let (mut steps, mut sum) = (0, None);
    let start = Instant::now();
    while steps < span.steps || start.elapsed().as_secs_f64() < span.seconds {
        let loss = step();
        steps += 1;
        if steps + LOSS_STEPS > span.steps && steps <= span.steps {
            sum = loss.map(|loss| loss + sum.unwrap_or(0.0));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let loss = sum.map(|sum| sum / LOSS_STEPS.min(span.steps) as f64);
    Timed {
        steps,
        seconds,
        loss,
    }
}
