//! What `model!` generates, as a trait: the passes of a network over blocks of samples.

use crate::arena::Carved;
use crate::initialise::Seed;
use crate::layer::Layer;
use crate::nested::Declared;
use crate::run::Run;
use plywood_kernels::{AlignedVec, Float};
use plywood_shape::{LayerInfo, Plan, Sample, chain, table};

/// A network: parameters in one flat buffer, and its forward and backward pass over blocks of samples.
///
/// `model!` implements it. The passes are associated functions over slices, so that an engine runs them for many
/// blocks at once. They come in segments: a segment ends where a layer needs to know all samples of the batch before
/// it goes on, as batch normalisation does while training.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a network",
    label = "neither a built-in layer nor a network of `model!`",
    note = "a layer of your own has parentheses in a list, as in `Scale()`"
)]
pub trait Network: Sized + Send + Sync {
    /// What it computes in.
    type Scalar: Float;
    /// What it takes.
    type Input: Sample;
    /// What it yields.
    type Output: Sample<Element<Self::Scalar> = Self::Scalar>;
    /// The same network computing in another float.
    type Of<U: Float>: Network<Scalar = U, Input = Self::Input>;

    /// The name of the network.
    const NAME: &'static str;
    /// The layers of the list.
    const LAYERS: &'static [LayerInfo];
    /// What is executed, one after the other: layers, or several fused into one.
    const STEPS: &'static [Step];
    /// How many segments the passes come in.
    const SEGMENTS: usize;
    /// Fails to be evaluated if the layers do not go together, of a network that leaves sizes open; others have been checked.
    const FITS: () = ();
    /// How many layers there are: known without asking any of them.
    const LAYER_COUNT: usize = Self::LAYERS.len();
    /// How many steps there are, likewise.
    const STEP_COUNT: usize = Self::STEPS.len();
    /// What the network is for another that it lies in.
    const DECLARED: Declared = Declared::of::<Self>();

    /// A new network. Its parameters follow from the seed alone.
    fn seeded(seed: Seed) -> Self;
    /// A network with these parameters and this running state, gaps of alignment included.
    fn of_numbers(parameters: AlignedVec<Self::Scalar>, state: AlignedVec<Self::Scalar>) -> Self;

    /// All parameters.
    fn parameters(&self) -> &[Self::Scalar];
    /// All parameters, to be changed.
    fn parameters_mut(&mut self) -> &mut [Self::Scalar];
    /// All running state.
    fn state(&self) -> &[Self::Scalar];
    /// All running state, to be changed.
    fn state_mut(&mut self) -> &mut [Self::Scalar];

    /// Runs a segment forward over a block.
    fn forward(
        segment: usize,
        run: &Run<'_, Self::Scalar>,
        input: &[Element<Self>],
        memory: Carved<'_, Self::Scalar>,
    );

    /// Runs a segment backward over a block, last segment first; parameter gradients are added to those of the `lane`.
    ///
    /// With `INPUT_GRADIENT`, the gradient of the network's input is the current one of `memory` after segment 0;
    /// without it, it is not computed.
    fn backward<const INPUT_GRADIENT: bool>(
        segment: usize,
        run: &Run<'_, Self::Scalar>,
        input: &[Element<Self>],
        memory: Carved<'_, Self::Scalar>,
        lane: &mut Lane<'_, Self::Scalar>,
    );

    /// Shows every step's layer to `visitor`, in order; the first of them as step `first`.
    fn visit<V: Visitor<Self::Scalar>>(first: usize, visitor: &mut V);

    /// Adds the kept gradient rows of the first step to a part of its table's gradient, which begins at number `start`, if its
    /// plan scatters.
    fn scatter(
        input: &[Element<Self>],
        deferred: &[Self::Scalar],
        start: usize,
        part: &mut [Self::Scalar],
    );
}

/// What a network's input is stored as: its scalar, or `u32`.
pub type Element<N> = <<N as Network>::Input as Sample>::Element<<N as Network>::Scalar>;

/// One executed step: a layer, or several fused into one.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What it makes of its input.
    pub plan: Plan,
    /// Where its parameters start in the flat buffer.
    pub offset: usize,
    /// Where its state starts in the state buffer.
    pub state_offset: usize,
    /// The position in the list of its first layer.
    pub layer: usize,
    /// Whether training leaves its numbers as they are.
    pub frozen: bool,
    /// Whether neither it nor what it reads is trained: nothing goes back through it unless the gradient of the network's input is asked
    /// for.
    pub still: bool,
}

