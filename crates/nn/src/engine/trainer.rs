//! A training step: forward and backward over blocks in parallel lanes, then one update.

use super::batched::Batched;
use super::blocks::Blocks;
use super::coupling::{absorb, add_gradients, coupled_step, merge_statistics};
use super::lane::{BlockPass, LaneGradients, LaneState};
use super::profile::{Clock, Phase, Place, Profile, Timer};
use super::ready::Ready;
use super::stage::{lengths, rows};
use super::team::share;
use super::thread;
use super::update::Updater;
use crate::arena::{Arena, Purpose};
use crate::initialise::Seed;
use crate::loss::Loss;
use crate::metric::Metric;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::run::{Layout, Run};
use plywood_kernels::AlignedVec;
use plywood_shape::{Precision, Rows, Sample};
use plywood_tensor::Examples;
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
    ready: Ready<N::Scalar>,
    shared: AlignedVec<N::Scalar>,
    shared_gradient: AlignedVec<N::Scalar>,
    updater: Updater<N::Scalar>,
    clock: Option<Clock>,
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
        Self::with_precision(network, seed, Precision::Full)
    }

    /// The same with products and convolutions in `precision`. Parameters, their gradients and the optimizer's moments stay
    /// in the network's own; so does everything of a network in `f64`.
    #[must_use]
    pub fn with_precision(network: &N, seed: Seed, precision: Precision) -> Self {
        let layout = Layout::for_training::<N>(precision);
        Self {
            seed,
            arenas: Vec::new(),
            capacity: Rows {
                samples: 0,
                steps: 0,
            },
            lanes: Vec::new(),
            ready: Ready::new::<N>(&layout, network.parameters()),
            shared: AlignedVec::zeroed(layout.partials_len),
            shared_gradient: AlignedVec::zeroed(layout.partials_len),
            updater: Updater::new(network, &layout),
            clock: None,
            layout,
        }
    }

    /// The trainer with an eye on the clock: from now on [`Trainer::profile`] says where the time goes.
    #[must_use]
    pub fn profiled(mut self) -> Self {
        self.clock = Some(Clock::new(N::STEPS.len()));
        self
    }

    /// Where the time of the steps since [`Trainer::profiled`] went, or since this was called last; nothing without it.
    pub fn profile(&mut self) -> Option<Profile> {
        let clock = self.clock.as_mut()?;
        let seen = std::mem::replace(clock, Clock::new(N::STEPS.len()));
        Some(seen.profile::<N>())
    }

    /// Steps taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        u64::from(self.updater.step)
    }

    /// Takes the parameters of `network` anew, after something else than [`Trainer::step`] changed them.
    pub fn refresh(&mut self, network: &N) {
        let timer = Timer::default();
        self.ready
            .refresh::<N>(&self.layout, network.parameters(), timer);
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
        let clock = self.clock.take();
        let timer = Timer::of(clock.as_ref());
        let loss = timer.step(|| {
            let blocks = Blocks::of::<N>(examples.inputs.samples());
            self.reserve(examples, blocks, counters.len());
            let batch = Batched::of(examples, blocks);
            self.passes(network, &batch, objective, timer);
            self.update(network, &batch, (optimizer, rate), timer);
            self.sums(blocks, counters)
        });
        self.clock = clock;
        loss
    }

    /// All segments forward and, last segment first, back; gradients and sums are in the lanes then.
    fn passes<L, M>(
        &mut self,
        network: &N,
        batch: &Batched<'_, N, G>,
        objective: Objective<'_, L, M>,
        timer: Timer<'_>,
    ) where
        L: Loss<N::Output, G>,
        M: Metric<N::Output, G>,
    {
        let last = N::SEGMENTS - 1;
        for segment in 0..last {
            self.each_block(network, batch, timer, |pass| pass.forward(segment));
            self.meet(batch.blocks, segment + 1, Meeting::Statistics, timer);
        }
        self.each_block(network, batch, timer, |pass| {
            pass.forward(last);
            pass.compare(objective);
            pass.backward(last);
        });
        for segment in (0..last).rev() {
            self.meet(batch.blocks, segment + 1, Meeting::Gradients, timer);
            self.each_block(network, batch, timer, |pass| pass.backward(segment));
        }
    }

    fn reserve(
        &mut self,
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
        let scratch = self.layout.scratch_len::<N>(needed, false);
        while self.arenas.len() < count {
            let arena = Arena::new(N::STEPS, needed, scratch, Purpose::Training);
            self.arenas.push(Mutex::new(arena));
        }
        while self.lanes.len() < blocks.lanes() {
            self.lanes.push(LaneState::new(self.layout.gradients_len));
        }
        for (index, lane) in self.lanes.iter_mut().enumerate().take(blocks.lanes()) {
            let samples: usize = blocks
                .lane(index)
                .map(|block| blocks.samples(block).len())
                .sum();
            lane.reserve(samples, steps, counters);
            lane.reserve_kept(samples * self.layout.kept_len);
        }
        self.updater.reserve();
        self.ready.reserve(&self.layout);
    }

    /// Runs `work` on every block: lanes in parallel, the blocks of a lane in order.
    fn each_block(
        &mut self,
        network: &N,
        batch: &Batched<'_, N, G>,
        timer: Timer<'_>,
        work: impl Fn(&mut BlockPass<'_, N, G>) + Sync,
    ) {
        let base = Run {
            steps: self.layout.steps(),
            layout: &self.layout,
            first: 0,
            parameters: network.parameters(),
            state: network.state(),
            prepared: &[],
            lookup: None,
            shared: &self.shared,
            shared_gradient: &self.shared_gradient,
            rows: self.capacity,
            lengths: &[],
            training: true,
            seed: self.seed.0,
            time: self.updater.step,
            first_sample: 0,
            alone: false,
            timer,
        };
        let arenas = &self.arenas;
        let lanes = batch.blocks.lanes();
        let run_lane = |index, lane: &mut LaneState<N, G>, prepared: &[N::Scalar]| {
            let mut start = 0;
            for block in batch.blocks.lane(index) {
                let samples = batch.blocks.samples(block);
                let mut pass = BlockPass {
                    run: Run {
                        prepared,
                        rows: rows::<N>(&batch.examples.inputs, &samples),
                        lengths: lengths(&batch.examples.inputs, &samples),
                        first_sample: samples.start,
                        ..base
                    },
                    batch,
                    samples: samples.clone(),
                    start,
                    arena: lock(arenas, if N::SEGMENTS == 1 { thread() } else { block }),
                    lane: &mut *lane,
                };
                work(&mut pass);
                start += samples.len();
            }
        };
        let (ready, layout) = (&self.ready, &self.layout);
        share(self.lanes[..lanes].iter_mut(), |index, lane| {
            ready.with::<N, _>(layout, network.parameters(), timer, |prepared| {
                run_lane(index, lane, prepared);
            });
        });
    }

    /// Lets all blocks meet where segment `segment` begins.
    fn meet(&mut self, blocks: Blocks, segment: usize, meeting: Meeting, timer: Timer<'_>) {
        let step = coupled_step(N::STEPS, segment);
        let arenas = &mut self.arenas[..blocks.count()];
        timer.time(Place::Phase(Phase::Meet), || match meeting {
            Meeting::Statistics => {
                merge_statistics::<N>(step, &self.layout, arenas, &mut self.shared);
            }
            Meeting::Gradients => {
                add_gradients::<N>(step, &self.layout, arenas, &mut self.shared_gradient);
            }
        });
    }

    fn update<O: Optimizer>(
        &mut self,
        network: &mut N,
        batch: &Batched<'_, N, G>,
        optimizer: (&O, f64),
        timer: Timer<'_>,
    ) {
        let gradients = LaneGradients {
            lanes: &self.lanes[..batch.blocks.lanes()],
            steps: self.layout.steps(),
            batch,
        };
        self.updater
            .update(optimizer, network.parameters_mut(), &gradients, timer);
        absorb::<N>(&self.layout, &self.shared, network.state_mut());
        let parameters = network.parameters();
        self.ready.refresh::<N>(&self.layout, parameters, timer);
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

/// The arena of this thread or block. Nobody else holds it: lanes do not wait for one another.
fn lock<T>(arenas: &[Mutex<T>], index: usize) -> MutexGuard<'_, T> {
    arenas[index]
        .lock()
        .expect("a block that panicked ended the step")
}
