//! The window rule: how a kernel slides over one axis, for convolutions and pools alike.
//!
//! Source: Dumoulin and Visin, *A guide to convolution arithmetic for deep learning* (2016); `same` pads as TensorFlow
//! and Keras do, the odd place after.

use crate::{Fault, Item, Rule, Shape, Size};

/// What surrounds an image before a kernel slides over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// Nothing: outputs exist only where the kernel lies inside.
    Valid,
    /// As much as makes `output = ⌈input / stride⌉`; where that is an odd number, the odd place comes after.
    Same,
    /// That many places on each side.
    Explicit {
        /// Above the first row.
        top: usize,
        /// Below the last row.
        bottom: usize,
        /// Before the first column.
        left: usize,
        /// After the last column.
        right: usize,
    },
}

impl Padding {
    /// The same on all four sides.
    #[must_use]
    pub const fn uniform(n: usize) -> Self {
        Self::Explicit {
            top: n,
            bottom: n,
            left: n,
            right: n,
        }
    }

    /// `rows` above and below, `columns` left and right.
    #[must_use]
    pub const fn symmetric(rows: usize, columns: usize) -> Self {
        Self::Explicit {
            top: rows,
            bottom: rows,
            left: columns,
            right: columns,
        }
    }
}

/// How a kernel slides over the two axes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Places of the kernel: rows, columns.
    pub kernel: [Size; 2],
    /// Places from one output to the next.
    pub stride: [Size; 2],
    /// Places from one place of the kernel to the next.
    pub dilation: [Size; 2],
    /// What surrounds the image.
    pub padding: Padding,
}

/// A window along one axis, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Places of the output.
    pub output: Size,
    /// Places of padding before the input.
    pub before: Size,
    /// Places of padding after the input.
    pub after: Size,
}

/// What the axes are called.
pub(crate) const AXES: [&str; 2] = ["height", "width"];

impl Window {
    /// Whether windows of known size lie side by side, neither dilated nor padded: no place belongs to two of them.
    #[must_use]
    pub const fn is_tiling(&self) -> bool {
        let mut axis = 0;
        while axis < 2 {
            let (Size::Known(kernel), Size::Known(stride), Size::Known(dilation)) =
                (self.kernel[axis], self.stride[axis], self.dilation[axis])
            else {
                return false;
            };
            if kernel == 0 || stride != kernel || (dilation != 1 && kernel != 1) {
                return false;
            }
            axis += 1;
        }
        matches!(self.padding, Padding::Valid)
    }

    /// A kernel that moves by `stride`, neither dilated nor padded.
    #[must_use]
    pub const fn new(kernel: [Size; 2], stride: [Size; 2]) -> Self {
        Self {
            kernel,
            stride,
            dilation: [Size::Known(1); 2],
            padding: Padding::Valid,
        }
    }

    /// Slides over `input` and gives rows and columns of the output with their padding.
    ///
    /// # Errors
    /// A fault of `layer` where the input is no image, an argument is zero, or the kernel does not fit.
    pub const fn over(&self, layer: &'static str, input: Shape) -> Result<[Axis; 2], Fault> {
        let (height, width) = match input.item {
            Item::Image { height, width, .. } => (height, width),
            Item::Unknown => (Size::Unknown, Size::Unknown),
            _ => {
                let rule = Rule::Kind { takes: "an Image" };
                return Err(Fault::new(layer, rule, input));
            }
        };
        match (self.axis(0, height), self.axis(1, width)) {
            (Ok(rows), Ok(columns)) => Ok([rows, columns]),
            (Err(rule), _) | (_, Err(rule)) => Err(Fault::new(layer, rule, input)),
        }
    }