/// Bytes that a sample, or a step, keeps live between forward and backward pass, in `f32`.
#[must_use]
pub const fn activation_bytes(steps: &[Step]) -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < steps.len() {
        sum += chain::activation_bytes(&steps[i].plan, 4);
        i += 1;
    }
    sum
}

/// Where the gradients of a block go.
#[derive(Debug)]
pub struct Lane<'a, T> {
    /// Gradients of the parameters but for scattered tables and late weights, added to.
    pub dense: &'a mut [T],
    /// Rows of the block kept for the tables, overwritten.
    pub deferred: &'a mut [T],
    /// What is kept for late weights.
    pub kept: Kept<'a, T>,
}

/// What the blocks of a lane keep for late weights: those of a step one after the other, step by step.
#[derive(Debug)]
pub struct Kept<'a, T> {
    /// The numbers; none where the layout has no late weights.
    pub data: &'a mut [T],
    /// Samples of the lane.
    pub samples: usize,
    /// Samples of the lane before this block.
    pub before: usize,
}

/// Something that wants to see every step's layer.
pub trait Visitor<T: Float> {
    /// Step `index` runs `layer`, whose input is stored as `X`.
    fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L);
}

/// A layer of a network by name: its declaration and its numbers.
#[derive(Clone, Copy, Debug)]
pub struct LayerView<'a, T> {
    /// The layer's row in the table.
    pub info: &'static LayerInfo,
    parameters: &'a [T],
    state: &'a [T],
}

impl<'a, T: Float> LayerView<'a, T> {
    /// The view of layer `index` of a network.
    #[must_use]
    pub fn of<N: Network<Scalar = T>>(network: &'a N, index: usize) -> Self {
        let info = &N::LAYERS[index];
        Self {
            info,
            parameters: &network.parameters()[info.offset..][..info.plan.parameter_count()],
            state: &network.state()[info.state_offset..][..info.plan.state_count()],
        }
    }

    /// All parameters of the layer, tensor after tensor.
    #[must_use]
    pub fn parameters(&self) -> &'a [T] {
        self.parameters
    }

    /// A tensor by name: `weight`, `bias`, `running_mean`; row-major, sizes as in the layer's documentation.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<&'a [T]> {
        let (mut parameter, mut state) = (0, 0);
        for tensor in self.info.plan.tensors() {
            let (values, start) = if tensor.state {
                (self.state, &mut state)
            } else {
                (self.parameters, &mut parameter)
            };
            if tensor.name == name {
                return Some(&values[*start..][..tensor.count()]);
            }
            *start += tensor.count();
        }
        None
    }

    /// The tensor `weight`.
    ///
    /// # Panics
    /// If the layer has none.
    #[must_use]
    pub fn weight(&self) -> &'a [T] {
        self.tensor("weight")
            .unwrap_or_else(|| panic!("`{}` has no weight", self.info.name))
    }

    /// The tensor `bias`.
    ///
    /// # Panics
    /// If the layer has none.
    #[must_use]
    pub fn bias(&self) -> &'a [T] {
        self.tensor("bias")
            .unwrap_or_else(|| panic!("`{}` has no bias", self.info.name))
    }
}

/// Parameters and state of a new network, each tensor filled as its layer says.
#[must_use]
pub fn fresh<T: Float>(layers: &[LayerInfo], seed: Seed) -> (AlignedVec<T>, AlignedVec<T>) {
    let lens = table::buffer_lens(layers);
    let mut parameters = AlignedVec::zeroed(lens.0);
    let mut state = AlignedVec::zeroed(lens.1);
    for (index, info) in layers.iter().enumerate() {
        let (mut at, mut state_at) = (info.offset, info.state_offset);
        for (tensor, declared) in info.plan.tensors().iter().enumerate() {
            let (values, start) = if declared.state {
                (&mut state, &mut state_at)
            } else {
                (&mut parameters, &mut at)
            };
            let place = &mut values[*start..][..declared.count()];
            crate::initialise::fill(declared, place, seed, index, tensor);
            *start += declared.count();
        }
    }
    (parameters, state)
}
