//! Two-dimensional convolutions: grouped, depthwise, transposed.
//!
//! Layers compute cross-correlation, as every framework does; a true convolution flips the kernel in both axes.

use super::{Init, TWO, known};
use crate::window::AXES;
use crate::{Activation, Axis, Fault, Fill, Item, Padding, Plan, Rule, Shape, Size, Window};

/// Slides `filters` kernels over an image (or over every image of a sequence).
///
/// Input `Image<H, W, C>`, output `Image<H', W', filters>`, weight `[kernel, kernel, C / groups, filters]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv2d {
    /// Channels out.
    pub filters: Size,
    /// How the kernel slides.
    pub window: Window,
    /// Groups of channels that do not see each other.
    pub groups: Size,
    /// Whether a bias is added to every filter's output.
    pub bias: bool,
    /// How a new weight is filled.
    pub init: Init,
    /// Applied to the output.
    pub activation: Activation,
}

impl Conv2d {
    /// `filters` kernels of 3×3, stride one, no padding, with bias.
    #[must_use]
    pub const fn new(filters: usize) -> Self {
        Self {
            filters: Size::Known(filters),
            window: Window::new(known([3, 3]), known([1, 1])),
            groups: Size::Known(1),
            bias: true,
            init: Init::Glorot,
            activation: Activation::Identity,
        }
    }

    /// Rows and columns of the kernel.
    #[must_use]
    pub const fn kernel(mut self, kernel: [usize; 2]) -> Self {
        self.window.kernel = known(kernel);
        self
    }

    /// Places from one output to the next.
    #[must_use]
    pub const fn stride(mut self, stride: [usize; 2]) -> Self {
        self.window.stride = known(stride);
        self
    }

    /// Places from one place of the kernel to the next.
    #[must_use]
    pub const fn dilation(mut self, dilation: [usize; 2]) -> Self {
        self.window.dilation = known(dilation);
        self
    }

    /// What surrounds the image.
    #[must_use]
    pub const fn padding(mut self, padding: Padding) -> Self {
        self.window.padding = padding;
        self
    }

    /// Groups of channels that do not see each other.
    #[must_use]
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = Size::Known(groups);
        self
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
        const NAME: &str = "Conv2d";
        if self.filters.is(0) {
            return zero(NAME, "filters", input);
        }
        let axes = match self.window.over(NAME, input) {
            Ok(axes) => axes,
            Err(fault) => return Plan::fault(input, fault),
        };
        let channels = input.features();
        let per_group = match divide(NAME, "channels in", channels, self.groups, input) {
            Ok(size) => size,
            Err(fault) => return Plan::fault(input, fault),
        };
        if let Err(fault) = divide(NAME, "filters", self.filters, self.groups, input) {
            return Plan::fault(input, fault);
        }
        let [rows, columns] = self.window.kernel;
        let places = rows.times(columns);
        let fan_in = places.times(per_group);
        let fill = self.init.fill(fan_in, places.times(self.filters));
        let plan = Plan::stepwise(input, image(input, axes, self.filters))
            .parameter("weight", &[rows, columns, per_group, self.filters], fill)
            .costs(product(axes, self.filters.times(fan_in)));
        with_bias(plan, self.bias, self.filters)
    }
}

/// Slides one kernel a channel, or `multiplier` kernels, over an image: no channel sees another.
///
/// Input `Image<H, W, C>`, output `Image<H', W', C · multiplier>`, weight `[kernel, kernel, 1, C · multiplier]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DepthwiseConv2d {
    /// Kernels a channel.
    pub multiplier: Size,
    /// How the kernel slides.
    pub window: Window,
    /// Whether a bias is added.
    pub bias: bool,
    /// How a new weight is filled.
    pub init: Init,
    /// Applied to the output.
    pub activation: Activation,
}