    /// Slides over one axis (0 = rows, 1 = columns) of `input` places.
    ///
    /// # Errors
    /// The rule that is broken.
    pub const fn axis(&self, axis: usize, input: Size) -> Result<Axis, Rule> {
        if let Some(rule) = self.zero(axis) {
            return Err(rule);
        }
        let (Size::Known(kernel), Size::Known(stride), Size::Known(dilation)) =
            (self.kernel[axis], self.stride[axis], self.dilation[axis])
        else {
            return Ok(UNKNOWN);
        };
        let Some(span) = span(kernel, dilation) else {
            return Err(Rule::Span { kernel, dilation });
        };
        let Size::Known(input) = input else {
            return Ok(UNKNOWN);
        };
        match self.padding {
            Padding::Same => Ok(same(input, span, stride)),
            Padding::Valid => valid(axis, input, [0, 0], kernel, dilation, stride),
            Padding::Explicit {
                top,
                bottom,
                left,
                right,
            } => {
                let around = if axis == 0 {
                    [top, bottom]
                } else {
                    [left, right]
                };
                let padding = if around[0] > around[1] {
                    around[0]
                } else {
                    around[1]
                };
                if padding >= span {
                    return Err(Rule::Padding {
                        axis: AXES[axis],
                        padding,
                        span,
                    });
                }
                valid(axis, input, around, kernel, dilation, stride)
            }
        }
    }

    const fn zero(&self, axis: usize) -> Option<Rule> {
        if self.kernel[axis].is(0) {
            Some(Rule::Zero { argument: "kernel" })
        } else if self.stride[axis].is(0) {
            Some(Rule::Zero { argument: "stride" })
        } else if self.dilation[axis].is(0) {
            Some(Rule::Zero {
                argument: "dilation",
            })
        } else {
            None
        }
    }
}

const UNKNOWN: Axis = Axis {
    output: Size::Unknown,
    before: Size::Unknown,
    after: Size::Unknown,
};

const fn span(kernel: usize, dilation: usize) -> Option<usize> {
    match (kernel - 1).checked_mul(dilation) {
        Some(n) => n.checked_add(1),
        None => None,
    }
}

/// `⌈input / stride⌉` outputs; the padding is what their kernels reach past the input.
const fn same(input: usize, span: usize, stride: usize) -> Axis {
    let output = input.div_ceil(stride);
    let reach = output
        .saturating_sub(1)
        .saturating_mul(stride)
        .saturating_add(span);
    let total = reach.saturating_sub(input);
    Axis {
        output: Size::Known(output),
        before: Size::Known(total / 2),
        after: Size::Known(total - total / 2),
    }
}

/// `⌊(before + input + after − span) / stride⌋ + 1` outputs.
const fn valid(
    axis: usize,
    input: usize,
    [before, after]: [usize; 2],
    kernel: usize,
    dilation: usize,
    stride: usize,
) -> Result<Axis, Rule> {
    let Size::Known(padded) = Size::Known(before)
        .plus(Size::Known(input))
        .plus(Size::Known(after))
    else {
        return Err(Rule::Overflow);
    };
    let span = (kernel - 1) * dilation + 1;
    if span > padded {
        return Err(Rule::Window {
            axis: AXES[axis],
            kernel,
            dilation,
            padded,
        });
    }
    Ok(Axis {
        output: Size::Known((padded - span) / stride + 1),
        before: Size::Known(before),
        after: Size::Known(after),
    })
}

#[cfg(test)]
mod tests {
    use super::{Padding, Window};
    use crate::{Rule, Size};

    fn sizes(n: usize) -> [Size; 2] {
        [Size::Known(n); 2]
    }

    #[test]
    fn same_on_an_even_size_with_stride_two_pads_after() {
        let mut window = Window::new(sizes(3), sizes(2));
        window.padding = Padding::Same;
        let axis = window.axis(0, Size::Known(8)).unwrap();
        assert_eq!(
            (axis.output, axis.before, axis.after),
            (Size::Known(4), Size::Known(0), Size::Known(1))
        );
    }

    #[test]
    fn agrees_with_counting_positions() {
        for input in 1..12usize {
            for kernel in 1..5 {
                for stride in 1..4 {
                    for dilation in 1..4 {
                        let mut window = Window::new(sizes(kernel), sizes(stride));
                        window.dilation = sizes(dilation);
                        let span = (kernel - 1) * dilation + 1;
                        let starts = (0..input).step_by(stride);
                        let count = starts.filter(|start| start + span <= input).count();
                        match window.axis(1, Size::Known(input)) {
                            Ok(axis) => assert_eq!(axis.output, Size::Known(count)),
                            Err(rule) => {
                                assert_eq!(count, 0);
                                assert!(matches!(rule, Rule::Window { .. }));
                            }
                        }
                    }
                }
            }
        }
    }
}
