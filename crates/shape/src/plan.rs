//! What a layer makes of its input: the answer of every shape rule.

use crate::{Fault, Precision, Rule, Shape, Size, Text};

/// The most parameter and state tensors that one layer may declare.
const MOST_TENSORS: usize = 12;

/// What a layer makes of its input: output, parameters, what it keeps for the backward pass, what it costs.
///
/// A layer's inherent `pub const fn plan(&self, input: Shape) -> Plan` builds one:
///
/// ```
/// use plywood_shape::{Fill, Plan, Shape};
///
/// /// Multiplies every feature by a factor of its own.
/// pub struct Scale;
/// impl Scale {
///     pub const fn plan(&self, input: Shape) -> Plan {
///         Plan::yields(input, input).parameter("factor", &[input.features()], Fill::Ones)
///     }
/// }
/// assert_eq!(Scale.plan(Shape::vector(7)).parameter_count(), 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The shape that the rule was asked about.
    pub input: Shape,
    /// What comes out; unknown after a fault.
    pub output: Shape,
    tensors: [Parameter; MOST_TENSORS],
    tensor_count: usize,
    /// Numbers kept from the forward for the backward pass, beside input and output.
    pub saved: Extent,
    /// Bytes kept likewise (the places of maxima).
    pub saved_bytes: Extent,
    /// Numbers a sample that a recurrent layer carries from one step of a sequence to the next.
    pub carried: usize,
    /// Whether every step of a sequence is computed by itself, or from what earlier steps carried to it.
    pub stepwise: bool,
    /// Values a channel-wise statistic shares between all samples of a batch; not zero ends a segment.
    pub coupling: usize,
    /// Whether the gradient touches few rows of a table and is scattered after the blocks.
    pub sparse: bool,
    /// Floating-point operations of the products, forward, a row of the input; a multiply-add counts as two.
    pub flops: usize,
    /// What its products are computed in. Rules leave it as it is; whoever runs the network may ask for another.
    pub precision: Precision,
    /// Why the layer cannot take its input.
    pub fault: Option<Fault>,
}

/// A tensor of parameters or of running state that a layer owns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name within the layer: `weight`.
    pub name: &'static str,
    sizes: [usize; 4],
    rank: usize,
    /// How it is filled in a new network.
    pub fill: Fill,
    /// Whether weight decay applies to it.
    pub decays: bool,
    /// Whether it is running state (not trained).
    pub state: bool,
}

/// How a tensor is filled in a new network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// All zero.
    Zeros,
    /// All one.
    Ones,
    /// All the same.
    Constant(f64),
    /// Uniform between `±bound`.
    Uniform {
        /// The largest magnitude.
        bound: f64,
    },
    /// Normal around zero.
    Normal {
        /// The standard deviation.
        deviation: f64,
    },
    /// Glorot and Bengio (2010): uniform between `±√(6 / (fan_in + fan_out))`.
    Glorot {
        /// Numbers that enter one output.
        fan_in: usize,
        /// Outputs that one number enters.
        fan_out: usize,
    },
    /// He et al. (2015): normal, cut at two deviations, with variance `2 / fan_in`.
    He {
        /// Numbers that enter one output.
        fan_in: usize,
    },
    /// Saxe et al. (2014): every square block of columns of a matrix is orthogonal, as recurrent gates want it.
    Orthogonal,
    /// Zeros but for ones from `start` to `end`: the forget gate of an LSTM (Jozefowicz et al., 2015).
    ZerosAndOnes {
        /// The first one.
        start: usize,
        /// One past the last one.
        end: usize,
    },
}

/// How long a buffer is, for a number of samples and steps that only run time knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Extent {
    /// A number a row: a sample, or a step of a sample.
    pub per_row: usize,
    /// A number a sample, however many steps it has.
    pub per_sample: usize,
}

/// How many rows pass through a layer at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Samples in the block.
    pub samples: usize,
    /// Steps of a sequence; one where samples are no sequences.
    pub steps: usize,
}

impl Rows {
    /// Rows of a buffer that holds `shape`: samples × steps for a sequence, else samples.
    #[must_use]
    pub const fn of(self, shape: Shape) -> usize {
        if shape.sequence {
            self.samples * self.steps
        } else {
            self.samples
        }
    }
}

impl Extent {
    /// Nothing.
    pub const NONE: Self = Self {
        per_row: 0,
        per_sample: 0,
    };