impl DepthwiseConv2d {
    /// `multiplier` kernels of 3×3 a channel, stride one, no padding, with bias.
    #[must_use]
    pub const fn new(multiplier: usize) -> Self {
        Self {
            multiplier: Size::Known(multiplier),
            window: Window::new(known([3, 3]), known([1, 1])),
            bias: true,
            init: Init::Glorot,
            activation: Activation::Identity,
        }
    }

    /// Rows and columns of the kernel.
    #[must_use]
    pub const fn kernel(mut self, kernel: [usize; 2]) -> Self {
        self.window.kernel = known(kernel);
        self
    }

    /// Places from one output to the next.
    #[must_use]
    pub const fn stride(mut self, stride: [usize; 2]) -> Self {
        self.window.stride = known(stride);
        self
    }

    /// Places from one place of the kernel to the next.
    #[must_use]
    pub const fn dilation(mut self, dilation: [usize; 2]) -> Self {
        self.window.dilation = known(dilation);
        self
    }

    /// What surrounds the image.
    #[must_use]
    pub const fn padding(mut self, padding: Padding) -> Self {
        self.window.padding = padding;
        self
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
        const NAME: &str = "DepthwiseConv2d";
        if self.multiplier.is(0) {
            return zero(NAME, "multiplier", input);
        }
        let axes = match self.window.over(NAME, input) {
            Ok(axes) => axes,
            Err(fault) => return Plan::fault(input, fault),
        };
        let filters = input.features().times(self.multiplier);
        let [rows, columns] = self.window.kernel;
        let places = rows.times(columns);
        let fill = self.init.fill(places, places.times(self.multiplier));
        let plan = Plan::stepwise(input, image(input, axes, filters))
            .parameter("weight", &[rows, columns, Size::Known(1), filters], fill)
            .costs(product(axes, filters.times(places)));
        with_bias(plan, self.bias, filters)
    }
}

/// The transpose of a convolution: spreads every place of an image over a kernel's span, which enlarges the image.
///
/// Input `Image<H, W, C>`, output `Image<H', W', filters>` with `H' = (H − 1)·stride + (kernel − 1)·dilation + 1 − padding`, and
/// `H' = H·stride` under `same`. Weight `[kernel, kernel, filters, C]`: that of the convolution from the output to the
/// input whose transpose this is, as in Keras.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvTranspose2d {
    /// Channels out.
    pub filters: Size,
    /// How the kernel of the convolution slides whose transpose this is.
    pub window: Window,
    /// Whether a bias is added.
    pub bias: bool,
    /// How a new weight is filled.
    pub init: Init,
    /// Applied to the output.
    pub activation: Activation,
}

impl ConvTranspose2d {
    /// `filters` kernels of 3×3, stride one, no padding, with bias.
    #[must_use]
    pub const fn new(filters: usize) -> Self {
        Self {
            filters: Size::Known(filters),
            window: Window::new(known([3, 3]), known([1, 1])),
            bias: true,
            init: Init::Glorot,
            activation: Activation::Identity,
        }
    }

    /// Rows and columns of the kernel.
    #[must_use]
    pub const fn kernel(mut self, kernel: [usize; 2]) -> Self {
        self.window.kernel = known(kernel);
        self
    }

    /// By how much the image grows along each axis.
    #[must_use]
    pub const fn stride(mut self, stride: [usize; 2]) -> Self {
        self.window.stride = known(stride);
        self
    }

    /// Places from one place of the kernel to the next.
    #[must_use]
    pub const fn dilation(mut self, dilation: [usize; 2]) -> Self {
        self.window.dilation = known(dilation);
        self
    }

