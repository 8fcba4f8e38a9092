//! The library side of a generated pass: one call a step.
//!
//! What `model!` generates is a straight line of calls to [`Run::forward`] and [`Run::backward`]; this file finds each
//! step's parameters, memory and randomness, and hands them to the layer.

use crate::arena::{Carved, Gradients, Slot, cut};
use crate::engine::{MOST, Place, Timer, Work, share};
use crate::layer::{Flow, LateWeight, Layer, Memory, Noise, Parts, Pass};
use crate::network::{Kept, Lane, Network, Step, Visitor};
use plywood_kernels::Float;
use plywood_kernels::random::Random;
use plywood_kernels::rnn::Lookup;
use plywood_shape::chain::ALIGNMENT;
use plywood_shape::{Plan, Precision, Rows};
use std::ops::Range;

/// One pass over one block: everything but the block's memory.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a, T> {
    /// The network's steps, in the precision that is asked for.
    pub steps: &'a [Step],
    /// Where each step's prepared numbers and statistics start.
    pub layout: &'a Layout,
    /// Which of them is the first one of the network that the pass belongs to: steps of a network within another are counted from
    /// there.
    pub first: usize,
    /// All parameters.
    pub parameters: &'a [T],
    /// All running state.
    pub state: &'a [T],
    /// What the layers derived from the parameters.
    pub prepared: &'a [T],
    /// The input as tokens and the products of the table that is the first step with the weight of the second: the first step
    /// then does nothing.
    pub lookup: Option<Lookup<'a, T>>,
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
    /// Whether a layer's forward pass may be shared by several threads: there is one block alone.
    pub alone: bool,
    /// Takes the time, if anybody wants to know.
    pub timer: Timer<'a>,
}

/// The steps of a network in the precision of a run, and where each one's part of a buffer starts, for the buffers whose
/// sizes only the layers know.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    steps: Vec<Step>,
    prepared: Vec<usize>,
    prepared_lens: Vec<usize>,
    partials: Vec<usize>,
    /// Where each step's gradient starts in a lane's buffer.
    gradients: Vec<usize>,
    late: Vec<Late>,
    /// Length of a lane's gradient.
    pub gradients_len: usize,
    /// Numbers kept of a sample for late weights.
    pub kept_len: usize,
    /// Length of the buffer of prepared numbers.
    pub prepared_len: usize,
    /// Length of the buffer of statistics.
    pub partials_len: usize,
    /// Length of the gradients that are scattered.
    pub sparse_len: usize,
}

/// The late weight of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// Its step.
    pub step: usize,
    /// Its sizes.
    pub weight: LateWeight,
    /// Numbers kept of a sample for the late weights before it.
    pub kept: usize,
}

/// Streams below this one belong to initialisation and shuffling.
const FIRST_LAYER_STREAM: u32 = 1 << 16;

impl Layout {
    /// The layout of a network whose gradient is wanted as one flat buffer.
    #[must_use]
    pub fn of<N: Network>() -> Self {
        Self::new::<N>(Precision::Full, Purpose::Gradient)
    }

    /// The layout of a network that is trained step by step in `precision`, late weights late.
    #[must_use]
    pub fn for_training<N: Network>(precision: Precision) -> Self {
        Self::new::<N>(precision, Purpose::Training)
    }

    /// The layout of a network that only runs forward, in `precision`.
    #[must_use]
    pub fn for_inference<N: Network>(precision: Precision) -> Self {
        Self::new::<N>(precision, Purpose::Inference)
    }

