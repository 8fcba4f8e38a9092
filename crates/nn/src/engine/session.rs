//! Inference: a network's outputs, and its loss and metrics over data it does not learn from.

use super::blocks::Blocks;
use super::profile::Timer;
use super::stage::{lengths, reserve, row_weights, rows, stage, staged_len, unstage};
use crate::arena::Arena;
use crate::loss::Loss;
use crate::metric::{Metric, Observed};
use crate::network::{Element, Network};
use crate::prepare::prepare;
use crate::run::{Layout, Run};
use plywood_kernels::{AlignedVec, Float};
use plywood_shape::{Precision, Rows, Sample};
use plywood_tensor::{Batch, Examples};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Mutex;

/// Runs a network forward. It borrows the network, whose parameters therefore stand still meanwhile.
///
/// A sample's output has the same bits alone and inside any batch. After the first batch of a size nothing is allocated,
/// if it runs inside the thread pool it is to use.
#[derive(Debug)]
pub struct Session<'n, N: Network> {
    network: &'n N,
    layout: Layout,
    prepared: AlignedVec<N::Scalar>,
    workers: Vec<Mutex<Worker<N>>>,
    capacity: Rows,
    /// Scratch space of a worker: also for all parts of a block that is alone.
    scratch: usize,
}

/// What a thread owns.
#[derive(Debug)]
struct Worker<N: Network> {
    arena: Arena<N::Scalar>,
    input: Vec<Element<N>>,
}

/// Loss and counts over data, batch after batch.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The sum over all rows of weight times loss.
    pub loss_sum: f64,
    /// The sum of all rows' weights.
    pub weight: f64,
    /// The metric's counters.
    pub counters: Vec<f64>,
}

impl Evaluation {
    /// An evaluation that has seen nothing, with that many counters.
    #[must_use]
    pub fn new(counters: usize) -> Self {
        Self {
            loss_sum: 0.0,
            weight: 0.0,
            counters: vec![0.0; counters],
        }
    }

    /// The mean loss over the rows seen; NaN before the first.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.weight
    }
}

impl<'n, N: Network> Session<'n, N> {
    /// A session over `network`.
    #[must_use]
    pub fn new(network: &'n N) -> Self {
        Self::with_precision(network, Precision::Full)
    }

    /// The same with products and convolutions in `precision`; a network in `f64` keeps its own.
    #[must_use]
    pub fn with_precision(network: &'n N, precision: Precision) -> Self {
        let layout = Layout::for_inference::<N>(precision);
        let mut prepared = AlignedVec::zeroed(layout.prepared_len);
        prepare::<N>(&layout, network.parameters(), &mut prepared);
        Self {
            network,
            layout,
            prepared,
            workers: Vec::new(),
            capacity: Rows {
                samples: 0,
                steps: 0,
            },
            scratch: 0,
        }
    }

    /// Writes the network's outputs for `inputs` to `outputs`, which takes on the batch's size.
    pub fn predict(
        &mut self,
        inputs: &Batch<N::Input, N::Scalar>,
        outputs: &mut Batch<N::Output, N::Scalar>,
    ) {
        let steps = if N::Output::SHAPE.sequence {
            inputs.steps()
        } else {
            1
        };
        outputs.resize(inputs.samples(), steps);
        let blocks = Blocks::of::<N>(inputs.samples());
        self.reserve(blocks, inputs.steps());
        let sample = steps * N::Output::ROW;
        let this = &*self;
        each_block(
            blocks,
            0..blocks.count(),
            sample,
            outputs.data_mut(),
            &|index, target: &mut [N::Scalar]| {
                let mut worker = this.worker();
                let (rows, output) = this.run(inputs, blocks, index, &mut worker);
                let rows = Rows { steps, ..rows };
                unstage(rows, N::Output::ROW, output, target);
            },
        );
    }

    /// The outputs for `inputs`, in a batch of its own.
    #[must_use]
    pub fn outputs(&mut self, inputs: &Batch<N::Input, N::Scalar>) -> Batch<N::Output, N::Scalar> {
        let mut outputs = Batch::default();
        self.predict(inputs, &mut outputs);
        outputs
    }

