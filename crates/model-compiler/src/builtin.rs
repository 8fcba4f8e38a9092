//! The built-in layers: the names and types of their arguments, and how to ask their shape rules.

use crate::given::Given;
use crate::value::Kind::{self, Bool, Float, Padding, Pair, Word};
use crate::value::Words;
use plywood_shape::layers::{self, Merge, Recurrent, Returns};
use plywood_shape::{Plan, Shape};

/// A built-in layer.
#[derive(Debug)]
pub struct Builtin {
    /// Its name in a list.
    pub name: &'static str,
    /// Arguments that may stand without a name, in order; all but the last may not be left out.
    pub positional: &'static [Parameter],
    /// Arguments that need a name, and may be left out.
    pub named: &'static [Parameter],
    /// How it is written, for messages.
    pub example: &'static str,
    /// What part it takes in fusing and in cutting a network into segments.
    pub role: Role,
    /// Whether it has parameters or running state.
    pub owns_numbers: bool,
    /// Its shape rule.
    pub plan: fn(&Given, Shape) -> Plan,
}

/// An argument of a built-in layer.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What a positional argument is where it is left out; without it, it must be given.
    pub default: Option<&'static str>,
}

/// What part a layer takes in fusing and in cutting a network into segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Applies an activation to its own output, and a max-pool behind that.
    Convolution,
    /// Applies an activation to its own output.
    Product,
    /// Is such an activation.
    Activation,
    /// Is such a pool.
    MaxPool,
    /// Is such a pool whose windows lie side by side, as far as that can be read.
    TilingPool,
    /// Changes the shape and no number.
    Reshape,
    /// Reads a sequence, and can stand in `Bidirectional`.
    Recurrent,
    /// Holds a recurrent layer in braces.
    Bidirectional,
    /// Couples the samples of a batch, and so starts a segment; applies an activation to its own output, and a max-pool
    /// behind that whose windows lie side by side.
    Coupled,
    /// Joins the outputs of the lists that it holds in braces.
    Junction,
    /// Stands for the list in braces, several times over.
    Repeat,
    /// Applies the list in braces to every step of a sequence.
    EachStep,
    /// A function of the user's, which a convolution or a product is followed by in one step.
    Function,
    /// Nothing of this.
    Plain,
}

/// What Keras and PyTorch call a built-in layer where the name is further than two edits away.
pub const ELSEWHERE: &[(&str, &str)] = &[
    ("Linear", "Dense"),
    ("Conv2DTranspose", "ConvTranspose2d"),
    ("MaxPooling2D", "MaxPool2d"),
    ("AveragePooling2D", "AvgPool2d"),
    ("GlobalAveragePooling2D", "GlobalAvgPool2d"),
    ("BatchNormalization", "BatchNorm"),
    ("LayerNormalization", "LayerNorm"),
    ("Swish", "Silu"),
    ("GaussianNoise", "Noise"),
];

/// The block of that name.
#[must_use]
pub fn find_block(name: &str) -> Option<&'static Builtin> {
    BLOCKS.iter().find(|block| block.name == name)
}

/// The built-in layer of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        default: None,
    }
}

const fn or(name: &'static str, kind: Kind, default: &'static str) -> Parameter {
    Parameter {
        name,
        kind,
        default: Some(default),
    }
}

static INIT: Words = Words {
    of: "Init",
    variants: &[("glorot", "Glorot"), ("he", "He")],
};
static RETURNS: Words = Words {
    of: "Returns",
    variants: &[("last", "Last"), ("sequence", "Sequence")],
};
static MERGE: Words = Words {
    of: "Merge",
    variants: &[("concat", "Concat"), ("sum", "Sum")],
};

static AXIS: Words = Words {
    of: "Axis",
    variants: &[
        ("height", "Height"),
        ("width", "Width"),
        ("features", "Features"),
    ],
};

