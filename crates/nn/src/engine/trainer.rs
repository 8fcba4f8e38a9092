//! A training step: forward and backward over blocks in parallel lanes, then one update.

use super::blocks::Blocks;
use super::coupling::{absorb, add_gradients, coupled_step, merge_statistics};
use super::stage::{lengths, reserve, row_weights, rows, stage, staged, staged_len, total_weight};
use super::thread;
use super::update::{Gradients, HoldsGradient, Updater};
use crate::arena::Arena;
use crate::initialise::Seed;
use crate::loss::Loss;
use crate::metric::{Metric, Observed};
use crate::network::{Element, Lane, Network};
use crate::optimizer::Optimizer;
use crate::run::{Layout, Run, prepare, scratch_len};
use plywood_kernels::{AlignedVec, Float};
use plywood_shape::{Rows, Sample};
use plywood_tensor::Examples;
use rayon::prelude::*;
use std::sync::{Mutex, MutexGuard};

/// Trains a network `N` towards targets `G`, step by step.
///
/// It owns everything a step needs beside the network: arenas, the lanes' gradients, the optimizer's moments. The first
/// step of a batch size allocates; later ones of that size or smaller do not, if they run inside the thread pool they
/// are to use (`pool.install(|| …)` around the whole training).
#[derive(Debug)]
pub struct Trainer<N: Network, G: Sample> {
    layout: Layout,
    seed: Seed,
    arenas: Vec<Mutex<Arena<N::Scalar>>>,
    /// The largest block that the arenas hold.
    capacity: Rows,
    lanes: Vec<LaneState<N, G>>,
    prepared: AlignedVec<N::Scalar>,
    shared: AlignedVec<N::Scalar>,
    shared_gradient: AlignedVec<N::Scalar>,
    table: AlignedVec<N::Scalar>,
    updater: Updater<N::Scalar>,
}

/// What a lane owns: its gradients, its part of the batch in the order of steps, its sums.
#[derive(Debug)]
struct LaneState<N: Network, G: Sample> {
    dense: AlignedVec<N::Scalar>,
    deferred: Vec<N::Scalar>,
    input: Vec<Element<N>>,
    targets: Vec<G::Element<N::Scalar>>,
    weights: Vec<N::Scalar>,
    loss: f64,
    counters: Vec<f64>,
}

impl<N: Network, G: Sample> HoldsGradient<N::Scalar> for LaneState<N, G> {
    fn gradient(&self) -> &[N::Scalar] {
        &self.dense
    }
}

/// What is optimised and watched in a step.
#[derive(Debug)]
pub struct Objective<'a, L, M> {
    /// The loss that is brought down.
    pub loss: &'a L,
    /// What is counted beside it.
    pub metric: &'a M,
}

