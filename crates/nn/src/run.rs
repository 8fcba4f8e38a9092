//! The library side of a generated pass: one call a step.
//!
//! What `model!` generates is a straight line of calls to [`Run::forward`] and [`Run::backward`]; this file finds each
//! step's parameters, memory and randomness, and hands them to the layer.

use crate::arena::{Gradients, Slot};
use crate::engine::{Place, Timer, Work};
use crate::layer::{Flow, Layer, Memory, Noise, Pass};
use crate::network::{Lane, Network, Step, Visitor};
use plywood_kernels::Float;
use plywood_kernels::random::Random;
use plywood_shape::{Plan, Rows};

/// One pass over one block: everything but the block's memory.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a, T> {
    /// The network's steps.
    pub steps: &'static [Step],
    /// Where each step's prepared numbers and statistics start.
    pub layout: &'a Layout,
    /// All parameters.
    pub parameters: &'a [T],
    /// All running state.
    pub state: &'a [T],
    /// What the layers derived from the parameters.
    pub prepared: &'a [T],
    /// Statistics of the whole batch, of all coupled layers one after the other.
    pub shared: &'a [T],
    /// On the way back, the gradient partials of the whole batch likewise.
    pub shared_gradient: &'a [T],
    /// Samples of the block, and steps of a sequence.
    pub rows: Rows,
    /// Valid steps of every sample of the block; empty where all are valid.
    pub lengths: &'a [u32],
    /// Whether this is training.
    pub training: bool,
    /// The seed of this training's randomness.
    pub seed: u64,
    /// The training step, from 0.
    pub time: u32,
    /// The place in the batch of the block's first sample.
    pub first_sample: usize,
    /// Takes the time, if anybody wants to know.
    pub timer: Timer<'a>,
}

/// Where each step's part of a buffer starts, for the buffers whose sizes only the layers know.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    prepared: Vec<usize>,
    prepared_lens: Vec<usize>,
    partials: Vec<usize>,
    /// Length of the buffer of prepared numbers.
    pub prepared_len: usize,
    /// Length of the buffer of statistics.
    pub partials_len: usize,
    /// Length of the gradients that are scattered.
    pub sparse_len: usize,
}

/// Streams below this one belong to initialisation and shuffling.
const FIRST_LAYER_STREAM: u32 = 1 << 16;

impl Layout {
    /// The layout of a network that is trained.
    #[must_use]
    pub fn of<N: Network>() -> Self {
        Self::new::<N>(true)
    }

    /// The layout of a network that only runs forward.
    #[must_use]
    pub fn for_inference<N: Network>() -> Self {
        Self::new::<N>(false)
    }

    fn new<N: Network>(training: bool) -> Self {
        struct Prepared<'a> {
            steps: &'static [Step],
            layout: &'a mut Layout,
            training: bool,
        }
        impl<T: Float> Visitor<T> for Prepared<'_> {
            fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
                let plan = &self.steps[index].plan;
                let len = if self.training {
                    layer.prepared_len(plan)
                } else {
                    layer.prepared_for_forward_len(plan)
                };
                self.layout.prepared.push(self.layout.prepared_len);
                self.layout.prepared_lens.push(len);
                self.layout.prepared_len += len.next_multiple_of(16);
            }
        }
        let mut layout = Self::default();
        for step in N::STEPS {
            layout.partials.push(layout.partials_len);
            layout.partials_len += step.plan.coupling;
            if step.plan.sparse {
                layout.sparse_len += step.plan.parameter_count().next_multiple_of(16);
            }
        }
        N::visit(&mut Prepared {
            steps: N::STEPS,
            layout: &mut layout,
            training,
        });
        layout
    }

    /// The range of a step's prepared numbers.
    #[must_use]
    pub fn prepared(&self, step: usize) -> std::ops::Range<usize> {
        self.prepared[step]..self.prepared[step] + self.prepared_lens[step]
    }

    /// The range of a step's statistics; `coupling` is that of its plan.
    #[must_use]
    pub fn partials(&self, step: usize, plan: &Plan) -> std::ops::Range<usize> {
        self.partials[step]..self.partials[step] + plan.coupling
    }
}