    fn new<N: Network>(precision: Precision, purpose: Purpose) -> Self {
        struct Sizes<'a> {
            layout: &'a mut Layout,
            purpose: Purpose,
        }
        impl<T: Float> Visitor<T> for Sizes<'_> {
            fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
                let Step {
                    plan,
                    frozen,
                    still,
                    ..
                } = &{ self.layout.steps[index] };
                let late = layer.late_weight(plan);
                let late = late.filter(|_| self.purpose == Purpose::Training && !frozen);
                if !frozen || self.purpose == Purpose::Gradient {
                    self.layout.add_gradient(index, plan, late);
                } else {
                    self.layout.gradients.push(0);
                }
                let len = match self.purpose {
                    Purpose::Inference => layer.prepared_for_forward_len(plan),
                    // Nothing goes back through it.
                    Purpose::Training if *still => layer.prepared_for_forward_len(plan),
                    Purpose::Gradient | Purpose::Training => layer.prepared_len(plan),
                };
                self.layout.prepared.push(self.layout.prepared_len);
                self.layout.prepared_lens.push(len);
                self.layout.prepared_len += len.next_multiple_of(ALIGNMENT);
            }
        }
        let mut layout = Self {
            steps: steps_in::<N>(precision),
            ..Self::default()
        };
        for step in N::STEPS {
            layout.partials.push(layout.partials_len);
            layout.partials_len += step.plan.coupling;
            if step.plan.sparse {
                layout.sparse_len += step.plan.parameter_count().next_multiple_of(ALIGNMENT);
            }
        }
        N::visit(
            0,
            &mut Sizes {
                layout: &mut layout,
                purpose,
            },
        );
        layout.make_room_for_frozen(purpose);
        layout
    }

    /// The network's steps, their plans in the precision of the run.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The most scratch space that any step needs for `rows`, and if they are `alone`, that all its parts need.
    pub(crate) fn scratch_len<N: Network>(&self, rows: Rows, alone: bool) -> usize {
        struct Scratch<'a> {
            steps: &'a [Step],
            rows: Rows,
            alone: bool,
            most: usize,
        }
        impl<T: Float> Visitor<T> for Scratch<'_> {
            fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
                let plan = &self.steps[index].plan;
                let parts = layer.parts(plan, self.rows).filter(|_| self.alone);
                let parts = parts.map_or(1, |parts| parts.count());
                self.most = self.most.max(parts * layer.scratch_len(plan, self.rows));
            }
        }
        let mut scratch = Scratch {
            steps: &self.steps,
            rows,
            alone,
            most: 0,
        };
        N::visit(0, &mut scratch);
        scratch.most
    }

    /// While training, the gradients of frozen steps that something goes back through go where nobody reads them.
    fn make_room_for_frozen(&mut self, purpose: Purpose) {
        if purpose != Purpose::Training {
            return;
        }
        let mut len = 0;
        let frozen = self.steps.iter().zip(&mut self.gradients);
        for (step, gradient) in frozen.filter(|(step, _)| step.frozen && !step.still) {
            *gradient = self.gradients_len;
            len = len.max(step.plan.parameter_count());
        }
        self.gradients_len += len.next_multiple_of(ALIGNMENT);
    }

    /// Lays out a step's gradient behind those before it.
    fn add_gradient(&mut self, step: usize, plan: &Plan, late: Option<LateWeight>) {
        self.gradients.push(self.gradients_len);
        if plan.sparse {
            return;
        }
        // With the gap of alignment behind the parameters, whose gradient is 0.
        let mut len = plan.parameter_count().next_multiple_of(ALIGNMENT);
        if let Some(weight) = late {
            len -= weight.len;
            let kept = self.kept_len;
            self.late.push(Late { step, weight, kept });
            self.kept_len += weight.kept;
        }
        self.gradients_len += len.next_multiple_of(ALIGNMENT);
    }

    /// Where a step's gradient starts in a lane's buffer.
    #[must_use]
    pub fn gradient(&self, step: usize) -> usize {
        self.gradients[step]
    }

    /// The late weights, in order of the steps.
    #[must_use]
    pub fn late(&self) -> &[Late] {
        &self.late
    }

    /// The late weight of a step, if it has one.
    #[must_use]
    pub fn late_of(&self, step: usize) -> Option<&Late> {
        self.late.iter().find(|late| late.step == step)
    }

    /// The range of a step's prepared numbers.
    #[must_use]
    pub fn prepared(&self, step: usize) -> Range<usize> {
        self.prepared[step]..self.prepared[step] + self.prepared_lens[step]
    }

    /// The range of a step's statistics; `coupling` is that of its plan.
    #[must_use]
    pub fn partials(&self, step: usize, plan: &Plan) -> Range<usize> {
        self.partials[step]..self.partials[step] + plan.coupling
    }
}