impl<L, M> Copy for Objective<'_, L, M> {}
impl<L, M> Clone for Objective<'_, L, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N: Network, G: Sample> Trainer<N, G> {
    /// A trainer of `network`; dropout draws from `seed`.
    #[must_use]
    pub fn new(network: &N, seed: Seed) -> Self {
        let layout = Layout::of::<N>();
        let mut prepared = AlignedVec::zeroed(layout.prepared_len);
        prepare::<N>(&layout, network.parameters(), &mut prepared);
        Self {
            seed,
            arenas: Vec::new(),
            capacity: Rows {
                samples: 0,
                steps: 0,
            },
            lanes: Vec::new(),
            prepared,
            shared: AlignedVec::zeroed(layout.partials_len),
            shared_gradient: AlignedVec::zeroed(layout.partials_len),
            table: AlignedVec::zeroed(layout.sparse_len),
            updater: Updater::new(network, layout.sparse_len),
            layout,
        }
    }

    /// Steps taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        u64::from(self.updater.step)
    }

    /// Takes the parameters of `network` anew, after something else than [`Trainer::step`] changed them.
    pub fn refresh(&mut self, network: &N) {
        prepare::<N>(&self.layout, network.parameters(), &mut self.prepared);
    }

    /// One training step over `examples` at learning rate `rate`; gives the mean loss over the rows before the step.
    ///
    /// What the metric counts is added to `counters`.
    ///
    /// # Panics
    /// If `examples` has no rows that count, or inputs and targets differ in samples or steps.
    pub fn step<L, M, O>(
        &mut self,
        network: &mut N,
        examples: &Examples<N::Input, G, N::Scalar>,
        objective: Objective<'_, L, M>,
        (optimizer, rate): (&O, f64),
        counters: &mut [f64],
    ) -> f64
    where
        L: Loss<N::Output, G>,
        M: Metric<N::Output, G>,
        O: Optimizer,
    {
        let blocks = Blocks::of::<N>(examples.inputs.samples());
        self.reserve(network, examples, blocks, counters.len());
        let batch = Batched::of(examples, blocks);
        let last = N::SEGMENTS - 1;
        for segment in 0..last {
            self.each_block(network, &batch, |pass| pass.forward(segment));
            self.meet(blocks, segment + 1, Meeting::Statistics);
        }
        self.each_block(network, &batch, |pass| {
            pass.forward(last);
            pass.compare(objective);
            pass.backward(last);
        });
        for segment in (0..last).rev() {
            self.meet(blocks, segment + 1, Meeting::Gradients);
            self.each_block(network, &batch, |pass| pass.backward(segment));
        }
        self.update(network, &batch, (optimizer, rate));
        self.sums(blocks, counters)
    }

    fn reserve(
        &mut self,
        network: &N,
        examples: &Examples<N::Input, G, N::Scalar>,
        blocks: Blocks,
        counters: usize,
    ) {
        let steps = examples.inputs.steps();
        let needed = Rows {
            samples: blocks.size().max(self.capacity.samples),
            steps: steps.max(self.capacity.steps),
        };
        // A network of one segment needs an arena a thread; else every block keeps its own from segment to segment.
        let count = if N::SEGMENTS == 1 {
            rayon::current_num_threads()
        } else {
            blocks.count()
        };
        if needed != self.capacity {
            self.arenas.clear();
            self.capacity = needed;
        }
        let scratch = scratch_len::<N>(needed);
        while self.arenas.len() < count {
            let arena = Arena::new(N::STEPS, needed, scratch, true);
            self.arenas.push(Mutex::new(arena));
        }
        let dense = network.parameters().len() - self.layout.sparse_len;
        while self.lanes.len() < blocks.lanes() {
            self.lanes.push(LaneState {
                dense: AlignedVec::zeroed(dense),
                deferred: Vec::new(),
                input: Vec::new(),
                targets: Vec::new(),
                weights: Vec::new(),
                loss: 0.0,
                counters: Vec::new(),
            });
        }
        for (index, lane) in self.lanes.iter_mut().enumerate().take(blocks.lanes()) {
            let samples: usize = blocks
                .lane(index)
                .map(|block| blocks.samples(block).len())
                .sum();
            reserve(&mut lane.deferred, samples * steps * kept_row::<N>());
            reserve(&mut lane.input, staged_len::<N::Input>(samples, steps));
            reserve(&mut lane.targets, staged_len::<G>(samples, steps));
            reserve(&mut lane.weights, samples * steps);
            reserve(&mut lane.counters, counters);
            lane.loss = 0.0;
            lane.counters.fill(0.0);
        }
    }

    /// Runs `work` on every block: lanes in parallel, the blocks of a lane in order.
    fn each_block(
        &mut self,
        network: &N,
        batch: &Batched<'_, N, G>,
        work: impl Fn(&mut BlockPass<'_, N, G>) + Sync,
    ) {
        let base = Run {
            steps: N::STEPS,
            layout: &self.layout,
            parameters: network.parameters(),
            state: network.state(),
            prepared: &self.prepared,
            shared: &self.shared,
            shared_gradient: &self.shared_gradient,
            rows: self.capacity,
            lengths: &[],
            training: true,
            seed: self.seed.0,
            time: self.updater.step,
            first_sample: 0,
        };
        let arenas = &self.arenas;
        let lanes = batch.blocks.lanes();
        self.lanes[..lanes]
            .par_iter_mut()
            .enumerate()
            .with_max_len(1)
            .for_each(|(index, lane)| {
                let mut start = 0;
                for block in batch.blocks.lane(index) {
                    let samples = batch.blocks.samples(block);
                    let mut pass = BlockPass {
                        run: Run {
                            rows: rows::<N>(&batch.examples.inputs, &samples),
                            lengths: lengths(&batch.examples.inputs, &samples),
                            first_sample: samples.start,
                            ..base
                        },
                        batch,
                        samples: samples.clone(),
                        start,
                        arena: lock(arenas, if N::SEGMENTS == 1 { thread() } else { block }),
                        lane,
                    };
                    work(&mut pass);
                    start += samples.len();
                }
            });
    }

    /// Lets all blocks meet where segment `segment` begins.
    fn meet(&mut self, blocks: Blocks, segment: usize, meeting: Meeting) {
        let step = coupled_step(N::STEPS, segment);
        let arenas = &mut self.arenas[..blocks.count()];
        match meeting {
            Meeting::Statistics => {
                merge_statistics::<N>(step, &self.layout, arenas, &mut self.shared)
            }
            Meeting::Gradients => {
                add_gradients::<N>(step, &self.layout, arenas, &mut self.shared_gradient);
            }
        }
    }

    fn update<O: Optimizer>(
        &mut self,
        network: &mut N,
        batch: &Batched<'_, N, G>,
        (optimizer, rate): (&O, f64),
    ) {
        let lanes = batch.blocks.lanes();
        if self.layout.sparse_len > 0 {
            for (index, lane) in self.lanes[..lanes].iter().enumerate() {
                let (input, rows) = batch.lane_input(index, &lane.input);
                N::scatter(
                    input,
                    &lane.deferred[..rows * kept_row::<N>()],
                    &mut self.table,
                );
            }
        }
        let (first, others) = self.lanes[..lanes].split_at_mut(1);
        let gradients = Gradients {
            first: &mut first[0].dense,
            others: &*others,
            table: &mut self.table,
        };
        self.updater
            .update(optimizer, rate, network.parameters_mut(), gradients);
        if self.layout.sparse_len > 0 {
            for (index, lane) in self.lanes[..lanes].iter().enumerate() {
                N::clear(batch.lane_input(index, &lane.input).0, &mut self.table);
            }
        }
        absorb::<N>(&self.layout, &self.shared, network.state_mut());
        prepare::<N>(&self.layout, network.parameters(), &mut self.prepared);
    }

    /// The loss of all lanes, and their counters added to `counters`, in order.
    fn sums(&self, blocks: Blocks, counters: &mut [f64]) -> f64 {
        let mut loss = 0.0;
        for lane in &self.lanes[..blocks.lanes()] {
            loss += lane.loss;
            for (sum, count) in counters.iter_mut().zip(&lane.counters) {
                *sum += count;
            }
        }
        loss
    }
}

