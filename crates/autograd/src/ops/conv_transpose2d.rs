//! Transposed convolution: every place of x spreads over a kernel's span of y, which enlarges the image.
//!
//! ```text
//! y = activation(x spread by W + b)        W that of the convolution from y to x, W[i][j][o][c]
//! g = dy ⊙ activation′(y)
//! dx = g ∗ W        dW += g ∗ x        db += Σ over all places of g
//! ```
//!
//! It is that convolution's input gradient (Dumoulin and Visin, 2016), so its gradients are the convolution and its
//! weight gradient with the parts of x and y exchanged.

use super::activation::activation_backward;
use super::conv2d::{image_of, weighted_backward};
use super::{WeightGradients, WeightedFlow, Weights, scratch};
use crate::var::Var;
use plywood_kernels::Float;
use plywood_kernels::conv::{self, Dims, Forward, InputGradient, Pass, WeightGradient};
use plywood_kernels::elementwise::{activation_forward_in_place, add_bias, column_sums};
use plywood_kernels::gemm::{Epilogue, Start};
use plywood_shape::layers::ConvTranspose2d as Declaration;
use plywood_shape::{Activation, Item, Shape, Size, Window};
use plywood_tensor::Tensor;

/// A transposed convolution, + bias, then an activation.
#[derive(Clone, Copy, Debug)]
pub struct ConvTranspose2d {
    /// The sizes of the convolution from y to x: `input` is y's, `output` is x's.
    pub dims: Dims,
    /// What is applied last.
    pub activation: Activation,
}

impl ConvTranspose2d {
    /// Numbers derived from the weight that forward needs: the first of [`prepared_len`](ConvTranspose2d::prepared_len).
    pub fn prepared_for_forward_len<T: Float>(&self) -> usize {
        conv::prepared_len::<T>(&self.dims, Pass::InputGradient)
    }

    /// Numbers derived from the weight that forward and backward need.
    pub fn prepared_len<T: Float>(&self) -> usize {
        let back = conv::prepared_len::<T>(&self.dims, Pass::Forward);
        self.prepared_for_forward_len::<T>() + back
    }

    /// Derives them, or those for forward alone if there is no room for more.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn prepare<T: Float>(&self, weight: &[T], prepared: &mut [T]) {
        let (forward, back) = prepared.split_at_mut(self.prepared_for_forward_len::<T>());
        conv::prepare(&self.dims, Pass::InputGradient, weight, forward);
        if !back.is_empty() {
            conv::prepare(&self.dims, Pass::Forward, weight, back);
        }
    }

    /// Elements of scratch space that forward and backward need.
    pub fn scratch_len(&self) -> usize {
        conv::forward_scratch_len(&self.dims)
            .max(conv::weight_gradient_scratch_len(&self.dims))
            .max(conv::input_gradient_scratch_len(&self.dims))
    }

    /// y from x.
    ///
    /// # Shapes
    /// `x` \[samples\]\[output of the sizes\], weight \[kernel rows\]\[kernel columns\]\[channels of y\]\[channels of x\], bias
    /// \[channels of y\], `y` \[samples\]\[input of the sizes\]; `prepared` as [`prepare`](ConvTranspose2d::prepare) left it,
    /// on the same machine.
    ///
    /// # Panics
    /// If a slice has another length, or if the scratch space or what is prepared is short.
    pub fn forward<T: Float>(
        &self,
        x: &[T],
        weights: Weights<'_, T>,
        prepared: &[T],
        y: &mut [T],
        scratch: &mut [T],
    ) {
        let dims = &self.dims;
        conv::input_gradient(InputGradient {
            dims,
            weight: weights.weight,
            prepared,
            dy: x,
            dx: y,
            scratch,
        });
        if let Some(bias) = weights.bias {
            add_bias(y, bias);
        }
        activation_forward_in_place(self.activation, y);
    }

    /// The gradients of x and the parameters, from that of y.
    ///
    /// # Shapes
    /// As [`forward`](ConvTranspose2d::forward), gradients as what they are of.
    ///
    /// # Panics
    /// If a slice has another length, or if the scratch space or what is prepared is short.
    pub fn backward<T: Float>(
        &self,
        flow: WeightedFlow<'_, T>,
        gradients: WeightGradients<'_, T>,
        prepared: &[T],
        scratch: &mut [T],
    ) {
        activation_backward(self.activation, flow.y, flow.dy);
        let dims = &self.dims;
        conv::weight_gradient(WeightGradient {
            dims,
            x: flow.dy,
            dy: flow.x,
            dweight: gradients.weight,
            scratch,
        });
        if let Some(bias) = gradients.bias {
            column_sums(flow.dy, bias, Start::Accumulate);
        }
        if let Some(dx) = flow.dx {
            conv::forward(Forward {
                dims,
                x: flow.dy,
                weight: flow.weight,
                prepared: &prepared[self.prepared_for_forward_len::<T>()..],
                epilogue: Epilogue::NONE,
                y: dx,
                scratch,
            });
        }
    }
}