/// What a network is laid out for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Gradient,
    Training,
    Inference,
}

impl<'a, T: Float> Run<'a, T> {
    /// The run of the network within this one that begins with step `first`.
    #[must_use]
    pub fn part(&self, first: usize) -> Run<'a, T> {
        Run {
            first: self.first + first,
            ..*self
        }
    }

    /// What step `index` writes; slots are taken in order.
    pub fn slot<'m>(&self, index: usize, memory: &mut Carved<'m, T>) -> Slot<'m, T> {
        memory.take(&self.steps[self.first + index])
    }

    /// What the last of some steps writes.
    ///
    /// # Panics
    /// If there are none.
    pub fn last_slot<'m>(&self, steps: Range<usize>, memory: &mut Carved<'m, T>) -> Slot<'m, T> {
        let slots = steps.map(|index| self.slot(index, memory));
        slots.last().expect("a network has steps")
    }

    /// The memory of some steps, which are a network within this one.
    pub fn memory<'m>(&self, steps: Range<usize>, memory: &'m mut Carved<'_, T>) -> Carved<'m, T> {
        memory.part(&self.steps[self.first + steps.start..self.first + steps.end])
    }

    /// Runs step `index` forward.
    pub fn forward<L: Layer<T, X>, X: Sync>(
        &self,
        index: usize,
        layer: &L,
        x: &[X],
        slot: &mut Slot<'_, T>,
        scratch: &mut [T],
    ) {
        let index = self.first + index;
        if index == 0 && self.lookup.is_some() {
            return;
        }
        let memory = Memory {
            saved: slot.saved,
            bytes: slot.bytes,
            carried: slot.carried,
            scratch,
        };
        let (pass, x) = (self.pass(index), self.input(index, x));
        let parts = layer.parts(pass.plan, self.rows).filter(|_| self.alone);
        self.timer
            .time(Place::Step(index, Work::Forward), || match parts {
                Some(parts) => forward_parts(layer, &pass, x, parts, slot.value, memory),
                None => layer.forward(&pass, x, slot.value, memory),
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

    /// Runs a step backward that reads the network's input: the gradient of that only if `input_gradient` asks for it.
    pub fn backward_first<L: Layer<T, X>, X>(
        &self,
        index: usize,
        input_gradient: bool,
        layer: &L,
        x: &[X],
        slot: &mut Slot<'_, T>,
        back: &mut Back<'_, '_, T>,
    ) {
        self.back(index, layer, x, slot, back, input_gradient);
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
        let index = self.first + index;
        let pass = self.pass(index);
        let plan = pass.plan;
        let inputs = plan.input.elements().get() * self.rows.of(plan.input);
        let (gradient, kept) = self.gradients(index, back.lane);
        let flow = Flow {
            x: self.input(index, x),
            y: &*slot.value,
            dy: &mut back.gradients.current[..slot.value.len()],
            dx: input_gradient.then_some(&mut back.gradients.next[..inputs]),
            gradient,
            kept,
        };
        let memory = Memory {
            saved: slot.saved,
            bytes: slot.bytes,
            carried: &mut [],
            scratch: back.scratch,
        };
        self.timer.time(Place::Step(index, Work::Backward), || {
            layer.backward(&pass, flow, memory);
        });
        back.gradients.flip();
    }

    /// While training, takes the statistics of a block for coupled step `index`; `partials` is the arena's.
    pub fn observe<L: Layer<T, X>, X>(&self, index: usize, layer: &L, x: &[X], partials: &mut [T]) {
        let index = self.first + index;
        if self.training && !self.steps[index].frozen {
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
        let index = self.first + index;
        if self.steps[index].frozen {
            return;
        }
        let pass = self.pass(index);
        let range = self.layout.partials(index, pass.plan);
        let outputs = pass.plan.output.elements().get() * self.rows.of(pass.plan.output);
        let (gradient, _) = self.gradients(index, back.lane);
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
            training: self.training && !step.frozen,
            keeps: self.training,
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
            lookup: self.lookup.filter(|_| index == 1),
            shared,
            shared_gradient,
        }
    }

    /// Where the gradient of a step's parameters goes, and what it keeps of the block for its late weight.
    fn gradients<'b>(&self, index: usize, lane: &'b mut Lane<'_, T>) -> (&'b mut [T], &'b mut [T]) {
        let step = &self.steps[index];
        if step.plan.sparse {
            return (lane.deferred, &mut []);
        }
        let mut len = step.plan.parameter_count();
        let mut kept: &mut [T] = &mut [];
        if let Some(late) = self.layout.late_of(index) {
            len -= late.weight.len;
            kept = lane.kept.of(late, self.rows.samples);
        }
        (&mut lane.dense[self.layout.gradient(index)..][..len], kept)
    }

    /// The rows of `x` that the step reads: a step behind a reshaped one gets exactly its own number.
    fn input<'x, X>(&self, index: usize, x: &'x [X]) -> &'x [X] {
        let shape = self.steps[index].plan.input;
        &x[..shape.elements().get() * self.rows.of(shape)]
    }
}