const KERNEL: Parameter = required("kernel", Pair);
const STRIDE: Parameter = required("stride", Pair);
const DILATION: Parameter = required("dilation", Pair);
const PADDING: Parameter = required("padding", Padding);
const BIAS: Parameter = required("bias", Bool);
const INIT_: Parameter = required("init", Word(&INIT));
const EPSILON: Parameter = required("epsilon", Float);
const GROUPS: Parameter = required("groups", Kind::Size);
const SLIDING: [Parameter; 6] = [KERNEL, STRIDE, DILATION, PADDING, BIAS, INIT_];
const POOLING: [Parameter; 2] = [STRIDE, PADDING];
const RETURNS_: Parameter = required("returns", Word(&RETURNS));
/// The argument that turns a recurrent layer round.
pub const REVERSE: &str = "reverse";
const REVERSE_: Parameter = required(REVERSE, Bool);
const DROPOUT: Parameter = required("dropout", Float);

const NOTHING: &[Parameter] = &[];
const FILTERS: &[Parameter] = &[required("filters", Kind::Size)];
const UNITS: &[Parameter] = &[required("units", Kind::Size)];
const WINDOW: &[Parameter] = &[required("window", Pair)];

const fn plain(name: &'static str, role: Role, plan: fn(&Given, Shape) -> Plan) -> Builtin {
    Builtin {
        name,
        positional: NOTHING,
        named: NOTHING,
        example: name,
        role,
        owns_numbers: false,
        plan,
    }
}

/// A block, whose shape rule is that of what its lists yield.
const fn block(
    name: &'static str,
    named: &'static [Parameter],
    example: &'static str,
    role: Role,
) -> Builtin {
    Builtin {
        name,
        positional: NOTHING,
        named,
        example,
        role,
        owns_numbers: false,
        plan: |_, input| Plan::yields(input, Shape::UNKNOWN),
    }
}

/// All blocks: what holds lists of layers in braces.
pub static BLOCKS: [Builtin; 7] = [
    block(
        "Residual",
        &[required("project", Bool)],
        "Residual { Dense(64), Relu, Dense(64) }",
        Role::Junction,
    ),
    block(
        "Add",
        NOTHING,
        "Add { { Dense(64) }, { Dense(64), Relu } }",
        Role::Junction,
    ),
    block(
        "Concat",
        &[required("axis", Word(&AXIS))],
        "Concat { { Dense(64) }, { Dense(32), Relu } }",
        Role::Junction,
    ),
    block(
        "Inputs",
        NOTHING,
        "Inputs { { Flatten }, { Dense(8), Relu } }",
        Role::Junction,
    ),
    block(
        "Outputs",
        NOTHING,
        "Outputs { { Dense(10) }, { Dense(4) } }",
        Role::Junction,
    ),
    block(
        "TimeDistributed",
        NOTHING,
        "TimeDistributed { Encoder }",
        Role::EachStep,
    ),
    Builtin {
        positional: &[required("times", Kind::Size)],
        ..block(
            "Repeat",
            NOTHING,
            "Repeat(3) { Dense(64), Relu }",
            Role::Repeat,
        )
    },
];

