//! A compiled network as one operation on a tape.
//!
//! Around it stands whatever is written by hand: a loss of one's own, a second network, a policy gradient.
//!
//! ```text
//! forward:    the generated passes over all samples as one block, while training    y = network(parameters, inputs)
//! backward:   the generated passes back, last segment first                         dparameters, dinputs
//! ```
//!
//! The tape runs on one thread, and so does this. Where a layer couples samples there is one block alone to be heard, so what it
//! observed is what all samples share. A way back may use up what the forward pass saved; a second one runs it again.

use crate::arena::{Arena, Purpose};
use crate::engine::{Timer, coupled_step, kept_row, stage};
use crate::initialise::Seed;
use crate::network::{Element, Kept, Lane, Network};
use crate::prepare::prepare;
use crate::run::{Layout, Run};
use plywood_autograd::{Adjoint, Tape, Var};
use plywood_kernels::{AlignedVec, Float};
use plywood_shape::{Item, Rows, Sample, Shape};
use plywood_tensor::{Batch, Tensor};
use std::cell::RefCell;

/// A compiled network, ready to be put on a tape as often as wanted.
///
/// Parameters are a value on the tape like any other, so a network that is used several times collects the gradients of all
/// uses. It runs as while training: dropout drops, batch normalisation takes the statistics of the samples at hand. Running
/// state stays as it is.
///
/// ```
/// use plywood_autograd::Tape;
/// use plywood_nn::{Network, OnTape};
/// use plywood_shape::Sample;
/// use plywood_tensor::Tensor;
///
/// /// One step of gradient descent on the mean square of what the network yields.
/// fn descend<N>(network: &mut N, inputs: Tensor<f32>)
/// where
///     N: Network<Scalar = f32> + 'static,
///     N::Input: Sample<Element<f32> = f32>,
/// {
///     let tape = Tape::new();
///     let on_tape = OnTape::new(network);
///     let parameters = on_tape.parameters(&tape);
///     let outputs = on_tape.forward(parameters, tape.constant(inputs));
///     let gradients = (outputs * outputs).mean_all().backward();
///     let slopes = gradients.of(parameters).data();
///     for (parameter, slope) in network.parameters_mut().iter_mut().zip(slopes) {
///         *parameter -= 0.01 * slope;
///     }
/// }
/// ```
#[derive(Debug)]
pub struct OnTape<'n, N> {
    network: &'n N,
    seed: Seed,
    step: u32,
}

impl<N> Copy for OnTape<'_, N> {}
impl<N> Clone for OnTape<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'n, N: Network + 'static> OnTape<'n, N> {
    /// `network` with the randomness of seed 0 at step 0.
    #[must_use]
    pub fn new(network: &'n N) -> Self {
        Self {
            network,
            seed: Seed(0),
            step: 0,
        }
    }

    /// What dropout draws from: the same seed and step drop the same numbers.
    #[must_use]
    pub fn noise(mut self, seed: Seed, step: u32) -> Self {
        (self.seed, self.step) = (seed, step);
        self
    }

    /// The network's own parameters as a leaf of `tape`.
    #[must_use]
    pub fn parameters<'t>(&self, tape: &'t Tape<N::Scalar>) -> Var<'t, N::Scalar> {
        let parameters = self.network.parameters();
        tape.leaf(Tensor::from_slice([parameters.len()], parameters))
    }

    /// The outputs for `inputs`, both of which a gradient goes through.
    ///
    /// # Shapes
    /// `parameters` as from [`OnTape::parameters`]; `inputs` \[samples\] before the sizes of a sample, as \[28\]\[28\]\[1\] of an
    /// image; of sequences \[steps\]\[samples\] before those of a step, all steps valid. The outputs likewise.
    ///
    /// # Panics
    /// If shapes do not fit, there is no sample or step, or the two lie on different tapes.
    #[track_caller]
    pub fn forward<'t>(
        self,
        parameters: Var<'t, N::Scalar>,
        inputs: Var<'t, N::Scalar>,
    ) -> Var<'t, N::Scalar>
    where
        N::Input: Sample<Element<N::Scalar> = N::Scalar>,
    {
        let value = inputs.value();
        let samples = Samples {
            rows: rows::<N>(value.shape()),
            lengths: Vec::new(),
            input: value.data().to_vec(),
        };
        self.record(samples, &[parameters, inputs], |block, step| {
            if !step.needs(1) {
                return block.backward_parameters(step);
            }
            let gradient = block.backward::<true>(step);
            step.add(0, gradient);
            step.add(1, block.input_gradient());
        })
    }

    /// The outputs for a batch that no gradient goes through, of any kind: tokens, padded sequences.
    ///
    /// # Shapes
    /// As of [`OnTape::forward`].
    ///
    /// # Panics
    /// If `parameters` are not as many as the network's, or the batch has no sample or step.
    #[track_caller]
    pub fn forward_batch<'t>(
        self,
        parameters: Var<'t, N::Scalar>,
        inputs: &Batch<N::Input, N::Scalar>,
    ) -> Var<'t, N::Scalar> {
        let mut copy = vec![Element::<N>::default(); inputs.data().len()];
        let samples = Samples {
            rows: Rows {
                samples: inputs.samples(),
                steps: inputs.steps(),
            },
            lengths: inputs.lengths().to_vec(),
            input: stage(inputs, 0..inputs.samples(), &mut copy).to_vec(),
        };
        self.record(samples, &[parameters], Block::backward_parameters)
    }

    /// Runs the network forward over `samples` and puts it on the tape with its way back.
    #[track_caller]
    fn record<'t>(
        self,
        samples: Samples<N>,
        inputs: &[Var<'t, N::Scalar>],
        backward: impl Fn(&mut Block<N>, &mut Adjoint<'_, N::Scalar>) + 'static,
    ) -> Var<'t, N::Scalar> {
        let rows = samples.rows;
        assert!(
            rows.samples > 0 && rows.steps > 0,
            "{}: {} samples of {} steps are nothing to run over",
            N::NAME,
            rows.samples,
            rows.steps
        );
        let parameters = inputs[0].value();
        let count = self.network.parameters().len();
        assert!(
            parameters.shape() == [count],
            "{}: parameters of shape {:?}, expected [{count}]",
            N::NAME,
            parameters.shape()
        );
        let mut block = Block::new(Setting::new(self, samples, parameters.data()));
        block.forward(parameters.data());
        let output = Tensor::from_slice(axes::<N::Output>(rows), block.output());
        let block = RefCell::new(block);
        let way_back = move |step: &mut Adjoint<'_, N::Scalar>| {
            backward(&mut block.borrow_mut(), step);
        };
        inputs[0].tape().record(inputs, output, way_back)
    }
}