impl<T> Kept<'_, T> {
    /// What a step keeps of a block of so many samples.
    fn of(&mut self, late: &Late, samples: usize) -> &mut [T] {
        let row = late.weight.kept;
        let start = late.kept * self.samples + row * self.before;
        &mut self.data[start..][..row * samples]
    }
}

/// Runs a layer forward part by part, on all threads.
fn forward_parts<T: Float, L: Layer<T, X>, X: Sync>(
    layer: &L,
    pass: &Pass<'_, T>,
    x: &[X],
    parts: Parts,
    y: &mut [T],
    memory: Memory<'_, T>,
) {
    let (mut y, mut bytes, mut scratch) = (y, memory.bytes, memory.scratch);
    let needed = layer.scratch_len(pass.plan, pass.rows);
    let pieces = parts.ranges().map(|units| {
        let numbers = cut(&mut y, units.len() * parts.numbers, 1);
        let kept = if pass.keeps {
            units.len() * parts.bytes
        } else {
            0
        };
        (
            units,
            numbers,
            cut(&mut bytes, kept, 1),
            cut(&mut scratch, needed, 1),
        )
    });
    share(pieces, |_, (units, y, bytes, scratch)| {
        let memory = Memory {
            saved: &mut [],
            bytes,
            carried: &mut [],
            scratch,
        };
        layer.forward_part(pass, x, units, y, memory);
    });
}

impl Parts {
    /// How many parts there are.
    fn count(&self) -> usize {
        let groups = self.units.div_ceil(self.together);
        self.most.clamp(1, MOST).min(groups)
    }

    /// The units of every part.
    fn ranges(self) -> impl Iterator<Item = Range<usize>> {
        let (groups, count) = (self.units.div_ceil(self.together), self.count());
        let start = move |part: usize| (part * groups / count * self.together).min(self.units);
        (0..count).map(move |part| start(part)..start(part + 1))
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

/// The steps of `N` with plans that ask for `precision`; one in `f64` knows no other than its own.
fn steps_in<N: Network>(precision: Precision) -> Vec<Step> {
    let mut steps = N::STEPS.to_vec();
    if N::Scalar::BYTES == 4 {
        for step in &mut steps {
            step.plan.precision = precision;
        }
    }
    steps
}
