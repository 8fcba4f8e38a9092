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

const WARM_UP: usize = 10;
/// Steps of a sequence.
const STEPS: usize = 100;

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

    /// Steps that take a second or a few.
    pub(super) fn steps(self, quick: bool) -> usize {
        let steps = match self {
            Self::CnnTraining => 1000,
            Self::CnnInference250 => 100,
            Self::CnnInference1 => 3000,
            Self::GruTraining => 100,
            Self::GruInference256 => 30,
        };
        if quick { steps / 5 } else { steps }
    }
}

/// Does `steps` steps of `work` on `threads` threads and says how long they took.
pub(super) fn run(work: Work, steps: usize, threads: usize) -> Result<Value, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| error.to_string())?;
    let (seconds, loss) = match work {
        Work::CnnTraining | Work::CnnInference250 | Work::CnnInference1 => {
            let data = FashionMnist::load().map_err(|error| error.to_string())?;
            let batches = batches(&data.train, work.batch(), steps);
            pool.install(|| measure::<Cnn, _>(work, &batches, steps))
        }
        Work::GruTraining | Work::GruInference256 => {
            let batches = random_texts(work.batch());
            pool.install(|| measure::<Tagger, _>(work, &batches, steps))
        }
    };
    Ok(json!({
        "name": "Plywood",
        "version": env!("CARGO_PKG_VERSION"),
        "work": work.name(),
        "steps": steps,
        "seconds": seconds,
        "loss": loss,
    }))
}

pub(super) fn print_all(quick: bool, threads: usize) -> Outcome {
    println!("steps on {threads} threads");
    let mut table = Table::new(&["work", "batch", "ms a step", "samples/s"]);
    for work in ALL {
        let steps = work.steps(quick);
        let seconds = run(work, steps, threads)?["seconds"]
            .as_f64()
            .unwrap_or(f64::NAN)
            / steps as f64;
        let rate = work.batch() as f64 / seconds;
        table.row([
            work.name().to_owned(),
            work.batch().to_string(),
            format!("{:.3}", seconds * 1e3),
            format!("{rate:.0}"),
        ]);
    }
    print!("{table}");
    Ok(())
}

fn batches<D: Source>(data: &D, size: usize, most: usize) -> Vec<Examples<D::Input, D::Target>> {
    let order: Vec<u32> = (0..data.len() as u32).collect();
    let full = order.chunks_exact(size).take(most.max(WARM_UP));
    full.map(|indices| {
        let mut examples = Examples::default();
        data.fill(indices, &mut examples);
        examples
    })
    .collect()
}

fn random_texts(size: usize) -> Vec<Examples<Sequence<Token<10_000>>, Sequence<Class<10>>>> {
    let mut random = plywood::kernels::random::Random {
        seed: 0,
        stream: 0,
        step: 0,
    }
    .sequence();
    let mut draw = |below: u64| random.below(below) as u32;
    (0..40)
        .map(|_| {
            let mut examples = Examples::default();
            examples.resize(size, STEPS);
            examples.inputs.data_mut().fill_with(|| draw(10_000));
            examples.targets.data_mut().fill_with(|| draw(10));
            examples
        })
        .collect()
}

/// Seconds of all steps, and the mean loss of the last fifty.
fn measure<N, G>(work: Work, batches: &[Examples<N::Input, G>], steps: usize) -> (f64, Option<f64>)
where
    N: Network<Scalar = f32>,
    G: plywood::shape::Sample,
    CrossEntropy: plywood::nn::loss::Loss<N::Output, G>,
{
    let mut network = N::seeded(Seed(0));
    let mut next = batches.iter().cycle();
    let mut batch = || next.next().expect("there are batches");
    if !matches!(work, Work::CnnTraining | Work::GruTraining) {
        let mut session = Session::new(&network);
        let mut outputs = Batch::default();
        let seconds = timed(steps, |_| session.predict(&batch().inputs, &mut outputs));
        return (seconds, None);
    }
    let mut trainer = Trainer::new(&network, Seed(0));
    let objective = Objective {
        loss: &CrossEntropy,
        metric: &(),
    };
    let adam = Adam::default();
    let (mut sum, mut count) = (0.0, 0);
    let seconds = timed(steps, |step| {
        let loss = trainer.step(&mut network, batch(), objective, (&adam, 1e-3), &mut []);
        if step + 50 >= steps {
            sum += loss;
            count += 1;
        }
    });
    (seconds, Some(sum / f64::from(count)))
}

fn timed(steps: usize, mut step: impl FnMut(usize)) -> f64 {
    for _ in 0..WARM_UP {
        step(0);
    }
    let start = Instant::now();
    for index in 0..steps {
        step(index);
    }
    start.elapsed().as_secs_f64()
}
