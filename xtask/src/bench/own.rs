//! Plywood's part in the contest: the networks, and the steps that the works ask for.

use super::protocol::{self, Drive, Refusal, Step, Work, timed, warm_up};
use plywood::kernels::AlignedVec;
use plywood::kernels::gemm::{Epilogue, Gemm, MatrixMut, MatrixRef, Start, second_opinion};
use plywood::nn::engine::Objective;
use plywood::nn::loss::Loss;
use plywood::prelude::*;
use plywood::shape::Sample;

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
    pub Vgg: Image<32, 32, 3> => Logits<10> {
        Conv2d(64, kernel: 3, padding: same), BatchNorm, Relu,
        Conv2d(64, kernel: 3, padding: same), BatchNorm, Relu, MaxPool2d(2),
        Conv2d(128, kernel: 3, padding: same), BatchNorm, Relu,
        Conv2d(128, kernel: 3, padding: same), BatchNorm, Relu, MaxPool2d(2),
        Conv2d(256, kernel: 3, padding: same), BatchNorm, Relu,
        Conv2d(256, kernel: 3, padding: same), BatchNorm, Relu, MaxPool2d(2),
        Flatten,
        Dense(256), Relu,
        Dense(10),
    }
}

plywood::model! {
    pub Mlp: Vector<784> => Logits<10> { Dense(512), Relu, Dense(512), Relu, Dense(10) }
}

plywood::model! {
    pub GruTagger: Sequence<Token<10_000>> => Sequence<Logits<10>> {
        Embedding(64),
        Gru(64, dropout: 0.1, returns: sequence),
        Dense(64), Relu,
        Dense(10),
    }
}

plywood::model! {
    pub LstmTagger: Sequence<Token<10_000>> => Sequence<Logits<10>> {
        Embedding(64),
        Lstm(64, dropout: 0.1, returns: sequence),
        Dense(64), Relu,
        Dense(10),
    }
}

/// Answers requests on the standard input until there are no more.
pub(super) fn serve() {
    protocol::serve("Plywood", env!("CARGO_PKG_VERSION"), |work, driver| {
        begin(work, driver)
    });
}

/// Prepares `work` and lets `driver` run it, on a thread pool of its own.
fn begin(work: &Work, driver: &mut dyn Drive) -> Result<(), Refusal> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(work.threads)
        .build();
    let pool = pool.map_err(|error| error.to_string())?;
    pool.install(|| match work.network.as_str() {
        "cnn" => images::<Cnn>(work, driver),
        "vgg" => images::<Vgg>(work, driver),
        "mlp" => images::<Mlp>(work, driver),
        "gru" => texts::<GruTagger>(work, driver),
        "lstm" => texts::<LstmTagger>(work, driver),
        "product" => product(work, driver),
        other => Err(Refusal::Unsupported(format!("no network {other}"))),
    })
}

/// What a work of this process's own did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed {
    pub(super) steps: usize,
    pub(super) seconds: f64,
}

/// Does `work` in this process for `seconds`.
pub(super) fn run(work: &Work, seconds: f64) -> Result<Timed, String> {
    let mut once = Once {
        work: work.clone(),
        seconds,
        timed: None,
    };
    match begin(work, &mut once) {
        Ok(()) => once.timed.ok_or_else(|| "nothing was run".to_owned()),
        Err(Refusal::Unsupported(reason) | Refusal::Fault(reason)) => Err(reason),
    }
}

/// Runs a work once.
pub(super) struct Once {
    pub(super) work: Work,
    pub(super) seconds: f64,
    pub(super) timed: Option<Timed>,
}

impl Drive for Once {
    fn drive(&mut self, step: Step<'_>) -> Result<(), Refusal> {
        warm_up(&self.work, step)?;
        let (steps, seconds) = timed(self.work.repeats, self.seconds, 1, step)?;
        self.timed = Some(Timed { steps, seconds });
        Ok(())
    }
}

fn images<N>(work: &Work, driver: &mut dyn Drive) -> Result<(), Refusal>
where
    N: Network<Scalar = f32, Output = Logits<10>>,
    N::Input: Sample<Element<f32> = f32>,
{
    let batches: Vec<Examples<N::Input, Class<10>>> = batches(work, work.pixels()?)?;
    drive::<N, _>(work, &batches, driver)
}

fn texts<N>(work: &Work, driver: &mut dyn Drive) -> Result<(), Refusal>
where
    N: Network<Scalar = f32, Input = Sequence<Token<10_000>>, Output = Sequence<Logits<10>>>,
{
    let tokens = work.tokens()?;
    if work.mode == "stream" {
        return stream::<N>(&tokens, driver);
    }
    let batches: Vec<Examples<N::Input, Sequence<Class<10>>>> = batches(work, tokens.into_iter())?;
    drive::<N, _>(work, &batches, driver)
}