/// All built-in layers.
pub static BUILTINS: [Builtin; 25] = [
    Builtin {
        name: "Conv2d",
        positional: FILTERS,
        named: &[KERNEL, STRIDE, DILATION, PADDING, BIAS, INIT_, GROUPS],
        example: "Conv2d(32, kernel: 3)",
        role: Role::Convolution,
        owns_numbers: true,
        plan: |given, input| {
            let mut layer = layers::Conv2d::new(1);
            layer.filters = given.size("filters");
            layer.window = given.window([3, 3]);
            layer.groups = given.size_or("groups", 1);
            layer.bias = given.bool_or("bias", true);
            layer.plan(input)
        },
    },
    Builtin {
        name: "DepthwiseConv2d",
        positional: &[or("multiplier", Kind::Size, "1")],
        named: &SLIDING,
        example: "DepthwiseConv2d(1, kernel: 3)",
        role: Role::Product,
        owns_numbers: true,
        plan: |given, input| {
            let mut layer = layers::DepthwiseConv2d::new(1);
            layer.multiplier = given.size_or("multiplier", 1);
            layer.window = given.window([3, 3]);
            layer.bias = given.bool_or("bias", true);
            layer.plan(input)
        },
    },
    Builtin {
        name: "ConvTranspose2d",
        positional: FILTERS,
        named: &SLIDING,
        example: "ConvTranspose2d(32, kernel: 3, stride: 2)",
        role: Role::Product,
        owns_numbers: true,
        plan: |given, input| {
            let mut layer = layers::ConvTranspose2d::new(1);
            layer.filters = given.size("filters");
            layer.window = given.window([3, 3]);
            layer.bias = given.bool_or("bias", true);
            layer.plan(input)
        },
    },
    Builtin {
        name: "MaxPool2d",
        positional: WINDOW,
        named: &POOLING,
        example: "MaxPool2d(2)",
        role: Role::MaxPool,
        owns_numbers: false,
        plan: |given, input| {
            let mut layer = layers::MaxPool2d::new([1, 1]);
            layer.window = given.pool_window();
            layer.plan(input)
        },
    },
    Builtin {
        name: "AvgPool2d",
        positional: WINDOW,
        named: &POOLING,
        example: "AvgPool2d(2)",
        role: Role::Plain,
        owns_numbers: false,
        plan: |given, input| {
            let mut layer = layers::AvgPool2d::new([1, 1]);
            layer.window = given.pool_window();
            layer.plan(input)
        },
    },
    plain("GlobalAvgPool2d", Role::Plain, |_, input| {
        layers::GlobalAvgPool2d.plan(input)
    }),
    plain("Flatten", Role::Reshape, |_, input| {
        layers::Flatten.plan(input)
    }),
    Builtin {
        positional: &[
            required("height", Kind::Size),
            required("width", Kind::Size),
            required("channels", Kind::Size),
        ],
        example: "Reshape(7, 7, 16)",
        ..plain("Reshape", Role::Reshape, |given, input| {
            let sizes = ["height", "width", "channels"].map(|size| given.size(size));
            layers::Reshape::sized(sizes).plan(input)
        })
    },
    Builtin {
        name: "Dense",
        positional: UNITS,
        named: &[BIAS, INIT_],
        example: "Dense(64)",
        role: Role::Product,
        owns_numbers: true,
        plan: |given, input| {
            let mut layer = layers::Dense::new(1);
            layer.units = given.size("units");
            layer.bias = given.bool_or("bias", true);
            layer.plan(input)
        },
    },
    Builtin {
        name: "Embedding",
        positional: &[required("features", Kind::Size)],
        named: NOTHING,
        example: "Embedding(64)",
        role: Role::Plain,
        owns_numbers: true,
        plan: |given, input| {
            let mut layer = layers::Embedding::new(1);
            layer.features = given.size("features");
            layer.plan(input)
        },
    },
    Builtin {
        name: "SimpleRnn",
        positional: UNITS,
        named: &[RETURNS_, DROPOUT, REVERSE_],
        example: "SimpleRnn(64)",
        role: Role::Recurrent,
        owns_numbers: true,
        plan: |given, input| recurrent("SimpleRnn", given).plan(input),
    },
    Builtin {
        name: "Gru",
        positional: UNITS,
        named: &[RETURNS_, DROPOUT, REVERSE_, required("reset_after", Bool)],
        example: "Gru(64)",
        role: Role::Recurrent,
        owns_numbers: true,
        plan: |given, input| recurrent("Gru", given).plan(input),
    },
    Builtin {
        name: "Lstm",
        positional: UNITS,
        named: &[RETURNS_, DROPOUT, REVERSE_],
        example: "Lstm(64)",
        role: Role::Recurrent,
        owns_numbers: true,
        plan: |given, input| recurrent("Lstm", given).plan(input),
    },
    Builtin {
        name: "Bidirectional",
        positional: NOTHING,
        named: &[required("merge", Word(&MERGE))],
        example: "Bidirectional { Gru(64) }",
        role: Role::Bidirectional,
        owns_numbers: true,
        plan: |given, input| {
            let Some((name, within)) = given.within() else {
                return Plan::yields(input, Shape::UNKNOWN);
            };
            let merge = match given.word("merge") {
                Some("sum") => Merge::Sum,
                _ => Merge::Concat,
            };
            let layer = recurrent(name, within);
            layers::Bidirectional::new(layer).merge(merge).plan(input)
        },
    },
    Builtin {
        name: "BatchNorm",
        positional: NOTHING,
        named: &[required("momentum", Float), EPSILON],
        example: "BatchNorm",
        role: Role::Coupled,
        owns_numbers: true,
        plan: |given, input| {
            let mut layer = layers::BatchNorm::new();
            layer.momentum = given.float_or("momentum", layer.momentum);
            layer.epsilon = given.float_or("epsilon", layer.epsilon);
            layer.plan(input)
        },
    },
    Builtin {
        name: "LayerNorm",
        positional: NOTHING,
        named: &[EPSILON],
        example: "LayerNorm",
        role: Role::Plain,
        owns_numbers: true,
        plan: |given, input| {
            let mut layer = layers::LayerNorm::new();
            layer.epsilon = given.float_or("epsilon", layer.epsilon);
            layer.plan(input)
        },
    },
    Builtin {
        name: "Dropout",
        positional: &[required("rate", Float)],
        named: NOTHING,
        example: "Dropout(0.5)",
        role: Role::Plain,
        owns_numbers: false,
        plan: |given, input| layers::Dropout::new(given.float_or("rate", 0.5)).plan(input),
    },
    Builtin {
        name: "Noise",
        positional: &[required("deviation", Float)],
        named: NOTHING,
        example: "Noise(0.1)",
        role: Role::Plain,
        owns_numbers: false,
        plan: |given, input| layers::Noise::new(given.float_or("deviation", 0.1)).plan(input),
    },
    plain("Relu", Role::Activation, |_, input| {
        layers::Relu.plan(input)
    }),
    Builtin {
        name: "LeakyRelu",
        positional: &[or("slope", Float, "0.01")],
        named: NOTHING,
        example: "LeakyRelu(0.01)",
        role: Role::Activation,
        owns_numbers: false,
        plan: |given, input| layers::LeakyRelu::new(given.float_or("slope", 0.01)).plan(input),
    },
    plain("Sigmoid", Role::Activation, |_, input| {
        layers::Sigmoid.plan(input)
    }),
    plain("Tanh", Role::Activation, |_, input| {
        layers::Tanh.plan(input)
    }),
    plain("Gelu", Role::Plain, |_, input| layers::Gelu.plan(input)),
    plain("Silu", Role::Plain, |_, input| layers::Silu.plan(input)),
    plain("Softmax", Role::Plain, |_, input| {
        layers::Softmax.plan(input)
    }),
];

fn recurrent(name: &str, given: &Given) -> Recurrent {
    let returns = match given.word("returns") {
        Some("sequence") => Returns::Sequence,
        _ => Returns::Last,
    };
    let (units, dropout) = (given.size("units"), given.float_or("dropout", 0.0));
    match name {
        "SimpleRnn" => {
            let mut layer = layers::SimpleRnn::new(1).returns(returns).dropout(dropout);
            layer.units = units;
            Recurrent::SimpleRnn(layer)
        }
        "Gru" => {
            let mut layer = layers::Gru::new(1).returns(returns).dropout(dropout);
            layer.units = units;
            layer.reset_after = given.bool_or("reset_after", true);
            Recurrent::Gru(layer)
        }
        _ => {
            let mut layer = layers::Lstm::new(1).returns(returns).dropout(dropout);
            layer.units = units;
            Recurrent::Lstm(layer)
        }
    }
}
