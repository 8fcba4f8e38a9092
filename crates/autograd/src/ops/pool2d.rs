//! Pooling over windows and whole images: the largest number, or the mean.
//!
//! ```text
//! max:     y = x at the window's first maximum      dx += dy there
//! average: y = Σ x / count                          dx += dy / count at every place inside
//! ```
//!
//! Padding never wins and never counts.

use super::conv2d::{image_of, output_of};
use crate::var::Var;
use plywood_kernels::Float;
use plywood_kernels::pool::{
    Dims, MaxBackward, MaxForward, average_backward, average_forward, max_backward, max_forward,
};
use plywood_shape::{Shape, Window};
use plywood_tensor::Tensor;

/// Max-pooling.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool2d {
    /// The sizes.
    pub dims: Dims,
}

impl MaxPool2d {
    /// y from x, and the places of the maxima; `places` may be empty where no backward pass follows.
    ///
    /// # Shapes
    /// `x` \[samples\]\[input\], `y` \[samples\]\[output\]\[channels\], `places` [`places_len`](Dims::places_len) bytes.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn forward<T: Float>(&self, x: &[T], y: &mut [T], places: &mut [u8]) {
        let places = (!places.is_empty()).then_some(places);
        max_forward(MaxForward {
            dims: &self.dims,
            x,
            y,
            places,
        });
    }

    /// dx from dy and the places that the forward pass kept.
    ///
    /// # Shapes
    /// As [`forward`](MaxPool2d::forward).
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn backward<T: Float>(&self, dy: &[T], places: &[u8], dx: &mut [T]) {
        max_backward(MaxBackward {
            dims: &self.dims,
            dy,
            places,
            dx,
        });
    }
}

/// Average pooling; over whole images with [`Dims::global`].
#[derive(Clone, Copy, Debug)]
pub struct AvgPool2d {
    /// The sizes.
    pub dims: Dims,
}

impl AvgPool2d {
    /// y from x.
    ///
    /// # Shapes
    /// `x` \[samples\]\[input\], `y` \[samples\]\[output\]\[channels\].
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn forward<T: Float>(&self, x: &[T], y: &mut [T]) {
        average_forward(&self.dims, x, y);
    }

    /// dx from dy.
    ///
    /// # Shapes
    /// As [`forward`](AvgPool2d::forward).
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn backward<T: Float>(&self, dy: &[T], dx: &mut [T]) {
        average_backward(&self.dims, dy, dx);
    }
}

impl<'t, T: Float> Var<'t, T> {
    /// The largest number of every window, for `self` \[samples\]\[rows\]\[columns\]\[channels\].
    ///
    /// # Panics
    /// If the window does not fit.
    #[track_caller]
    pub fn max_pool2d(self, window: Window) -> Self {
        let x = self.value();
        let pool = MaxPool2d {
            dims: dims_of("max_pool2d", x.shape(), window),
        };
        let (mut y, mut places) = (empty_output(&pool.dims), vec![0; pool.dims.places_len()]);
        pool.forward(x.data(), y.data_mut(), &mut places);
        self.tape().record(&[self], y, move |step| {
            let mut dx = vec![T::ZERO; step.input(0).len()];
            pool.backward(step.output_gradient(), &places, &mut dx);
            step.add(0, dx);
        })
    }

    /// The mean of every window, for `self` \[samples\]\[rows\]\[columns\]\[channels\].
    ///
    /// # Panics
    /// If the window does not fit.
    #[track_caller]
    pub fn avg_pool2d(self, window: Window) -> Self {
        let dims = dims_of("avg_pool2d", self.value().shape(), window);
        self.average(AvgPool2d { dims }, empty_output(&dims))
    }

    /// The mean of every image, channel by channel: \[samples\]\[channels\] of \[samples\]\[rows\]\[columns\]\[channels\].
    ///
    /// # Panics
    /// If there are not four axes, or if the images are empty.
    #[track_caller]
    pub fn global_avg_pool2d(self) -> Self {
        let [samples, height, width, channels] = image_of("global_avg_pool2d", &self.shape());
        assert!(
            height * width > 0,
            "global_avg_pool2d: images of {height}×{width} places have no mean"
        );
        let dims = Dims::global(samples, [height, width, channels]);
        self.average(AvgPool2d { dims }, Tensor::zeros([samples, channels]))
    }

    #[track_caller]
    fn average(self, pool: AvgPool2d, mut y: Tensor<T>) -> Self {
        pool.forward(self.value().data(), y.data_mut());
        self.tape().record(&[self], y, move |step| {
            let mut dx = vec![T::ZERO; step.input(0).len()];
            pool.backward(step.output_gradient(), &mut dx);
            step.add(0, dx);
        })
    }
}

