//! The contract between a layer and the network it stands in.
//!
//! A layer is plain data with an inherent `pub const fn plan(&self, input: Shape) -> Plan` (its shape rule) and an
//! implementation of [`Layer`] (its computation, over slices). Built-in layers and those of any other crate take part
//! by the same contract.

use plywood_kernels::Float;
use plywood_kernels::random::Random;
use plywood_kernels::rnn::Lookup;
use plywood_shape::{Plan, Rows};
use std::ops::Range;

/// What a layer computes, over slices, for rows that lie one after the other.
///
/// A row is a sample, or a step of a sample: row `t·samples + n` is step `t` of sample `n`. `X` is what the input is
/// stored as: `T`, or `u32` for a layer that reads tokens.
///
/// ```
/// use plywood_nn::{Flow, Layer, Memory, Pass};
/// use plywood_kernels::Float;
/// use plywood_shape::{Plan, Shape};
///
/// /// `y = x²`, number by number.
/// pub struct Square;
///
/// impl Square {
///     pub const fn new() -> Self {
///         Self
///     }
///     pub const fn plan(&self, input: Shape) -> Plan {
///         Plan::yields(input, input)
///     }
/// }
///
/// impl<T: Float> Layer<T> for Square {
///     fn forward(&self, _: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
///         for (y, x) in y.iter_mut().zip(x) {
///             *y = *x * *x;
///         }
///     }
///     fn backward(&self, _: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
///         let Some(dx) = flow.dx else { return };
///         for ((dx, dy), x) in dx.iter_mut().zip(flow.dy).zip(flow.x) {
///             *dx = T::from_f64(2.0) * *x * *dy;
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer",
    label = "not a layer",
    note = "a layer has `pub const fn new` and `pub const fn plan` of its own and implements `plywood::Layer<T>`; see examples/04-custom-layer.rs",
    note = "a network of `model!` stands in a list without parentheses"
)]
pub trait Layer<T: Float, X = T>: Sync {
    /// `y` from `x`: every number of `y` is written. What the plan says is saved goes to `memory`, if the pass keeps it.
    fn forward(&self, pass: &Pass<'_, T>, x: &[X], y: &mut [T], memory: Memory<'_, T>);

    /// The gradients of the inputs (written) and of the parameters (added to), from the gradient of the outputs.
    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T, X>, memory: Memory<'_, T>);

    /// How the forward pass over `rows` can be shared by several threads, where that pays. Not at all by default.
    fn parts(&self, _plan: &Plan, _rows: Rows) -> Option<Parts> {
        None
    }

    /// Some units of `y`, with the bits of [`Layer::forward`]; `y` and [`Memory::bytes`] are those of the units alone.
    fn forward_part(
        &self,
        _pass: &Pass<'_, T>,
        _x: &[X],
        _units: Range<usize>,
        _y: &mut [T],
        _memory: Memory<'_, T>,
    ) {
    }

    /// Numbers of scratch space that a pass over `rows` needs.
    fn scratch_len(&self, _plan: &Plan, _rows: Rows) -> usize {
        0
    }

    /// Numbers that are derived from the parameters once a step: transposed or packed weights.
    fn prepared_len(&self, _plan: &Plan) -> usize {
        0
    }

    /// How many of them the forward pass reads: these come first.
    fn prepared_for_forward_len(&self, plan: &Plan) -> usize {
        self.prepared_len(plan)
    }

    /// Derives them, or only those for the forward pass if there is no room for more; called after every change of the
    /// parameters.
    fn prepare(&self, _plan: &Plan, _parameters: &[T], _prepared: &mut [T]) {}

    /// Whether an output is nothing but the row of the parameters that the token says.
    fn is_table(&self) -> bool {
        false
    }

    /// Numbers of the product that the layer makes of a row of inputs before anything else, if its forward pass can do with the
    /// products alone ([`Pass::lookup`]). None by default.
    fn projected_len(&self, _plan: &Plan) -> Option<usize> {
        None
    }

    /// Makes the products of rows of inputs.
    fn project(&self, _plan: &Plan, _prepared: &[T], _x: &[T], _projected: &mut [T]) {}

