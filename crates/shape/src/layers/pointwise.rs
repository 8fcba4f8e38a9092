//! Layers that change numbers and no shape: activations, softmax, dropout.

use crate::{Activation, Fault, Item, Plan, Rule, Shape};

/// Refuses indices: a function of numbers works on real ones.
pub(super) const fn same_shape(layer: &'static str, input: Shape) -> Plan {
    if input.is_index() {
        let rule = Rule::Kind {
            takes: "real numbers",
        };
        return Plan::fault(input, Fault::new(layer, rule, input));
    }
    Plan::stepwise(input, input.with_item(plain(input.item)))
}

/// What was logits or probabilities is a mere vector once a function was applied to it.
const fn plain(item: Item) -> Item {
    match item {
        Item::Logits(n) | Item::Probabilities(n) | Item::Real(n) => Item::Vector(n),
        other => other,
    }
}

macro_rules! plain_layers {
    ($($(#[$doc:meta])* $layer:ident, $name:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $layer;

        impl $layer {
            /// The layer; it has no arguments.
            #[must_use]
            pub const fn new() -> Self {
                Self
            }

            /// The shape rule.
            #[must_use]
            pub const fn plan(&self, input: Shape) -> Plan {
                same_shape($name, input)
            }
        }
    )*};
}

plain_layers! {
    /// `y = max(x, 0)`
    Relu, "Relu";
    /// `y = tanh x`
    Tanh, "Tanh";
    /// `y = x · Φ(x)` with the Gaussian distribution function Φ, exactly (Hendrycks and Gimpel, 2016).
    Gelu, "Gelu";
    /// `y = x · sigmoid(x)`, also called swish (Elfwing et al., 2017).
    Silu, "Silu";
}

/// `y = x` where `x > 0`, else `slope · x` (Maas et al., 2013).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// The slope left of zero, between 0 and 1.
    pub slope: f64,
}

impl LeakyRelu {
    /// The given slope left of zero.
    #[must_use]
    pub const fn new(slope: f64) -> Self {
        Self { slope }
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        if !(self.slope > 0.0 && self.slope < 1.0) {
            let rule = Rule::Range {
                argument: "slope",
                expected: "a number above 0 and below 1",
            };
            return Plan::fault(input, Fault::new("LeakyRelu", rule, input));
        }
        same_shape("LeakyRelu", input)
    }

    /// The function itself.
    #[must_use]
    pub const fn activation(&self) -> Activation {
        Activation::LeakyRelu(self.slope)
    }
}

/// `y = 1 / (1 + e⁻ˣ)`; of a vector it makes probabilities, each for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sigmoid;

impl Sigmoid {
    /// The layer; it has no arguments.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        let mut plan = same_shape("Sigmoid", input);
        if let Item::Vector(n) = plan.output.item {
            plan.output = plan.output.with_item(Item::Probabilities(n));
        }
        plan
    }
}

/// `yᵢ = e^xᵢ / Σⱼ e^xⱼ` over a vector: probabilities that add up to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax;

impl Softmax {
    /// The layer; it has no arguments.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        if !input.is_vector_like() && !input.is_unknown() {
            let rule = Rule::Kind { takes: "a Vector" };
            return Plan::fault(input, Fault::new("Softmax", rule, input));
        }
        let output = input.with_item(Item::Probabilities(input.features()));
        Plan::stepwise(input, output)
    }
}

/// While training, zeroes each number with probability `rate` and divides the others by `1 − rate` (Srivastava et al., 2014).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The share of numbers zeroed, at least 0 and below 1.
    pub rate: f64,
}

impl Dropout {
    /// Zeroes that share of the numbers.
    #[must_use]
    pub const fn new(rate: f64) -> Self {
        Self { rate }
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        if let Some(fault) = rate_fault("Dropout", "rate", self.rate, input) {
            return Plan::fault(input, fault);
        }
        if input.is_index() {
            return same_shape("Dropout", input);
        }
        Plan::stepwise(input, input)
    }
}

/// While training, adds normal noise of mean 0 to each number; at any other time it does nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// The standard deviation, at least 0.
    pub deviation: f64,
}

impl Noise {
    /// Noise of that standard deviation.
    #[must_use]
    pub const fn new(deviation: f64) -> Self {
        Self { deviation }
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        if !(self.deviation >= 0.0 && self.deviation < f64::INFINITY) {
            let rule = Rule::Range {
                argument: "deviation",
                expected: "a standard deviation of 0 or more, such as 0.1",
            };
            return Plan::fault(input, Fault::new("Noise", rule, input));
        }
        if input.is_index() {
            return same_shape("Noise", input);
        }
        Plan::stepwise(input, input)
    }
}

pub(super) const fn rate_fault(
    layer: &'static str,
    argument: &'static str,
    rate: f64,
    input: Shape,
) -> Option<Fault> {
    if rate >= 0.0 && rate < 1.0 {
        return None;
    }
    let rule = Rule::Range {
        argument,
        expected: "a share from 0 to below 1, such as 0.1",
    };
    Some(Fault::new(layer, rule, input))
}
