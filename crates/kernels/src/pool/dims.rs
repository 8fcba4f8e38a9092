//! The sizes of a pool.

use plywood_shape::{Shape, Window};

use crate::conv::axis::Axis;
use crate::conv::{image, pair};

/// Sizes of a pool over the rows and columns of images, channel by channel.
///
/// Memory, row-major and contiguous: x `[samples][input]`, y `[samples][output rows][output columns][channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dims {
    /// Images.
    pub samples: usize,
    /// Rows, columns, channels of x.
    pub input: [usize; 3],
    /// Rows and columns of y.
    pub output: [usize; 2],
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// Places from one window to the next.
    pub stride: [usize; 2],
    /// Places from one place of the window to the next.
    pub dilation: [usize; 2],
    /// Padding above and left of the input. What lies below and right follows from the sizes.
    pub before: [usize; 2],
}

impl Dims {
    /// The sizes of `window` sliding from images of shape `input` to images of shape `output`, as a plan has them.
    ///
    /// # Panics
    /// If a shape is no image, a size is not known, or the window makes another size of `input` than `output` has.
    pub const fn of(samples: usize, input: Shape, output: Shape, window: &Window) -> Self {
        let [out_rows, out_columns, _] = image(output);
        let Ok([rows, columns]) = window.over("Pool2d", input) else {
            panic!("pool: the window does not fit the input");
        };
        assert!(
            rows.output.get() == out_rows && columns.output.get() == out_columns,
            "pool: the window makes another size of the input than the output has"
        );
        Self {
            samples,
            input: image(input),
            output: [out_rows, out_columns],
            kernel: pair(window.kernel),
            stride: pair(window.stride),
            dilation: pair(window.dilation),
            before: [rows.before.get(), columns.before.get()],
        }
    }

    /// One window over whole images of `input` rows, columns and channels.
    pub const fn global(samples: usize, input: [usize; 3]) -> Self {
        let [rows, columns, _] = input;
        Self {
            samples,
            input,
            output: [1, 1],
            kernel: [rows, columns],
            stride: [1, 1],
            dilation: [1, 1],
            before: [0, 0],
        }
    }

    /// `rows` of `channels`, every one of which is a window of its own.
    pub const fn rows(rows: usize, channels: usize) -> Self {
        Self {
            samples: 1,
            input: [1, rows, channels],
            output: [1, rows],
            kernel: [1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            before: [0, 0],
        }
    }

    /// Whether the windows lie side by side without padding: no place belongs to two of them.
    pub const fn is_tiling(&self) -> bool {
        let (rows, columns) = (self.axis(0), self.axis(1));
        rows.is_tiled() && columns.is_tiled()
    }

    /// Elements of x.
    pub const fn input_len(&self) -> usize {
        self.samples * self.input[0] * self.input[1] * self.input[2]
    }

    /// Elements of y.
    pub const fn output_len(&self) -> usize {
        self.samples * self.output[0] * self.output[1] * self.input[2]
    }

    /// Bytes that the place of one maximum takes: one for windows of up to 256 places, else four, little endian.
    pub const fn place_bytes(&self) -> usize {
        if self.kernel[0] * self.kernel[1] <= 256 {
            1
        } else {
            4
        }
    }

    /// Bytes that the places of all maxima take.
    pub const fn places_len(&self) -> usize {
        self.output_len() * self.place_bytes()
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
    pub(crate) fn check(&self) {
        assert!(
            self.stride[0] > 0 && self.stride[1] > 0,
            "pool: a stride of 0"
        );
        assert!(
            self.dilation[0] > 0 && self.dilation[1] > 0,
            "pool: a dilation of 0"
        );
    }
}