    /// While training, for a layer whose plan couples samples: the statistics of these rows into `partial`.
    fn observe(&self, _pass: &Pass<'_, T>, _x: &[X], _partial: &mut [T]) {}

    /// Adds the statistics of further rows to those of earlier ones.
    fn merge(&self, _plan: &Plan, _into: &mut [T], _further: &[T]) {}

    /// While training, for a layer whose plan couples samples: what the input gradient needs to know of all rows, into
    /// `partial`; the parameters' gradient is added to. Partials of different rows are added up.
    fn observe_gradient(
        &self,
        _pass: &Pass<'_, T>,
        _x: &[X],
        _dy: &[T],
        _partial: &mut [T],
        _gradient: &mut [T],
    ) {
    }

    /// Lets the running state follow the statistics of a whole batch.
    fn absorb(&self, _plan: &Plan, _shared: &[T], _state: &mut [T]) {}

    /// The weight whose gradient is better taken of the whole batch at once than added up block by block: a large one, since
    /// every lane would have a copy of its gradient, to be cleared, written and read at every step. None by default.
    fn late_weight(&self, _plan: &Plan) -> Option<LateWeight> {
        None
    }

    /// Adds to a part of a late weight's gradient what was kept of some rows of the batch; `part` begins at number `start`.
    fn late_gradient(
        &self,
        _plan: &Plan,
        _kept: &[T],
        _start: usize,
        _part: &mut [T],
        _scratch: &mut [T],
    ) {
    }

    /// For a layer whose plan scatters: adds the gradients of all rows, kept by `backward`, to a part of the table's.
    ///
    /// `part` begins at number `start` of the table; both are multiples of a row of the output. Rows that belong to other parts
    /// are passed over.
    fn scatter(&self, _plan: &Plan, _x: &[X], _deferred: &[T], _start: usize, _part: &mut [T]) {}
}

/// How a layer's output can be cut: into units that lie one behind the other, each computed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// How many units there are.
    pub units: usize,
    /// Parts begin at multiples of so many units.
    pub together: usize,
    /// Numbers of the output that a unit is.
    pub numbers: usize,
    /// Bytes that a unit keeps, for a layer that keeps any.
    pub bytes: usize,
    /// Into how many parts it pays to cut.
    pub most: usize,
}

/// A weight whose gradient is taken after the way back, part by part, straight before the optimizer needs it.
///
/// The way back keeps of every row what the gradient is made of, instead of adding to [`Flow::gradient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateWeight {
    /// Numbers of the weight, the first of the layer's parameters. [`Flow::gradient`] is that of the others.
    pub len: usize,
    /// Parts of the gradient begin and end at multiples of this.
    pub row: usize,
    /// Numbers kept of a row of the batch.
    pub kept: usize,
    /// Scratch space of [`Layer::late_gradient`].
    pub scratch: usize,
}

/// What a layer knows of the pass it takes part in.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a, T> {
    /// Its own plan, all sizes known.
    pub plan: &'a Plan,
    /// Samples, and steps of a sequence.
    pub rows: Rows,
    /// Valid steps of every sample; empty where all steps of all samples are valid.
    pub lengths: &'a [u32],
    /// Whether the layer is being trained: dropout drops, batch statistics count. Not where it is frozen, forward nor on the way back.
    pub training: bool,
    /// Whether a way back follows, so that what it reads is to be kept: while training, also where the layer is frozen.
    pub keeps: bool,
    /// This layer's randomness at this step.
    pub noise: Noise,
    /// The layer's parameters, in the order of the plan.
    pub parameters: &'a [T],
    /// The layer's running state, in the order of the plan.
    pub state: &'a [T],
    /// What [`Layer::prepare`] derived.
    pub prepared: &'a [T],
    /// The inputs as tokens, with the products that [`Layer::project`] made of all rows of the table behind them. The input itself is
    /// then of any content.
    pub lookup: Option<Lookup<'a, T>>,
    /// The merged statistics of the whole batch, for a layer that couples samples.
    pub shared: &'a [T],
    /// On the way back, the added gradient partials of the whole batch.
    pub shared_gradient: &'a [T],
}

/// Randomness that belongs to a sample's place in the batch, not to the block or the thread it runs on.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    /// Seed, layer and step.
    pub random: Random,
    /// The place in the batch of the block's first sample.
    pub first_sample: usize,
}

/// The memory of a layer within a block.
#[derive(Debug)]
pub struct Memory<'a, T> {
    /// Numbers kept from forward to backward, as the plan says.
    pub saved: &'a mut [T],
    /// Bytes kept likewise.
    pub bytes: &'a mut [u8],
    /// What a recurrent layer carries from step to step: row n of as many numbers as the plan says is that of sample n, zero
    /// before the first step. Where sequences come whole it is empty; where it is not, this pass goes on where the last one
    /// ended, and no way back follows.
    pub carried: &'a mut [T],
    /// As long as [`Layer::scratch_len`] asks for; its content is arbitrary.
    pub scratch: &'a mut [T],
}

/// What flows through a layer on the way back.
#[derive(Debug)]
pub struct Flow<'a, T, X = T> {
    /// The input of the forward pass.
    pub x: &'a [X],
    /// Its output.
    pub y: &'a [T],
    /// The gradient of the output; the layer may overwrite it.
    pub dy: &'a mut [T],
    /// The gradient of the input, to be overwritten; `None` where nobody asks for it.
    pub dx: Option<&'a mut [T]>,
    /// The gradient of the parameters, to be added to; of a plan that scatters, the rows kept for
    /// [`Layer::scatter`], to be overwritten.
    pub gradient: &'a mut [T],
    /// What is kept of the rows for a [`LateWeight`], to be overwritten. Empty where its gradient is to be added up like any
    /// other.
    pub kept: &'a mut [T],
}
