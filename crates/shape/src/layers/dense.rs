//! The fully connected layer, and what leads an image to it.

use super::conv::{with_bias, zero};
use super::{Init, TWO};
use crate::{Activation, Fault, Item, Plan, Rule, Shape, Size};

/// `y = activation(x·W + b)`, at every step where the input is a sequence.
///
/// Input `Vector<N>`, output `Vector<units>`, weight `[N, units]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dense {
    /// Features out.
    pub units: Size,
    /// Whether a bias is added.
    pub bias: bool,
    /// How a new weight is filled.
    pub init: Init,
    /// Applied to the output.
    pub activation: Activation,
}

impl Dense {
    /// `units` features out, with bias.
    #[must_use]
    pub const fn new(units: usize) -> Self {
        Self {
            units: Size::Known(units),
            bias: true,
            init: Init::Glorot,
            activation: Activation::Identity,
        }
    }

    /// Whether a bias is added.
    #[must_use]
    pub const fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// How a new weight is filled.
    #[must_use]
    pub const fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Applied to the output.
    #[must_use]
    pub const fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        if self.units.is(0) {
            return zero("Dense", "units", input);
        }
        if !input.is_vector_like() && !input.is_unknown() {
            let rule = Rule::Kind { takes: "a Vector" };
            return Plan::fault(input, Fault::new("Dense", rule, input));
        }
        let features = input.features();
        let plan = Plan::stepwise(input, input.with_item(Item::Vector(self.units)))
            .parameter(
                "weight",
                &[features, self.units],
                self.init.fill(features, self.units),
            )
            .costs(features.times(self.units).times(TWO));
        with_bias(plan, self.bias, self.units)
    }
}

/// An image's numbers as a vector, in memory's order: row, column, channel.
///
/// Input `Image<H, W, C>`, output `Vector<H·W·C>`; a vector stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flatten;

impl Flatten {
    /// The layer; it has no arguments.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        if input.is_index() {
            let rule = Rule::Kind {
                takes: "an Image or a Vector",
            };
            return Plan::fault(input, Fault::new("Flatten", rule, input));
        }
        let elements = input.elements();
        if elements.is_overflow() {
            return Plan::fault(input, Fault::new("Flatten", Rule::Overflow, input));
        }
        Plan::stepwise(input, input.with_item(Item::Vector(elements)))
    }
}

impl Default for Flatten {
    fn default() -> Self {
        Self::new()
    }
}