    /// The same where every row is a sample of its own.
    #[must_use]
    pub const fn each_row(self) -> Self {
        Self {
            per_row: self.per_row + self.per_sample,
            per_sample: 0,
        }
    }

    /// The length for `rows` rows of `samples` samples.
    #[must_use]
    pub const fn len(self, rows: usize, samples: usize) -> usize {
        self.per_row * rows + self.per_sample * samples
    }
}

impl Parameter {
    const NONE: Self = Self {
        name: "",
        sizes: [0; 4],
        rank: 0,
        fill: Fill::Zeros,
        decays: false,
        state: false,
    };

    /// Its sizes, row-major.
    #[must_use]
    pub const fn sizes(&self) -> &[usize] {
        let (used, _) = self.sizes.split_at(self.rank);
        used
    }

    /// How many numbers it has.
    #[must_use]
    pub const fn count(&self) -> usize {
        let mut count = 1;
        let mut i = 0;
        while i < self.rank {
            count *= self.sizes[i];
            i += 1;
        }
        count
    }
}

impl Plan {
    /// A layer without parameters that makes `output` of `input`.
    #[must_use]
    pub const fn yields(input: Shape, output: Shape) -> Self {
        let plan = Self {
            input,
            output,
            tensors: [Parameter::NONE; MOST_TENSORS],
            tensor_count: 0,
            saved: Extent::NONE,
            saved_bytes: Extent::NONE,
            carried: 0,
            stepwise: false,
            coupling: 0,
            sparse: false,
            flops: 0,
            precision: Precision::Full,
            fault: None,
        };
        if output.elements().is_overflow() {
            Self::fault(input, Fault::new("the layer", Rule::Overflow, input))
        } else {
            plan
        }
    }

    /// The same, of a layer that computes every step of a sequence by itself or from what earlier ones carried to it: sequences
    /// may then come to it in pieces. Of a plan that does not say so, a network sees sequences as a whole.
    #[must_use]
    pub const fn stepwise(input: Shape, output: Shape) -> Self {
        let mut plan = Self::yields(input, output);
        plan.stepwise = true;
        plan
    }

    /// A layer that cannot take `input`, in the words of whoever wrote the layer.
    #[must_use]
    pub const fn refuse(input: Shape, layer: &'static str, why: &'static str) -> Self {
        Self::fault(input, Fault::new(layer, Rule::Custom(why), input))
    }

    /// A layer that cannot take `input`.
    #[must_use]
    pub const fn fault(input: Shape, fault: Fault) -> Self {
        let mut plan = Self::yields(Shape::UNKNOWN, Shape::UNKNOWN);
        plan.input = input;
        plan.fault = Some(fault);
        plan
    }

    /// Adds a tensor of trained parameters, subject to weight decay.
    #[must_use]
    pub const fn parameter(self, name: &'static str, sizes: &[Size], fill: Fill) -> Self {
        self.tensor(name, sizes, fill, true, false)
    }

    /// Adds a tensor of trained parameters that weight decay leaves alone: a bias, a scale.
    #[must_use]
    pub const fn offset(self, name: &'static str, sizes: &[Size], fill: Fill) -> Self {
        self.tensor(name, sizes, fill, false, false)
    }

    /// Adds a tensor of running state.
    #[must_use]
    pub const fn state(self, name: &'static str, sizes: &[Size], fill: Fill) -> Self {
        self.tensor(name, sizes, fill, false, true)
    }

    const fn tensor(
        mut self,
        name: &'static str,
        sizes: &[Size],
        fill: Fill,
        decays: bool,
        state: bool,
    ) -> Self {
        assert!(
            self.tensor_count < MOST_TENSORS,
            "a layer declares at most 12 tensors"
        );
        assert!(sizes.len() <= 4, "a parameter has at most four axes");
        let mut tensor = Parameter {
            name,
            sizes: [0; 4],
            rank: sizes.len(),
            fill,
            decays,
            state,
        };
        let mut count = Size::Known(1);
        let mut i = 0;
        while i < sizes.len() {
            tensor.sizes[i] = sizes[i].get_or(0);
            count = count.times(sizes[i]);
            i += 1;
        }
        if count.is_overflow() {
            return Self::fault(
                self.input,
                Fault::new("the layer", Rule::Overflow, self.input),
            );
        }
        self.tensors[self.tensor_count] = tensor;
        self.tensor_count += 1;
        self
    }

