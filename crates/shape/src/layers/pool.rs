//! Pooling: the largest or the mean number of a window, channel by channel.

use super::conv::image;
use super::known;
use crate::{Fault, Item, Padding, Plan, Rule, Shape, Size, Window};

/// The largest number of every window; of equal ones the first, row by row.
///
/// Input `Image<H, W, C>`, output `Image<H', W', C>`. Padding never wins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxPool2d {
    /// How the window slides.
    pub window: Window,
}

/// The mean of every window; padding counts neither in the sum nor in the number, as in Keras.
///
/// Input `Image<H, W, C>`, output `Image<H', W', C>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AvgPool2d {
    /// How the window slides.
    pub window: Window,
}

macro_rules! pool {
    ($pool:ident, $name:literal, $kept:ident) => {
        impl $pool {
            /// A window that moves by its own size, without padding.
            #[must_use]
            pub const fn new(window: [usize; 2]) -> Self {
                Self {
                    window: Window::new(known(window), known(window)),
                }
            }

            /// Places from one output to the next.
            #[must_use]
            pub const fn stride(mut self, stride: [usize; 2]) -> Self {
                self.window.stride = known(stride);
                self
            }

            /// What surrounds the image.
            #[must_use]
            pub const fn padding(mut self, padding: Padding) -> Self {
                self.window.padding = padding;
                self
            }

            /// The shape rule.
            #[must_use]
            pub const fn plan(&self, input: Shape) -> Plan {
                match self.window.over($name, input) {
                    Ok(axes) => {
                        let output = image(input, axes, input.features());
                        Plan::stepwise(input, output)
                            .saves_bytes(output.elements().times($kept(self.window.kernel)))
                    }
                    Err(fault) => Plan::fault(input, fault),
                }
            }
        }
    };
}

/// Bytes that the place of a maximum takes: one for windows of up to 256 places, else four.
const fn place(kernel: [Size; 2]) -> Size {
    match kernel[0].times(kernel[1]) {
        Size::Known(places) if places > 256 => Size::Known(4),
        _ => Size::Known(1),
    }
}

/// A mean has no place to be kept.
const fn nothing(_: [Size; 2]) -> Size {
    Size::Known(0)
}

pool!(MaxPool2d, "MaxPool2d", place);
pool!(AvgPool2d, "AvgPool2d", nothing);

/// The mean of a whole image, channel by channel.
///
/// Input `Image<H, W, C>`, output `Vector<C>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalAvgPool2d;

impl GlobalAvgPool2d {
    /// The layer; it has no arguments.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        const NAME: &str = "GlobalAvgPool2d";
        match input.item {
            Item::Image {
                height,
                width,
                channels,
            } => {
                if height.times(width).is(0) {
                    return Plan::fault(input, Fault::new(NAME, Rule::Empty, input));
                }
                Plan::stepwise(input, input.with_item(Item::Vector(channels)))
            }
            Item::Unknown => Plan::stepwise(input, input.with_item(Item::Vector(Size::Unknown))),
            _ => {
                let rule = Rule::Kind { takes: "an Image" };
                Plan::fault(input, Fault::new(NAME, rule, input))
            }
        }
    }
}

impl Default for GlobalAvgPool2d {
    fn default() -> Self {
        Self::new()
    }
}
