//! Normalisations: over the batch, and over the features of one row.

use super::pointwise::same_shape;
use crate::{Activation, Fault, Fill, Plan, Rule, Shape, Size};

/// Shifts and scales every channel to zero mean and unit variance over the batch (Ioffe and Szegedy, 2015).
///
/// While training the statistics are those of the batch, and running means follow them; inference uses the running
/// means. Input and output `Image<H, W, C>` or `Vector<C>`; weight, bias, running_mean and running_var `[C]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// The share of the old running statistics that a step keeps, as in Keras.
    pub momentum: f64,
    /// Added to the variance.
    pub epsilon: f64,
    /// Applied to the output.
    pub activation: Activation,
}

impl BatchNorm {
    /// Momentum 0.99 and epsilon 1e-3, as in Keras.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            momentum: 0.99,
            epsilon: 1e-3,
            activation: Activation::Identity,
        }
    }

    /// The share of the old running statistics that a step keeps (one minus PyTorch's momentum).
    #[must_use]
    pub const fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Added to the variance.
    #[must_use]
    pub const fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Applied to the output.
    #[must_use]
    pub const fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// The shape rule. The samples share mean, variance and count: `2·C + 1` values.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        const NAME: &str = "BatchNorm";
        let plan = normalised(NAME, self.epsilon, input);
        if plan.fault.is_some() {
            return plan;
        }
        if !(self.momentum >= 0.0 && self.momentum <= 1.0) {
            let rule = Rule::Range {
                argument: "momentum",
                expected: "a share from 0 to 1",
            };
            return Plan::fault(input, Fault::new(NAME, rule, input));
        }
        let channels = input.features();
        plan.offset("weight", &[channels], Fill::Ones)
            .offset("bias", &[channels], Fill::Zeros)
            .state("running_mean", &[channels], Fill::Zeros)
            .state("running_var", &[channels], Fill::Ones)
            .couples(channels.times(Size::Known(2)).plus(Size::Known(1)))
    }
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self::new()
    }
}

/// Shifts and scales the last axis of every row, or of every place of an image, to zero mean and unit variance (Ba et al., 2016).
///
/// Input and output alike; weight and bias `[C]`, the size of the last axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorm {
    /// Added to the variance.
    pub epsilon: f64,
}

impl LayerNorm {
    /// Epsilon 1e-3, as in Keras.
    #[must_use]
    pub const fn new() -> Self {
        Self { epsilon: 1e-3 }
    }

    /// Added to the variance.
    #[must_use]
    pub const fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// The shape rule. Mean and reciprocal deviation of every place are saved.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        let plan = normalised("LayerNorm", self.epsilon, input);
        if plan.fault.is_some() {
            return plan;
        }
        let features = input.features();
        let places = match (input.elements(), features) {
            (Size::Known(elements), Size::Known(features)) if features > 0 => {
                Size::Known(elements / features)
            }
            _ => Size::Unknown,
        };
        plan.offset("weight", &[features], Fill::Ones)
            .offset("bias", &[features], Fill::Zeros)
            .saves(places.times(Size::Known(2)), Size::Known(0))
    }
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self::new()
    }
}

/// The same shape, of real numbers; what was logits or probabilities is none any more.
const fn normalised(layer: &'static str, epsilon: f64, input: Shape) -> Plan {
    let plan = same_shape(layer, input);
    if plan.fault.is_none() && !(epsilon > 0.0 && epsilon < 1.0) {
        let rule = Rule::Range {
            argument: "epsilon",
            expected: "a small number above 0, such as 1e-3",
        };
        return Plan::fault(input, Fault::new(layer, rule, input));
    }
    plan
}
