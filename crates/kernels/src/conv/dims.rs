//! The sizes of a convolution.

use plywood_shape::{Item, Shape, Size, Window};

use super::axis::Axis;

/// Sizes of a two-dimensional convolution (cross-correlation), the same for its forward pass and its gradients.
///
/// Memory, all row-major and contiguous: x `[samples][input]`, y `[samples][output]`, both channels last, weight
/// `[kernel rows][kernel columns][channels in / groups][channels out]`, bias `[channels out]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dims {
    /// Images.
    pub samples: usize,
    /// Rows, columns, channels of x.
    pub input: [usize; 3],
    /// Rows, columns, channels of y.
    pub output: [usize; 3],
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Places from one output to the next.
    pub stride: [usize; 2],
    /// Places from one tap to the next.
    pub dilation: [usize; 2],
    /// Padding above and left of the input. What lies below and right follows from the sizes.
    pub before: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

impl Dims {
    /// The sizes of `window` sliding from images of shape `input` to images of shape `output`, as a plan has them.
    ///
    /// A transposed convolution gives its output as `input` and its input as `output`.
    ///
    /// # Panics
    /// If a shape is no image, a size is not known, or the window makes another size of `input` than `output` has.
    pub const fn of(
        samples: usize,
        input: Shape,
        output: Shape,
        window: &Window,
        groups: usize,
    ) -> Self {
        let (input_sizes, output_sizes) = (image(input), image(output));
        let Ok([rows, columns]) = window.over("Conv2d", input) else {
            panic!("conv: the window does not fit the input");
        };
        assert!(
            rows.output.get() == output_sizes[0] && columns.output.get() == output_sizes[1],
            "conv: the window makes another size of the input than the output has"
        );
        Self {
            samples,
            input: input_sizes,
            output: output_sizes,
            kernel: pair(window.kernel),
            stride: pair(window.stride),
            dilation: pair(window.dilation),
            before: [rows.before.get(), columns.before.get()],
            groups,
        }
    }

    /// Elements of x.
    pub const fn input_len(&self) -> usize {
        self.samples * self.input[0] * self.input[1] * self.input[2]
    }

    /// Elements of y.
    pub const fn output_len(&self) -> usize {
        self.samples * self.output[0] * self.output[1] * self.output[2]
    }

    /// Elements of the weight.
    pub const fn weight_len(&self) -> usize {
        self.terms() * self.output[2]
    }

    /// Elements of the bias: channels out.
    pub const fn bias_len(&self) -> usize {
        self.output[2]
    }

    /// Terms of the sum that is one element of y: kernel rows × kernel columns × channels in / groups.
    pub const fn terms(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.inputs_per_group()
    }

    /// Rows of y as a matrix with a column for each channel: one for each place of each sample.
    pub const fn places(&self) -> usize {
        self.samples * self.output[0] * self.output[1]
    }

    /// Channels of x that an element of y sees.
    pub const fn inputs_per_group(&self) -> usize {
        self.input[2] / self.groups
    }

    /// Channels of y that see the same channels of x.
    pub const fn outputs_per_group(&self) -> usize {
        self.output[2] / self.groups
    }

    /// Whether every channel is convolved by one kernel of its own.
    pub const fn is_depthwise(&self) -> bool {
        self.groups == self.input[2] && self.input[2] == self.output[2]
    }

    /// One axis: 0 = rows, 1 = columns.
    pub(crate) const fn axis(&self, axis: usize) -> Axis {
        Axis {
            input: self.input[axis],
            output: self.output[axis],
            kernel: self.kernel[axis],
            stride: self.stride[axis],
            dilation: self.dilation[axis],
            before: self.before[axis],
        }
    }

    /// Panics unless the sizes make sense together.
    pub(super) fn check(&self) {
        let Self {
            kernel,
            stride,
            dilation,
            groups,
            ..
        } = *self;
        assert!(stride[0] > 0 && stride[1] > 0, "conv: a stride of 0");
        assert!(dilation[0] > 0 && dilation[1] > 0, "conv: a dilation of 0");
        assert!(
            kernel[0] > 0 && kernel[1] > 0,
            "conv: a kernel without places"
        );
        assert!(groups > 0, "conv: no groups");
        assert!(
            self.input[2].is_multiple_of(groups) && self.output[2].is_multiple_of(groups),
            "conv: {groups} groups of {} channels in and {} out",
            self.input[2],
            self.output[2]
        );
    }
}

pub(crate) const fn image(shape: Shape) -> [usize; 3] {
    match shape.item {
        Item::Image {
            height,
            width,
            channels,
        } => [height.get(), width.get(), channels.get()],
        _ => panic!("this shape is no image"),
    }
}

pub(crate) const fn pair(sizes: [Size; 2]) -> [usize; 2] {
    [sizes[0].get(), sizes[1].get()]
}
