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

/// A row of numbers as an image, in memory's order: row, column, channel.
///
/// Input `Vector<height·width·channels>`, or an image of as many numbers; output `Image<height, width, channels>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reshape {
    /// Rows, columns and channels.
    pub sizes: [Size; 3],
}

impl Reshape {
    /// The layer that makes an image of `height × width × channels`.
    #[must_use]
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Self::sized([
            Size::Known(height),
            Size::Known(width),
            Size::Known(channels),
        ])
    }

    /// The same with sizes that may be unknown.
    #[must_use]
    pub const fn sized(sizes: [Size; 3]) -> Self {
        Self { sizes }
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        const NAME: &str = "Reshape";
        let [height, width, channels] = self.sizes;
        let output = input.with_item(Item::Image {
            height,
            width,
            channels,
        });
        let zero = match (height, width, channels) {
            (Size::Known(0), _, _) => Some("height"),
            (_, Size::Known(0), _) => Some("width"),
            (_, _, Size::Known(0)) => Some("channels"),
            _ => None,
        };
        if let Some(argument) = zero {
            return Plan::fault(input, Fault::new(NAME, Rule::Zero { argument }, input));
        }
        if input.is_index() || !output.elements().fits(input.elements()) {
            let rule = Rule::Reshape { to: output };
            return Plan::fault(input, Fault::new(NAME, rule, input));
        }
        Plan::stepwise(input, output)
    }
}