#[track_caller]
fn dims_of(what: &'static str, shape: &[usize], window: Window) -> Dims {
    let [samples, height, width, channels] = image_of(what, shape);
    let input = Shape::image(height, width, channels);
    Dims::of(
        samples,
        input,
        output_of(what, input, window, channels),
        &window,
    )
}

fn empty_output<T: Float>(dims: &Dims) -> Tensor<T> {
    Tensor::zeros([dims.samples, dims.output[0], dims.output[1], dims.input[2]])
}

#[cfg(test)]
mod tests {
    use crate::ops::sample;
    use crate::{Tape, gradcheck};
    use plywood_shape::{Padding, Size, Window};
    use plywood_tensor::Tensor;

    fn window(kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Window {
        Window {
            padding,
            ..Window::new(kernel.map(Size::Known), stride.map(Size::Known))
        }
    }

    /// Image, window, stride, padding.
    type Case = ([usize; 4], [usize; 2], [usize; 2], Padding);

    const EXPLICIT: Padding = Padding::Explicit {
        top: 2,
        bottom: 0,
        left: 1,
        right: 1,
    };

    #[rustfmt::skip]
    const CASES: [Case; 21] = [
        ([0, 4, 4, 2], [2, 2], [2, 2], Padding::Valid),
        ([2, 4, 4, 0], [2, 2], [2, 2], Padding::Valid),
        ([1, 1, 1, 1], [1, 1], [1, 1], Padding::Valid),
        ([2, 4, 4, 3], [2, 2], [2, 2], Padding::Valid),
        ([1, 5, 7, 2], [2, 2], [2, 2], Padding::Valid),
        ([1, 5, 5, 2], [2, 2], [1, 1], Padding::Valid),
        ([1, 5, 5, 2], [3, 3], [1, 1], Padding::Same),
        ([1, 5, 5, 2], [3, 3], [2, 2], Padding::Same),
        ([1, 6, 6, 1], [3, 3], [2, 2], Padding::Same),
        ([1, 5, 5, 2], [3, 3], [2, 1], EXPLICIT),
        ([1, 4, 6, 2], [1, 3], [1, 2], Padding::Valid),
        ([1, 6, 4, 2], [3, 1], [2, 1], Padding::Valid),
        ([1, 7, 7, 1], [2, 2], [3, 3], Padding::Valid),
        ([1, 3, 3, 9], [2, 2], [1, 1], Padding::Valid),
        ([3, 2, 2, 5], [2, 2], [1, 1], Padding::Valid),
        ([1, 3, 4, 2], [3, 4], [1, 1], Padding::Valid),
        ([1, 17, 16, 1], [17, 16], [1, 1], Padding::Valid),
        ([1, 2, 9, 1], [2, 4], [2, 4], Padding::Valid),
        ([2, 3, 1, 4], [2, 1], [1, 1], Padding::Valid),
        ([1, 2, 2, 1], [2, 2], [1, 1], Padding::Same),
        ([1, 1, 5, 3], [1, 5], [1, 1], Padding::Same),
    ];

    #[test]
    fn gradients_agree_with_differences() {
        for (image, kernel, stride, padding) in CASES {
            let window = window(kernel, stride, padding);
            // Uniform numbers are further apart than the step, so that no maximum changes place.
            let x = [sample(1, image)];
            let case = (image, kernel, stride, padding);
            gradcheck(&x, |_, v| v[0].max_pool2d(window))
                .unwrap_or_else(|error| panic!("max, {case:?}: {error}"));
            gradcheck(&x, |_, v| v[0].avg_pool2d(window))
                .unwrap_or_else(|error| panic!("mean, {case:?}: {error}"));
            gradcheck(&x, |_, v| v[0].global_avg_pool2d())
                .unwrap_or_else(|error| panic!("{case:?}: {error}"));
        }
    }

    #[test]
    fn a_tie_goes_to_the_first_row_by_row() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from_vec([1, 2, 2, 1], vec![1.0_f64, 3.0, 3.0, 3.0]));
        let y = x.max_pool2d(window([2, 2], [2, 2], Padding::Valid));
        assert_eq!(y.value().data(), [3.0]);
        assert_eq!(y.backward().of(x).data(), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "max_pool2d")]
    fn a_window_that_does_not_fit_is_refused() {
        let tape = Tape::<f64>::new();
        tape.leaf(Tensor::zeros([1, 2, 2, 1]))
            .max_pool2d(window([3, 3], [1, 1], Padding::Valid));
    }
}
