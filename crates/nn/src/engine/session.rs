//! Inference: a network's outputs, and its loss and metrics over data it does not learn from.

use super::blocks::Blocks;
use super::profile::Timer;
use super::projected::ProjectedTable;
use super::stage::{lengths, reserve, row_weights, rows, stage, staged_len, unstage};
use crate::arena::{Arena, Purpose};
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
///
/// Where a recurrent layer reads an embedding, a session that has read more tokens than the vocabulary has multiplies the table by
/// the layer's weight, once, if that takes no more than 16 MiB, and looks products up from then on.
#[derive(Debug)]
pub struct Session<'n, N: Network> {
    network: &'n N,
    layout: Layout,
    prepared: AlignedVec<N::Scalar>,
    table: Option<ProjectedTable<N::Scalar>>,
    workers: Vec<Mutex<Worker<N>>>,
    capacity: Rows,
    /// Scratch space of a worker: also for all parts of a block that is alone.
    scratch: usize,
}

/// What a thread owns.
#[derive(Debug)]
struct Worker<N: Network> {
    arena: Arena<N::Scalar>,
    /// A block's input, in the order of steps.
    input: Vec<Element<N>>,
    /// Valid steps of a piece.
    lengths: Vec<u32>,
}

/// Rows of a piece: what its layers hand on then stays in the cache.
const PIECE_ROWS: usize = 128;

/// Part of a block: some steps of all its samples.
struct Piece<'a, T> {
    rows: Rows,
    /// Where it starts in the sequences.
    start: usize,
    output: &'a [T],
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
        prepare::<N>(
            &layout,
            network.parameters(),
            &mut prepared,
            Timer::default(),
        );
        Self {
            network,
            table: ProjectedTable::of::<N>(&layout),
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
        self.expect(inputs.samples() * inputs.steps());
        let sample = steps * N::Output::ROW;
        let pieces = N::Output::SHAPE.sequence;
        let this = &*self;
        each_block(
            blocks,
            0..blocks.count(),
            sample,
            outputs.data_mut(),
            &|index, target: &mut [N::Scalar]| {
                let mut worker = this.worker();
                this.run(inputs, blocks, index, &mut worker, |piece| {
                    let taken = Rows {
                        steps: if pieces { piece.rows.steps } else { 1 },
                        ..piece.rows
                    };
                    let start = if pieces { piece.start } else { 0 };
                    unstage(taken, N::Output::ROW, piece.output, (start, steps), target);
                });
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
        self.expect(inputs.samples() * inputs.steps());
        let pieces = N::Output::SHAPE.sequence;
        let this = &*self;
        let sums: Vec<Evaluation> = (0..blocks.count())
            .into_par_iter()
            .with_max_len(1)
            .map(|index| {
                let mut worker = this.worker();
                let samples = blocks.samples(index);
                let rows = rows::<N>(inputs, &samples);
                let mut output = vec![N::Scalar::ZERO; N::Output::ROW * rows.of(N::Output::SHAPE)];
                let row = N::Output::ROW * samples.len();
                this.run(inputs, blocks, index, &mut worker, |piece| {
                    let start = if pieces { piece.start } else { 0 };
                    output[start * row..][..piece.output.len()].copy_from_slice(piece.output);
                });
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
                    output: &output,
                    targets,
                    weights: &weights,
                    rows,
                    lengths,
                };
                let mut sum = Evaluation::new(metric.counters());
                sum.loss_sum = loss.evaluate(&output, targets, &weights, None);
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
        let (rows, purpose) = room::<N>(needed);
        let mut scratch = self.layout.scratch_len::<N>(rows, false).max(self.scratch);
        if blocks.count() == 1 {
            let (alone, _) = room::<N>(Rows {
                samples: blocks.size(),
                steps,
            });
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
                arena: Arena::new(N::STEPS, rows, scratch, purpose),
                input,
                lengths: Vec::with_capacity(needed.samples),
            }));
        }
    }

    /// Gets ready for `rows` more rows.
    fn expect(&mut self, rows: usize) {
        if let Some(table) = &mut self.table {
            table.expect::<N>(
                rows,
                &self.layout,
                self.network.parameters(),
                &self.prepared,
            );
        }
    }

    fn worker(&self) -> std::sync::MutexGuard<'_, Worker<N>> {
        self.workers[super::thread()]
            .lock()
            .expect("a block that panicked ended the pass")
    }

    /// Runs block `index` piece by piece, and shows each to `each`.
    fn run(
        &self,
        inputs: &Batch<N::Input, N::Scalar>,
        blocks: Blocks,
        index: usize,
        worker: &mut Worker<N>,
        mut each: impl FnMut(Piece<'_, N::Scalar>),
    ) {
        let samples = blocks.samples(index);
        let whole = rows::<N>(inputs, &samples);
        let valid = lengths(inputs, &samples);
        let first_sample = samples.start;
        let Worker {
            arena,
            input,
            lengths,
        } = worker;
        let input = stage(inputs, samples, input);
        let row = input.len().checked_div(whole.steps).unwrap_or(0);
        let size = piece_steps::<N>(whole);
        arena.restart();
        let mut start = 0;
        loop {
            let steps = size.min(whole.steps - start);
            let rows = Rows { steps, ..whole };
            lengths.clear();
            lengths.extend(valid.iter().map(|&valid| {
                let left = (valid as usize).saturating_sub(start);
                left.min(steps) as u32
            }));
            let input = &input[start * row..][..steps * row];
            let run = Run {
                steps: self.layout.steps(),
                layout: &self.layout,
                first: 0,
                parameters: self.network.parameters(),
                state: self.network.state(),
                prepared: &self.prepared,
                lookup: self
                    .table
                    .as_ref()
                    .and_then(|table| table.lookup::<N>(input)),
                shared: &[],
                shared_gradient: &[],
                rows,
                lengths,
                training: false,
                seed: 0,
                time: 0,
                first_sample,
                alone: blocks.count() == 1,
                timer: Timer::default(),
            };
            for segment in 0..N::SEGMENTS {
                N::forward(segment, &run, input, arena.carve(rows));
            }
            let output = arena.output(N::STEPS, rows).0;
            each(Piece {
                rows,
                start,
                output,
            });
            start += steps;
            if start >= whole.steps {
                return;
            }
        }
    }
}

/// Whether sequences may go through `N` in pieces.
fn takes_pieces<N: Network>() -> bool {
    N::Input::SHAPE.sequence && N::STEPS.iter().all(|step| step.plan.takes_pieces())
}

/// Steps of a piece of a block of `rows`: all of them, if the network needs to see sequences as a whole.
fn piece_steps<N: Network>(rows: Rows) -> usize {
    if takes_pieces::<N>() {
        rows.steps.min((PIECE_ROWS / rows.samples.max(1)).max(1))
    } else {
        rows.steps
    }
}

/// Rows that hold every piece of a block of at most `rows`, and what the arena is for.
fn room<N: Network>(rows: Rows) -> (Rows, Purpose) {
    if !takes_pieces::<N>() {
        return (rows, Purpose::Inference);
    }
    let steps = rows.steps.min(PIECE_ROWS.div_ceil(rows.samples.max(1)));
    (Rows { steps, ..rows }, Purpose::Pieces)
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