impl<T: Float> Run<'_, T> {
    /// Runs step `index` forward.
    pub fn forward<L: Layer<T, X>, X>(
        &self,
        index: usize,
        layer: &L,
        x: &[X],
        slot: &mut Slot<'_, T>,
        scratch: &mut [T],
    ) {
        let memory = Memory {
            saved: slot.saved,
            bytes: slot.bytes,
            scratch,
        };
        let (pass, x) = (self.pass(index), self.input(index, x));
        self.timer.time(Place::Step(index, Work::Forward), || {
            layer.forward(&pass, x, slot.value, memory);
        });
    }

    /// Runs step `index` backward: the gradient moves from its output to its input.
    pub fn backward<L: Layer<T, X>, X>(
        &self,
        index: usize,
        layer: &L,
        x: &[X],
        slot: &mut Slot<'_, T>,
        back: &mut Back<'_, '_, T>,
    ) {
        self.back(index, layer, x, slot, back, true);
    }

    /// Runs the first step backward: the gradient of its input only if `input_gradient` asks for it.
    pub fn backward_first<L: Layer<T, X>, X>(
        &self,
        input_gradient: bool,
        layer: &L,
        x: &[X],
        slot: &mut Slot<'_, T>,
        back: &mut Back<'_, '_, T>,
    ) {
        self.back(0, layer, x, slot, back, input_gradient);
    }

    fn back<L: Layer<T, X>, X>(
        &self,
        index: usize,
        layer: &L,
        x: &[X],
        slot: &mut Slot<'_, T>,
        back: &mut Back<'_, '_, T>,
        input_gradient: bool,
    ) {
        let pass = self.pass(index);
        let plan = pass.plan;
        let inputs = plan.input.elements().get() * self.rows.of(plan.input);
        let flow = Flow {
            x: self.input(index, x),
            y: &*slot.value,
            dy: &mut back.gradients.current[..slot.value.len()],
            dx: input_gradient.then_some(&mut back.gradients.next[..inputs]),
            gradient: self.gradient(index, back.lane),
        };
        let memory = Memory {
            saved: slot.saved,
            bytes: slot.bytes,
            scratch: back.scratch,
        };
        self.timer.time(Place::Step(index, Work::Backward), || {
            layer.backward(&pass, flow, memory);
        });
        back.gradients.flip();
    }

    /// While training, takes the statistics of a block for coupled step `index`; `partials` is the arena's.
    pub fn observe<L: Layer<T, X>, X>(&self, index: usize, layer: &L, x: &[X], partials: &mut [T]) {
        if self.training {
            let pass = self.pass(index);
            let range = self.layout.partials(index, pass.plan);
            let (x, partial) = (self.input(index, x), &mut partials[range]);
            self.timer.time(Place::Step(index, Work::Forward), || {
                layer.observe(&pass, x, partial);
            });
        }
    }

    /// Takes what the input gradient of coupled step `index` needs to know of the block; the gradient of its output
    /// is the current one and stays so.
    pub fn observe_gradient<L: Layer<T, X>, X>(
        &self,
        index: usize,
        layer: &L,
        x: &[X],
        partials: &mut [T],
        back: &mut Back<'_, '_, T>,
    ) {
        let pass = self.pass(index);
        let range = self.layout.partials(index, pass.plan);
        let outputs = pass.plan.output.elements().get() * self.rows.of(pass.plan.output);
        let gradient = self.gradient(index, back.lane);
        let dy = &back.gradients.current[..outputs];
        let (x, partial) = (self.input(index, x), &mut partials[range]);
        self.timer.time(Place::Step(index, Work::Backward), || {
            layer.observe_gradient(&pass, x, dy, partial, gradient);
        });
    }

    fn pass(&self, index: usize) -> Pass<'_, T> {
        let step = &self.steps[index];
        let plan = &step.plan;
        let range = self.layout.partials(index, plan);
        let shared = self.shared.get(range.clone()).unwrap_or(&[]);
        let shared_gradient = self.shared_gradient.get(range).unwrap_or(&[]);
        Pass {
            plan,
            rows: self.rows,
            lengths: self.lengths,
            training: self.training,
            noise: Noise {
                random: Random {
                    seed: self.seed,
                    stream: FIRST_LAYER_STREAM + step.layer as u32,
                    step: self.time,
                },
                first_sample: self.first_sample,
            },
            parameters: &self.parameters[step.offset..][..plan.parameter_count()],
            state: &self.state[step.state_offset..][..plan.state_count()],
            prepared: &self.prepared[self.layout.prepared(index)],
            shared,
            shared_gradient,
        }
    }

    fn gradient<'b>(&self, index: usize, lane: &'b mut Lane<'_, T>) -> &'b mut [T] {
        let step = &self.steps[index];
        if step.plan.sparse {
            return lane.deferred;
        }
        let start = step.offset - self.layout.sparse_len;
        &mut lane.dense[start..][..step.plan.parameter_count()]
    }

    /// The rows of `x` that the step reads: a step behind a reshaped one gets exactly its own number.
    fn input<'x, X>(&self, index: usize, x: &'x [X]) -> &'x [X] {
        let shape = self.steps[index].plan.input;
        &x[..shape.elements().get() * self.rows.of(shape)]
    }
}

/// The way back through a block.
#[derive(Debug)]
pub struct Back<'a, 'l, T> {
    /// The gradient on its way.
    pub gradients: Gradients<'a, T>,
    /// Where the parameters' gradients go.
    pub lane: &'a mut Lane<'l, T>,
    /// Scratch space.
    pub scratch: &'a mut [T],
}

/// The most scratch space that any step needs for `rows`.
pub(crate) fn scratch_len<N: Network>(rows: Rows) -> usize {
    struct Scratch(&'static [Step], Rows, usize);
    impl<T: Float> Visitor<T> for Scratch {
        fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
            self.2 = self.2.max(layer.scratch_len(&self.0[index].plan, self.1));
        }
    }
    let mut scratch = Scratch(N::STEPS, rows, 0);
    N::visit::<Scratch>(&mut scratch);
    scratch.2
}