/// What a network is run over, in the order of steps.
#[derive(Debug)]
struct Samples<N: Network> {
    rows: Rows,
    lengths: Vec<u32>,
    input: Vec<Element<N>>,
}

/// What a pass over the samples reads beside the parameters.
#[derive(Debug)]
struct Setting<N: Network> {
    samples: Samples<N>,
    layout: Layout,
    seed: Seed,
    step: u32,
    state: AlignedVec<N::Scalar>,
    prepared: AlignedVec<N::Scalar>,
    shared: AlignedVec<N::Scalar>,
    shared_gradient: AlignedVec<N::Scalar>,
}

impl<N: Network> Setting<N> {
    fn new(of: OnTape<'_, N>, samples: Samples<N>, parameters: &[N::Scalar]) -> Self {
        let layout = Layout::of::<N>();
        let mut prepared = AlignedVec::zeroed(layout.prepared_len);
        prepare::<N>(&layout, parameters, &mut prepared, Timer::default());
        let mut state = AlignedVec::zeroed(of.network.state().len());
        state.copy_from_slice(of.network.state());
        Self {
            samples,
            seed: of.seed,
            step: of.step,
            state,
            prepared,
            shared: AlignedVec::zeroed(layout.partials_len),
            shared_gradient: AlignedVec::zeroed(layout.partials_len),
            layout,
        }
    }

    fn run<'b>(&'b self, parameters: &'b [N::Scalar]) -> Run<'b, N::Scalar> {
        Run {
            steps: self.layout.steps(),
            layout: &self.layout,
            first: 0,
            parameters,
            state: &self.state,
            prepared: &self.prepared,
            lookup: None,
            shared: &self.shared,
            shared_gradient: &self.shared_gradient,
            rows: self.samples.rows,
            lengths: &self.samples.lengths,
            training: true,
            seed: self.seed.0,
            time: self.step,
            first_sample: 0,
            alone: false,
            timer: Timer::default(),
        }
    }
}

/// All samples as one block, with the memory of a pass over it.
#[derive(Debug)]
struct Block<N: Network> {
    setting: Setting<N>,
    arena: Arena<N::Scalar>,
    /// Whether the arena holds what a forward pass left there, not yet used up by a way back.
    fresh: bool,
}

impl<N: Network> Block<N> {
    fn new(setting: Setting<N>) -> Self {
        let rows = setting.samples.rows;
        let scratch = setting.layout.scratch_len::<N>(rows, false);
        Self {
            setting,
            arena: Arena::new(N::STEPS, rows, scratch, Purpose::Training),
            fresh: false,
        }
    }

