//! A lane of a training step: what it owns, and its way through one block.

use super::batched::Batched;
use super::profile::{Phase, Place};
use super::stage::{reserve, row_weights, stage, staged, staged_len};
use super::trainer::Objective;
use super::update::Gradients;
use crate::arena::Arena;
use crate::layer::Layer;
use crate::loss::Loss;
use crate::metric::{Metric, Observed};
use crate::network::{Element, Kept, Lane, Network, Step, Visitor};
use crate::run::{Late, Run};
use plywood_kernels::{AlignedVec, Float, elementwise};
use plywood_shape::{Plan, Sample};
use plywood_tensor::Examples;
use std::ops::Range;
use std::sync::MutexGuard;

/// What a lane owns: its gradients, its part of the batch in the order of steps, its sums.
#[derive(Debug)]
pub(super) struct LaneState<N: Network, G: Sample> {
    /// The gradient of all parameters but scattered tables and late weights.
    dense: AlignedVec<N::Scalar>,
    deferred: Vec<N::Scalar>,
    /// What is kept for late weights.
    kept: Vec<N::Scalar>,
    samples: usize,
    input: Vec<Element<N>>,
    targets: Vec<G::Element<N::Scalar>>,
    weights: Vec<N::Scalar>,
    pub(super) loss: f64,
    pub(super) counters: Vec<f64>,
}

impl<N: Network, G: Sample> LaneState<N, G> {
    /// A lane whose gradient has `dense` numbers.
    pub(super) fn new(dense: usize) -> Self {
        Self {
            dense: AlignedVec::zeroed(dense),
            deferred: Vec::new(),
            kept: Vec::new(),
            samples: 0,
            input: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
            loss: 0.0,
            counters: Vec::new(),
        }
    }

    /// Makes room for so many samples, and starts the sums of a step anew.
    pub(super) fn reserve(&mut self, samples: usize, steps: usize, counters: usize) {
        reserve(&mut self.deferred, samples * steps * kept_row::<N>());
        reserve(&mut self.input, staged_len::<N::Input>(samples, steps));
        reserve(&mut self.targets, staged_len::<G>(samples, steps));
        reserve(&mut self.weights, samples * steps);
        reserve(&mut self.counters, counters);
        self.samples = samples;
        self.loss = 0.0;
        self.counters.fill(0.0);
    }

    /// Makes room for what the late weights keep of all samples.
    pub(super) fn reserve_kept(&mut self, len: usize) {
        reserve(&mut self.kept, len);
    }
}

/// The gradients of all lanes together, added in order of the lanes.
pub(super) struct LaneGradients<'a, N: Network, G: Sample> {
    pub(super) lanes: &'a [LaneState<N, G>],
    /// In the precision of the run.
    pub(super) steps: &'a [Step],
    pub(super) batch: &'a Batched<'a, N, G>,
}

impl<N: Network, G: Sample> Gradients<N::Scalar> for LaneGradients<'_, N, G> {
    fn lanes(&self, start: usize, into: &mut [N::Scalar]) {
        let part = start..start + into.len();
        let (first, others) = self.lanes.split_first().expect("a batch has a lane");
        into.copy_from_slice(&first.dense[part.clone()]);
        for lane in others {
            elementwise::add_assign(into, &lane.dense[part.clone()]);
        }
    }

    fn table(&self, start: usize, into: &mut [N::Scalar]) {
        into.fill(N::Scalar::ZERO);
        for (index, lane) in self.lanes.iter().enumerate() {
            let (input, rows) = self.batch.lane_input(index, &lane.input);
            let deferred = &lane.deferred[..rows * kept_row::<N>()];
            N::scatter(input, deferred, start, into);
        }
    }

    fn late(&self, late: &Late, start: usize, into: &mut [N::Scalar], scratch: &mut [N::Scalar]) {
        struct OfLane<'a, T> {
            late: &'a Late,
            plan: &'a Plan,
            kept: &'a [T],
            start: usize,
            into: &'a mut [T],
            scratch: &'a mut [T],
        }
        impl<T: Float> Visitor<T> for OfLane<'_, T> {
            fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
                if index == self.late.step {
                    layer.late_gradient(self.plan, self.kept, self.start, self.into, self.scratch);
                }
            }
        }
        into.fill(N::Scalar::ZERO);
        for lane in self.lanes {
            let kept = &lane.kept[late.kept * lane.samples..][..late.weight.kept * lane.samples];
            N::visit(
                0,
                &mut OfLane {
                    late,
                    plan: &self.steps[late.step].plan,
                    kept,
                    start,
                    into: &mut *into,
                    scratch: &mut *scratch,
                },
            );
        }
    }
}

/// One block in the course of a step.
pub(super) struct BlockPass<'a, N: Network, G: Sample> {
    pub(super) run: Run<'a, N::Scalar>,
    pub(super) batch: &'a Batched<'a, N, G>,
    pub(super) samples: Range<usize>,
    /// Samples of the lane before this block.
    pub(super) start: usize,
    pub(super) arena: MutexGuard<'a, Arena<N::Scalar>>,
    pub(super) lane: &'a mut LaneState<N, G>,
}

impl<N: Network, G: Sample> BlockPass<'_, N, G> {
    pub(super) fn forward(&mut self, segment: usize) {
        if segment == 0 {
            let timer = self.run.timer;
            timer.time(Place::Phase(Phase::Stage), || self.stage());
        }
        let inputs = &self.batch.examples.inputs;
        let input = staged(inputs, &self.lane.input, &self.samples, self.start);
        let memory = self.arena.carve(self.run.rows);
        N::forward(segment, &self.run, input, memory);
    }

    /// Brings the block's input into the order of steps; the lane's first block clears its gradient.
    fn stage(&mut self) {
        if self.start == 0 {
            self.lane.dense.fill(N::Scalar::ZERO);
        }
        let inputs = &self.batch.examples.inputs;
        let copy = &mut self.lane.input[staged_len::<N::Input>(self.start, inputs.steps())..];
        stage(inputs, self.samples.clone(), copy);
    }

    /// The loss of the block's output, and the gradient with which the way back begins.
    pub(super) fn compare<L, M>(&mut self, objective: Objective<'_, L, M>)
    where
        L: Loss<N::Output, G>,
        M: Metric<N::Output, G>,
    {
        let timer = self.run.timer;
        timer.time(Place::Phase(Phase::Compare), || self.evaluate(objective));
    }

    fn evaluate<L, M>(&mut self, objective: Objective<'_, L, M>)
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

    pub(super) fn backward(&mut self, segment: usize) {
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
            kept: Kept {
                data: &mut lane.kept,
                samples: lane.samples,
                before: self.start,
            },
        };
        let memory = self.arena.carve(self.run.rows);
        N::backward::<false>(segment, &self.run, input, memory, &mut gradient);
    }
}

/// Numbers of a row that are kept for the scatter into a table; none without a table.
pub(crate) fn kept_row<N: Network>() -> usize {
    match N::STEPS.first() {
        Some(step) if step.plan.sparse && !step.frozen => step.plan.output.elements().get(),
        _ => 0,
    }
}