    /// Adds the loss and the metric's counts over `examples` to `evaluation`.
    pub fn tally<G, L, M>(
        &mut self,
        examples: &Examples<N::Input, G, N::Scalar>,
        loss: &L,
        metric: &M,
        evaluation: &mut Evaluation,
    ) where
        G: Sample,
        L: Loss<N::Output, G>,
        M: Metric<N::Output, G>,
    {
        let inputs = &examples.inputs;
        let blocks = Blocks::of::<N>(inputs.samples());
        self.reserve(blocks, inputs.steps());
        let this = &*self;
        let sums: Vec<Evaluation> = (0..blocks.count())
            .into_par_iter()
            .with_max_len(1)
            .map(|index| {
                let mut worker = this.worker();
                let (rows, output) = this.run(inputs, blocks, index, &mut worker);
                let samples = blocks.samples(index);
                let mut targets = Vec::new();
                reserve(
                    &mut targets,
                    staged_len::<G>(samples.len(), examples.targets.steps()),
                );
                let targets = stage(&examples.targets, samples.clone(), &mut targets);
                let mut weights = vec![N::Scalar::ZERO; rows.of(G::SHAPE)];
                let own = examples.weights.get(samples.clone()).unwrap_or(&[]);
                let lengths = lengths(inputs, &samples);
                row_weights(rows, G::SHAPE.sequence, lengths, own, 1.0, &mut weights);
                let seen = Observed {
                    output,
                    targets,
                    weights: &weights,
                    rows,
                    lengths,
                };
                let mut sum = Evaluation::new(metric.counters());
                sum.loss_sum = loss.evaluate(output, targets, &weights, None);
                sum.weight = weights
                    .iter()
                    .fold(0.0, |sum, weight| sum + weight.to_f64());
                metric.observe(&seen, &mut sum.counters);
                sum
            })
            .collect();
        for sum in sums {
            evaluation.loss_sum += sum.loss_sum;
            evaluation.weight += sum.weight;
            for (total, count) in evaluation.counters.iter_mut().zip(&sum.counters) {
                *total += count;
            }
        }
    }

    fn reserve(&mut self, blocks: Blocks, steps: usize) {
        let needed = Rows {
            samples: blocks.size().max(self.capacity.samples),
            steps: steps.max(self.capacity.steps),
        };
        let mut scratch = self
            .layout
            .scratch_len::<N>(needed, false)
            .max(self.scratch);
        if blocks.count() == 1 {
            let alone = Rows {
                samples: blocks.size(),
                steps,
            };
            scratch = scratch.max(self.layout.scratch_len::<N>(alone, true));
        }
        if needed != self.capacity || scratch > self.scratch {
            self.workers.clear();
            self.capacity = needed;
            self.scratch = scratch;
        }
        while self.workers.len() < rayon::current_num_threads() {
            let mut input = Vec::new();
            reserve(
                &mut input,
                staged_len::<N::Input>(needed.samples, needed.steps),
            );
            self.workers.push(Mutex::new(Worker {
                arena: Arena::new(N::STEPS, needed, scratch, false),
                input,
            }));
        }
    }

    fn worker(&self) -> std::sync::MutexGuard<'_, Worker<N>> {
        self.workers[super::thread()]
            .lock()
            .expect("a block that panicked ended the pass")
    }

    /// Runs block `index` and gives its rows with their output.
    fn run<'w>(
        &self,
        inputs: &Batch<N::Input, N::Scalar>,
        blocks: Blocks,
        index: usize,
        worker: &'w mut Worker<N>,
    ) -> (Rows, &'w [N::Scalar]) {
        let samples = blocks.samples(index);
        let rows = rows::<N>(inputs, &samples);
        let run = Run {
            steps: self.layout.steps(),
            layout: &self.layout,
            parameters: self.network.parameters(),
            state: self.network.state(),
            prepared: &self.prepared,
            shared: &[],
            shared_gradient: &[],
            rows,
            lengths: lengths(inputs, &samples),
            training: false,
            seed: 0,
            time: 0,
            first_sample: samples.start,
            alone: blocks.count() == 1,
            timer: Timer::default(),
        };
        let input = stage(inputs, samples, &mut worker.input);
        for segment in 0..N::SEGMENTS {
            N::forward(segment, &run, input, &mut worker.arena);
        }
        (rows, worker.arena.output(N::STEPS, rows).0)
    }
}

/// Hands every block of `range` its part of `target`, `sample` numbers a sample, in parallel.
fn each_block<E: Send>(
    blocks: Blocks,
    range: Range<usize>,
    sample: usize,
    target: &mut [E],
    work: &(impl Fn(usize, &mut [E]) + Sync),
) {
    match range.len() {
        0 => {}
        1 => work(range.start, target),
        len => {
            let middle = range.start + len / 2;
            let before = blocks.samples(middle).start - blocks.samples(range.start).start;
            let (first, second) = target.split_at_mut(before * sample);
            rayon::join(
                || each_block(blocks, range.start..middle, sample, first, work),
                || each_block(blocks, middle..range.end, sample, second, work),
            );
        }
    }
}