impl<'t, T: Float> Var<'t, T> {
    /// activation(self spread by weight + bias), for `self` \[samples\]\[rows\]\[columns\]\[channels in\].
    ///
    /// The kernel's size and the channels out are those of the weight; `window` says how the convolution slides whose
    /// transpose this is, and its own kernel is not looked at.
    ///
    /// # Shapes
    /// `weight` \[kernel rows\]\[kernel columns\]\[channels out\]\[channels in\], `bias` \[channels out\]; yields
    /// \[samples\]\[rows out\]\[columns out\]\[channels out\].
    ///
    /// # Panics
    /// If the shapes do not fit or values belong to different tapes.
    #[track_caller]
    pub fn conv_transpose2d(
        self,
        weight: Self,
        bias: Option<Self>,
        window: Window,
        activation: Activation,
    ) -> Self {
        let (x, w) = (self.value(), weight.value());
        let bias_value = bias.map(Var::value);
        let [samples, height, width, channels] = image_of("conv_transpose2d", x.shape());
        let kernel = image_of("conv_transpose2d: the weight", w.shape());
        let does_fit =
            kernel[3] == channels && bias_value.as_ref().is_none_or(|b| b.shape() == [kernel[2]]);
        assert!(
            does_fit,
            "conv_transpose2d: input of shape {:?}, weight of {:?}, bias of {:?}",
            x.shape(),
            w.shape(),
            bias_value.as_ref().map(|b| b.shape().to_vec())
        );
        let window = Window {
            kernel: [kernel[0], kernel[1]].map(Size::Known),
            ..window
        };
        let image = Shape::image(height, width, channels);
        let plan = Declaration {
            window,
            ..Declaration::new(kernel[2])
        }
        .plan(image);
        assert!(plan.fault.is_none(), "{}", plan.message().as_str());
        let dims = Dims::of(samples, plan.output, image, &window, 1);
        let conv = ConvTranspose2d { dims, activation };
        let Item::Image { height, width, .. } = plan.output.item else {
            unreachable!("the shape rule yields an image")
        };
        let mut y = Tensor::zeros([samples, height.get(), width.get(), kernel[2]]);
        let weights = Weights {
            weight: w.data(),
            bias: bias_value.as_ref().map(|b| b.data()),
        };
        let mut prepared = scratch(conv.prepared_len::<T>());
        conv.prepare(w.data(), &mut prepared);
        conv.forward(
            x.data(),
            weights,
            &prepared,
            y.data_mut(),
            &mut scratch(conv.scratch_len()),
        );
        let mut operands = vec![self, weight];
        operands.extend(bias);
        self.tape().record(&operands, y, move |step| {
            weighted_backward(step, |flow, gradients| {
                conv.backward(flow, gradients, &prepared, &mut scratch(conv.scratch_len()));
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck;
    use crate::ops::sample;
    use plywood_shape::{Activation, Padding, Size, Window};

    /// Image, weight, stride, dilation, padding.
    type Case = ([usize; 4], [usize; 4], [usize; 2], [usize; 2], Padding);

    const EXPLICIT: Padding = Padding::Explicit {
        top: 1,
        bottom: 0,
        left: 1,
        right: 2,
    };

    #[rustfmt::skip]
    const CASES: [Case; 20] = [
        ([0, 3, 3, 2], [2, 2, 3, 2], [1, 1], [1, 1], Padding::Valid),
        ([1, 1, 1, 1], [1, 1, 1, 1], [1, 1], [1, 1], Padding::Valid),
        ([1, 1, 1, 2], [3, 3, 1, 2], [1, 1], [1, 1], Padding::Valid),
        ([2, 3, 2, 1], [3, 3, 2, 1], [1, 1], [1, 1], Padding::Valid),
        ([2, 3, 2, 3], [3, 3, 2, 3], [2, 2], [1, 1], Padding::Same),
        ([1, 3, 3, 2], [2, 2, 2, 2], [2, 2], [1, 1], Padding::Valid),
        ([1, 3, 3, 2], [4, 4, 1, 2], [2, 2], [1, 1], Padding::Same),
        ([1, 2, 3, 2], [3, 2, 2, 2], [2, 3], [1, 1], Padding::Valid),
        ([1, 3, 2, 2], [3, 3, 1, 2], [1, 1], [1, 1], EXPLICIT),
        ([1, 3, 2, 2], [3, 3, 1, 2], [2, 1], [1, 1], EXPLICIT),
        ([1, 2, 2, 1], [2, 2, 2, 1], [1, 1], [3, 2], Padding::Valid),
        ([1, 2, 2, 1], [3, 3, 1, 1], [2, 1], [2, 2], Padding::Same),
        ([1, 2, 2, 1], [1, 1, 2, 1], [3, 2], [1, 1], Padding::Valid),
        ([1, 2, 2, 1], [1, 1, 2, 1], [3, 2], [1, 1], Padding::Same),
        ([1, 2, 2, 9], [2, 2, 1, 9], [1, 1], [1, 1], Padding::Valid),
        ([1, 2, 2, 1], [2, 2, 9, 1], [1, 1], [1, 1], Padding::Valid),
        ([3, 1, 2, 2], [2, 2, 5, 2], [2, 1], [1, 1], Padding::Valid),
        ([1, 1, 5, 2], [1, 4, 2, 2], [1, 1], [1, 1], Padding::Same),
        ([1, 3, 1, 2], [4, 1, 2, 2], [3, 1], [1, 1], Padding::Same),
        ([1, 3, 3, 1], [3, 3, 1, 1], [1, 1], [1, 1], Padding::uniform(1)),
    ];

    #[test]
    fn gradients_agree_with_differences() {
        let activations = [
            Activation::Tanh,
            Activation::Identity,
            Activation::Sigmoid,
            Activation::Relu,
        ];
        for (i, (image, kernel, stride, dilation, padding)) in CASES.into_iter().enumerate() {
            let [kernel_sizes, stride, dilation] =
                [[1, 1], stride, dilation].map(|sizes| sizes.map(Size::Known));
            let window = Window {
                dilation,
                padding,
                ..Window::new(kernel_sizes, stride)
            };
            let operands = [sample(1, image), sample(2, kernel), sample(3, [kernel[2]])];
            let activation = activations[i % activations.len()];
            gradcheck(&operands, |_, v| {
                v[0].conv_transpose2d(v[1], Some(v[2]), window, activation)
            })
            .unwrap_or_else(|error| panic!("{:?}: {error}", CASES[i]));
            gradcheck(&operands[..2], |_, v| {
                v[0].conv_transpose2d(v[1], None, window, Activation::Identity)
            })
            .unwrap();
        }
    }

    #[test]
    fn places_spread_over_the_kernel() {
        let tape = crate::Tape::<f64>::new();
        let x = tape.leaf(plywood_tensor::Tensor::from_vec(
            [1, 1, 2, 1],
            vec![1.0, 10.0],
        ));
        let weight = tape.leaf(plywood_tensor::Tensor::from_vec(
            [1, 3, 1, 1],
            vec![1.0, 2.0, 3.0],
        ));
        let window = Window::new([Size::Known(1); 2], [Size::Known(1), Size::Known(2)]);
        let y = x.conv_transpose2d(weight, None, window, Activation::Identity);
        assert_eq!(y.value().data(), [1.0, 2.0, 13.0, 20.0, 30.0]);
    }
}