/// Drives a network that is fed one token at a time.
fn stream<N>(tokens: &[u32], driver: &mut dyn Drive) -> Result<(), Refusal>
where
    N: Network<Scalar = f32, Input = Sequence<Token<10_000>>, Output = Sequence<Logits<10>>>,
{
    let network = N::seeded(Seed(0));
    let mut stream = Stream::new(&network, 1);
    let mut next = tokens.iter().cycle();
    driver.drive(&mut || {
        let token = next
            .next()
            .ok_or_else(|| "the data have no token".to_owned())?;
        stream.push(&[*token]);
        Ok(None)
    })
}

/// Full batches of the data, in their order.
fn batches<I, G, E>(
    work: &Work,
    mut inputs: impl Iterator<Item = E>,
) -> Result<Vec<Examples<I, G>>, Refusal>
where
    I: Sample<Element<f32> = E>,
    G: Sample<Element<f32> = u32>,
{
    let classes = work.classes()?;
    let batch = |classes: &[u32]| {
        let mut examples = Examples::<I, G>::default();
        examples.resize(work.batch, work.steps);
        let numbers = examples.inputs.data_mut().iter_mut();
        numbers
            .zip(&mut inputs)
            .for_each(|(number, input)| *number = input);
        examples.targets.data_mut().copy_from_slice(classes);
        examples
    };
    let a_batch = classes.len() / work.samples * work.batch;
    Ok(classes.chunks_exact(a_batch).map(batch).collect())
}

/// Drives training or inference of a new network over `batches`, again and again.
pub(super) fn drive<N, G>(
    work: &Work,
    batches: &[Examples<N::Input, G>],
    driver: &mut dyn Drive,
) -> Result<(), Refusal>
where
    N: Network<Scalar = f32>,
    G: Sample,
    CrossEntropy: Loss<N::Output, G>,
{
    let mut network = N::seeded(Seed(0));
    let mut next = batches.iter().cycle();
    let mut batch = || {
        next.next()
            .ok_or_else(|| "the data have no full batch".to_owned())
    };
    match work.mode.as_str() {
        "inference" => {
            let mut session = Session::new(&network);
            let mut outputs = Batch::default();
            driver.drive(&mut || {
                session.predict(&batch()?.inputs, &mut outputs);
                Ok(None)
            })
        }
        "training" | "training in bf16" | "training, profiled" | "training in bf16, profiled" => {
            let precision = if work.mode.starts_with("training in bf16") {
                Precision::Bf16
            } else {
                Precision::Full
            };
            let mut trainer = Trainer::with_precision(&network, Seed(0), precision);
            if work.mode.ends_with("profiled") {
                trainer = trainer.profiled();
            }
            let objective = Objective {
                loss: &CrossEntropy,
                metric: &(),
            };
            let adam = Adam::default();
            driver.drive(&mut || {
                let batch = batch()?;
                let optimizer = (&adam, work.rate);
                Ok(Some(trainer.step(
                    &mut network,
                    batch,
                    objective,
                    optimizer,
                    &mut [],
                )))
            })?;
            if let Some(profile) = trainer.profile() {
                println!("{profile}");
            }
            Ok(())
        }
        mode => Err(Refusal::Unsupported(format!("Plywood has no mode {mode}"))),
    }
}

fn product(work: &Work, driver: &mut dyn Drive) -> Result<(), Refusal> {
    let &Work { m, k, n, .. } = work;
    let [a, b] = work.factors().map(|values| aligned(&values));
    let mut c = AlignedVec::zeroed(m * n);
    let gemm = Gemm {
        m,
        n,
        k,
        a: MatrixRef::row_major(&a, k),
        b: MatrixRef::row_major(&b, n),
        start: Start::Zero,
        epilogue: Epilogue::NONE,
    };
    let mut scratch = AlignedVec::zeroed(gemm.scratch_len());
    match work.mode.as_str() {
        "plywood" => driver.drive(&mut || {
            gemm.run(MatrixMut::row_major(&mut c, n), &mut scratch);
            Ok(None)
        }),
        "matrixmultiply" => driver.drive(&mut || {
            second_opinion(gemm, MatrixMut::row_major(&mut c, n));
            Ok(None)
        }),
        mode => Err(Refusal::Unsupported(format!("no product by {mode}"))),
    }
}

fn aligned(values: &[f32]) -> AlignedVec<f32> {
    let mut copy = AlignedVec::zeroed(values.len());
    copy.copy_from_slice(values);
    copy
}