    /// Says what the forward pass keeps for the backward pass beside input and output, in numbers a row of the input
    /// and numbers a sample.
    #[must_use]
    pub const fn saves(mut self, per_row: Size, per_sample: Size) -> Self {
        self.saved = Extent {
            per_row: per_row.get_or(0),
            per_sample: per_sample.get_or(0),
        };
        self
    }

    /// Says how many bytes are kept likewise, a row of the input.
    #[must_use]
    pub const fn saves_bytes(mut self, per_row: Size) -> Self {
        self.saved_bytes.per_row = per_row.get_or(0);
        self
    }

    /// Says how many numbers a sample are carried from one step of a sequence to the next, all zero before the first.
    #[must_use]
    pub const fn carries(mut self, per_sample: Size) -> Self {
        self.carried = per_sample.get_or(0);
        self
    }

    /// Whether a sequence can come piece by piece: every step is computed by itself or from what is carried to it, and what makes
    /// one of a sequence carries it on.
    #[must_use]
    pub const fn takes_pieces(&self) -> bool {
        let gathers = !self.output.sequence && self.carried == 0;
        !self.input.sequence || (self.stepwise && !gathers)
    }

    /// The same plan for every step of a sequence, each computed by itself.
    #[must_use]
    pub const fn each_step(mut self) -> Self {
        self.input = self.input.in_sequence();
        self.output = self.output.in_sequence();
        self.saved = self.saved.each_row();
        self.saved_bytes = self.saved_bytes.each_row();
        self.stepwise = true;
        self
    }

    /// The same plan of a layer whose numbers stay as they are: it shares no statistics between samples.
    #[must_use]
    pub const fn frozen(mut self) -> Self {
        self.coupling = 0;
        self
    }

    /// Says what the products cost, a row of the input, forward.
    #[must_use]
    pub const fn costs(mut self, flops: Size) -> Self {
        self.flops = flops.get_or(0);
        self
    }

    /// Says that all samples of a batch share `values` statistics.
    #[must_use]
    pub const fn couples(mut self, values: Size) -> Self {
        self.coupling = values.get_or(0);
        self
    }

    /// Says that the gradient touches few rows of a table.
    #[must_use]
    pub const fn scatters(mut self) -> Self {
        self.sparse = true;
        self
    }

    /// The declared tensors, parameters and state, in the order of their declaration.
    #[must_use]
    pub const fn tensors(&self) -> &[Parameter] {
        let (used, _) = self.tensors.split_at(self.tensor_count);
        used
    }

    /// How many numbers are trained.
    #[must_use]
    pub const fn parameter_count(&self) -> usize {
        self.count(false)
    }

    /// How many numbers are running state.
    #[must_use]
    pub const fn state_count(&self) -> usize {
        self.count(true)
    }

    const fn count(&self, state: bool) -> usize {
        let mut count = 0;
        let mut i = 0;
        while i < self.tensor_count {
            if self.tensors[i].state == state {
                count += self.tensors[i].count();
            }
            i += 1;
        }
        count
    }

    /// What the fault says, or the empty text.
    #[must_use]
    pub const fn message(&self) -> Text {
        match self.fault {
            Some(fault) => fault.message(),
            None => Text::new(),
        }
    }

    /// Panics with the fault's message, if there is one; for `const _: () = PLAN.report();`.
    ///
    /// # Panics
    /// If the plan is a fault.
    #[track_caller]
    pub const fn report(&self) {
        if self.fault.is_some() {
            panic!("{}", self.message().as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fill, Plan};
    use crate::{Shape, Size};

    #[test]
    fn counts_parameters_and_state_apart() {
        let n = Size::Known(5);
        let plan = Plan::yields(Shape::vector(5), Shape::vector(5))
            .parameter("weight", &[n, n], Fill::Ones)
            .offset("bias", &[n], Fill::Zeros)
            .state("running_mean", &[n], Fill::Zeros);
        assert_eq!((plan.parameter_count(), plan.state_count()), (30, 5));
        assert_eq!(plan.tensors()[0].sizes(), [5, 5]);
    }

    #[test]
    fn too_many_numbers_are_a_fault() {
        let huge = Size::Known(usize::MAX / 2);
        let plan = Plan::yields(Shape::vector(5), Shape::vector(5)).parameter(
            "weight",
            &[huge, Size::Known(3)],
            Fill::Ones,
        );
        assert!(plan.fault.is_some());
    }
}