    /// What surrounds the *output*, and is cut off.
    #[must_use]
    pub const fn padding(mut self, padding: Padding) -> Self {
        self.window.padding = padding;
        self
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
        const NAME: &str = "ConvTranspose2d";
        if self.filters.is(0) {
            return zero(NAME, "filters", input);
        }
        let (height, width, channels) = match input.item {
            Item::Image {
                height,
                width,
                channels,
            } => (height, width, channels),
            Item::Unknown => (Size::Unknown, Size::Unknown, Size::Unknown),
            _ => {
                let rule = Rule::Kind { takes: "an Image" };
                return Plan::fault(input, Fault::new(NAME, rule, input));
            }
        };
        let (out_height, out_width) = match (self.grown(0, height), self.grown(1, width)) {
            (Ok(height), Ok(width)) => (height, width),
            (Err(rule), _) | (_, Err(rule)) => {
                return Plan::fault(input, Fault::new(NAME, rule, input));
            }
        };
        let output = input.with_item(Item::Image {
            height: out_height,
            width: out_width,
            channels: self.filters,
        });
        let [rows, columns] = self.window.kernel;
        let places = rows.times(columns);
        let fill = self
            .init
            .fill(places.times(channels), places.times(self.filters));
        let cost = height.times(width).times(places).times(channels);
        let plan = Plan::stepwise(input, output)
            .parameter("weight", &[rows, columns, self.filters, channels], fill)
            .costs(cost.times(self.filters).times(TWO));
        with_bias(plan, self.bias, self.filters)
    }

    /// Places of the output along one axis: the size whose convolution by this window has `input` places.
    const fn grown(&self, axis: usize, input: Size) -> Result<Size, Rule> {
        // Asking about an unknown size checks the arguments alone.
        if let Err(rule) = self.window.axis(axis, Size::Unknown) {
            return Err(rule);
        }
        let (kernel, stride) = (self.window.kernel[axis], self.window.stride[axis]);
        let cut = match self.window.padding {
            Padding::Same => return Ok(input.times(stride)),
            Padding::Valid => 0,
            Padding::Explicit { top, bottom, .. } if axis == 0 => top.saturating_add(bottom),
            Padding::Explicit { left, right, .. } => left.saturating_add(right),
        };
        let (Size::Known(input), Size::Known(kernel)) = (input, kernel) else {
            return Ok(Size::Unknown);
        };
        if input == 0 {
            return Ok(Size::Known(0));
        }
        let full = Size::Known(input - 1)
            .times(stride)
            .plus(Size::Known(kernel - 1).times(self.window.dilation[axis]))
            .plus(Size::Known(1));
        match full {
            Size::Known(output) if output <= cut => Err(Rule::Cut {
                axis: AXES[axis],
                padding: cut,
                output,
            }),
            Size::Known(full) => Ok(Size::Known(full - cut)),
            other => Ok(other),
        }
    }
}

pub(super) const fn zero(layer: &'static str, argument: &'static str, input: Shape) -> Plan {
    Plan::fault(input, Fault::new(layer, Rule::Zero { argument }, input))
}

pub(super) const fn image(input: Shape, axes: [Axis; 2], channels: Size) -> Shape {
    input.with_item(Item::Image {
        height: axes[0].output,
        width: axes[1].output,
        channels,
    })
}

/// A multiply-add, which counts as two, at every place of the output.
const fn product(axes: [Axis; 2], per_place: Size) -> Size {
    axes[0]
        .output
        .times(axes[1].output)
        .times(per_place)
        .times(TWO)
}

pub(super) const fn with_bias(plan: Plan, bias: bool, features: Size) -> Plan {
    if bias && plan.fault.is_none() {
        plan.offset("bias", &[features], Fill::Zeros)
    } else {
        plan
    }
}

const fn divide(
    layer: &'static str,
    of: &'static str,
    count: Size,
    groups: Size,
    input: Shape,
) -> Result<Size, Fault> {
    match (count, groups) {
        (_, Size::Known(0)) => {
            let rule = Rule::Zero { argument: "groups" };
            Err(Fault::new(layer, rule, input))
        }
        (Size::Known(count), Size::Known(groups)) if !count.is_multiple_of(groups) => {
            let rule = Rule::Groups { of, count, groups };
            Err(Fault::new(layer, rule, input))
        }
        (Size::Known(count), Size::Known(groups)) => Ok(Size::Known(count / groups)),
        _ => Ok(Size::Unknown),
    }
}