enum Meeting {
    Statistics,
    Gradients,
}

/// A batch and how it is cut.
struct Batched<'a, N: Network, G: Sample> {
    examples: &'a Examples<N::Input, G, N::Scalar>,
    blocks: Blocks,
    /// The weight of all rows together.
    total: f64,
}

impl<'a, N: Network, G: Sample> Batched<'a, N, G> {
    fn of(examples: &'a Examples<N::Input, G, N::Scalar>, blocks: Blocks) -> Self {
        let (inputs, targets) = (&examples.inputs, &examples.targets);
        assert_eq!(
            inputs.samples(),
            targets.samples(),
            "a batch has as many targets as inputs"
        );
        let steps = if G::SHAPE.sequence { inputs.steps() } else { 1 };
        assert_eq!(
            steps,
            targets.steps(),
            "targets have as many steps as inputs"
        );
        let lengths = if G::SHAPE.sequence {
            inputs.lengths()
        } else {
            &[]
        };
        let total = total_weight(inputs.samples(), steps, lengths, &examples.weights);
        assert!(
            total > 0.0,
            "a batch has at least one row with a weight above zero"
        );
        Self {
            examples,
            blocks,
            total,
        }
    }

    /// All input of a lane, block after block as its rows were staged to `copy`, and how many rows that is.
    fn lane_input<'b>(&'b self, lane: usize, copy: &'b [Element<N>]) -> (&'b [Element<N>], usize) {
        let inputs = &self.examples.inputs;
        let blocks = self.blocks.lane(lane);
        let first = self.blocks.samples(blocks.start).start;
        let samples = first..self.blocks.samples(blocks.end - 1).end;
        let steps = if N::Input::SHAPE.sequence {
            inputs.steps()
        } else {
            1
        };
        (staged(inputs, copy, &samples, 0), samples.len() * steps)
    }
}