    fn forward(&mut self, parameters: &[N::Scalar]) {
        let setting = &mut self.setting;
        for segment in 0..N::SEGMENTS {
            if segment > 0 {
                meet::<N>(segment, &setting.layout, &self.arena, &mut setting.shared);
            }
            let input = &setting.samples.input;
            let memory = self.arena.carve(setting.samples.rows);
            N::forward(segment, &setting.run(parameters), input, memory);
        }
        self.fresh = true;
    }

    /// The gradient of the parameters; with `INPUT_GRADIENT`, that of the input is there afterwards, too.
    fn backward<const INPUT_GRADIENT: bool>(
        &mut self,
        step: &Adjoint<'_, N::Scalar>,
    ) -> Vec<N::Scalar> {
        let parameters = step.input(0).data();
        if !self.fresh {
            self.forward(parameters);
        }
        self.fresh = false;
        let Self { setting, arena, .. } = self;
        let rows = setting.samples.rows;
        arena
            .output(N::STEPS, rows)
            .1
            .copy_from_slice(step.output_gradient());
        let mut gradient = vec![N::Scalar::ZERO; parameters.len()];
        let (table, dense) = gradient.split_at_mut(setting.layout.sparse_len);
        let kept = rows.of(N::Input::SHAPE) * kept_row::<N>();
        let deferred = &mut vec![N::Scalar::ZERO; kept];
        let mut lane = Lane {
            dense,
            deferred,
            kept: Kept {
                data: &mut [],
                samples: rows.samples,
                before: 0,
            },
        };
        for segment in (0..N::SEGMENTS).rev() {
            let (run, input) = (setting.run(parameters), &setting.samples.input);
            let memory = arena.carve(rows);
            N::backward::<INPUT_GRADIENT>(segment, &run, input, memory, &mut lane);
            if segment > 0 {
                let sums = &mut setting.shared_gradient;
                meet::<N>(segment, &setting.layout, arena, sums);
            }
        }
        if kept > 0 {
            N::scatter(&setting.samples.input, deferred, 0, table);
        }
        for step in N::STEPS.iter().filter(|step| step.frozen) {
            gradient[step.offset..][..step.plan.parameter_count()].fill(N::Scalar::ZERO);
        }
        gradient
    }

    fn backward_parameters(&mut self, step: &mut Adjoint<'_, N::Scalar>) {
        let gradient = self.backward::<false>(step);
        step.add(0, gradient);
    }
    fn output(&mut self) -> &[N::Scalar] {
        self.arena.output(N::STEPS, self.setting.samples.rows).0
    }

    fn input_gradient(&self) -> Vec<N::Scalar> {
        let len = self.setting.samples.input.len();
        self.arena.input_gradient(len).to_vec()
    }
}

/// What the only block observed for the step that begins `segment` is what all samples share.
fn meet<N: Network>(
    segment: usize,
    layout: &Layout,
    arena: &Arena<N::Scalar>,
    shared: &mut [N::Scalar],
) {
    let step = coupled_step(N::STEPS, segment);
    let range = layout.partials(step, &N::STEPS[step].plan);
    shared[range.clone()].copy_from_slice(&arena.partials()[range]);
}

/// The rows of inputs of that shape.
#[track_caller]
fn rows<N: Network>(shape: &[usize]) -> Rows {
    let rows = match shape {
        &[steps, samples, ..] if N::Input::SHAPE.sequence => Rows { samples, steps },
        &[samples, ..] => Rows { samples, steps: 1 },
        [] => Rows {
            samples: 0,
            steps: 0,
        },
    };
    assert!(
        shape == axes::<N::Input>(rows),
        "{}: inputs of shape {shape:?}, expected {}{:?}",
        N::NAME,
        if N::Input::SHAPE.sequence {
            "[steps][samples]"
        } else {
            "[samples]"
        },
        sizes(N::Input::SHAPE)
    );
    rows
}

/// Sizes of the axes of so many rows of `S`.
fn axes<S: Sample>(rows: Rows) -> Vec<usize> {
    let mut axes = vec![rows.samples];
    if S::SHAPE.sequence {
        axes.insert(0, rows.steps);
    }
    axes.extend(sizes(S::SHAPE));
    axes
}

/// Sizes of the axes of one row.
fn sizes(shape: Shape) -> Vec<usize> {
    match shape.item {
        Item::Image {
            height,
            width,
            channels,
        } => vec![height.get(), width.get(), channels.get()],
        _ => vec![shape.elements().get()],
    }
}