/// One block in the course of a step.
struct BlockPass<'a, N: Network, G: Sample> {
    run: Run<'a, N::Scalar>,
    batch: &'a Batched<'a, N, G>,
    samples: std::ops::Range<usize>,
    /// Samples of the lane before this block.
    start: usize,
    arena: MutexGuard<'a, Arena<N::Scalar>>,
    lane: &'a mut LaneState<N, G>,
}

impl<N: Network, G: Sample> BlockPass<'_, N, G> {
    fn forward(&mut self, segment: usize) {
        let inputs = &self.batch.examples.inputs;
        if segment == 0 {
            if self.start == 0 {
                self.lane.dense.fill(N::Scalar::ZERO);
            }
            let copy = &mut self.lane.input[staged_len::<N::Input>(self.start, inputs.steps())..];
            stage(inputs, self.samples.clone(), copy);
        }
        let input = staged(inputs, &self.lane.input, &self.samples, self.start);
        N::forward(segment, &self.run, input, &mut self.arena);
    }

    /// The loss of the block's output, and the gradient with which the way back begins.
    fn compare<L, M>(&mut self, objective: Objective<'_, L, M>)
    where
        L: Loss<N::Output, G>,
        M: Metric<N::Output, G>,
    {
        let Examples {
            targets, weights, ..
        } = self.batch.examples;
        let rows = self.run.rows;
        let lane = &mut *self.lane;
        let copy = &mut lane.targets[staged_len::<G>(self.start, targets.steps())..];
        let targets = stage(targets, self.samples.clone(), copy);
        let own = weights.get(self.samples.clone()).unwrap_or(&[]);
        let total = self.batch.total;
        let weights = &mut lane.weights[..rows.of(G::SHAPE)];
        row_weights(
            rows,
            G::SHAPE.sequence,
            self.run.lengths,
            own,
            total,
            weights,
        );
        let (output, gradient) = self.arena.output(N::STEPS, rows);
        lane.loss += objective
            .loss
            .evaluate(output, targets, weights, Some(gradient));
        let seen = Observed {
            output,
            targets,
            weights,
            rows,
            lengths: self.run.lengths,
        };
        let counters = objective.metric.counters();
        objective
            .metric
            .observe(&seen, &mut lane.counters[..counters]);
    }

    fn backward(&mut self, segment: usize) {
        let lane = &mut *self.lane;
        let input = staged(
            &self.batch.examples.inputs,
            &lane.input,
            &self.samples,
            self.start,
        );
        let kept = kept_row::<N>();
        let rows = self.run.rows.of(N::Input::SHAPE);
        let before = self.start * rows / self.samples.len();
        let mut gradient = Lane {
            dense: &mut lane.dense,
            deferred: &mut lane.deferred[before * kept..][..rows * kept],
        };
        N::backward::<false>(segment, &self.run, input, &mut self.arena, &mut gradient);
    }
}

/// Numbers of a row that are kept for the scatter into a table; none without a table.
pub(crate) fn kept_row<N: Network>() -> usize {
    match N::STEPS.first() {
        Some(step) if step.plan.sparse => step.plan.output.elements().get(),
        _ => 0,
    }
}

/// The arena of this thread or block. Nobody else holds it: lanes do not wait for one another.
fn lock<T>(arenas: &[Mutex<T>], index: usize) -> MutexGuard<'_, T> {
    arenas[index]
        .lock()
        .expect("a block that panicked ended the step")
}
