//! Two-dimensional convolution: y = activation(x ∗ W + b), grouped and depthwise too.
//!
//! ```text
//! y[n][h][w][o] = activation(Σ x[n][h·s + i·d − p][w·s + j·d − p][c]·W[i][j][c][o] + b[o])        over i, j, c
//! g  = dy ⊙ activation′(y)
//! dx = g spread by W      dW += x ∗ g      db += Σ over all places of g
//! ```
//!
//! What is computed is cross-correlation, as every framework does it.

use super::activation::activation_backward;
use super::{WeightGradients, WeightedFlow, Weights, scratch};
use crate::gradients::Adjoint;
use crate::var::Var;
use plywood_kernels::conv::{self, Dims, Forward, InputGradient, Pass, WeightGradient};
use plywood_kernels::elementwise::column_sums;
use plywood_kernels::gemm::{Epilogue, Start};
use plywood_kernels::{Float, bf16};
use plywood_shape::{Activation, Axis, Precision, Shape, Window};
use plywood_tensor::Tensor;
use std::ops::Range;

/// A convolution, + bias, then an activation.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d {
    /// The sizes.
    pub dims: Dims,
    /// What is applied last.
    pub activation: Activation,
    /// What the products are computed in.
    pub precision: Precision,
}

impl Conv2d {
    /// Whether a pass is computed in bf16: where it is asked for and pays.
    fn is_in_bf16(&self, pass: Pass) -> bool {
        self.precision == Precision::Bf16 && bf16::conv::pays(&self.dims, pass)
    }

    fn prepared_for_len<T: Float>(&self, pass: Pass) -> usize {
        if self.is_in_bf16(pass) {
            bf16::conv::weights_len(&self.dims, pass)
        } else {
            conv::prepared_len::<T>(&self.dims, pass)
        }
    }

    fn prepare_for<T: Float>(&self, pass: Pass, weight: &[T], prepared: &mut [T]) {
        if self.is_in_bf16(pass) {
            bf16::conv::pack_weights(&self.dims, pass, weight, prepared);
        } else {
            conv::prepare(&self.dims, pass, weight, prepared);
        }
    }

    /// Numbers derived from the weight that forward needs: the first of [`prepared_len`](Conv2d::prepared_len).
    pub fn prepared_for_forward_len<T: Float>(&self) -> usize {
        self.prepared_for_len::<T>(Pass::Forward)
    }

    /// Numbers derived from the weight that forward and backward need.
    pub fn prepared_len<T: Float>(&self) -> usize {
        self.prepared_for_forward_len::<T>() + self.prepared_for_len::<T>(Pass::InputGradient)
    }

    /// Derives them, or those for forward alone if there is no room for more.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn prepare<T: Float>(&self, weight: &[T], prepared: &mut [T]) {
        let (forward, back) = prepared.split_at_mut(self.prepared_for_forward_len::<T>());
        self.prepare_for(Pass::Forward, weight, forward);
        if !back.is_empty() {
            self.prepare_for(Pass::InputGradient, weight, back);
        }
    }

    /// Elements of scratch space that forward and backward need.
    pub fn scratch_len(&self) -> usize {
        let dims = &self.dims;
        let needs = [
            (Pass::Forward, conv::forward_scratch_len(dims)),
            (
                Pass::WeightGradient,
                conv::weight_gradient_scratch_len(dims),
            ),
            (Pass::InputGradient, conv::input_gradient_scratch_len(dims)),
        ];
        let needs = needs.map(|(pass, len)| {
            if self.is_in_bf16(pass) {
                bf16::conv::scratch_len(dims, pass)
            } else {
                len
            }
        });
        needs.into_iter().max().unwrap_or(0)
    }

    /// y from x.
    ///
    /// # Shapes
    /// `x` \[samples\]\[input\], weight \[kernel rows\]\[kernel columns\]\[channels in / groups\]\[channels out\], bias
    /// \[channels out\], `y` \[samples\]\[output\]; `prepared` as [`prepare`](Conv2d::prepare) left it, on the same machine.
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
        if self.is_in_bf16(Pass::Forward) {
            let epilogue = self.epilogue(weights.bias);
            return bf16::conv::forward(&self.dims, x, prepared, epilogue, y, scratch);
        }
        conv::forward(Forward {
            dims: &self.dims,
            x,
            weight: weights.weight,
            prepared,
            epilogue: self.epilogue(weights.bias),
            y,
            scratch,
        });
    }

    /// Rows `rows` of y, alone, for one sample; they begin at a multiple of [`conv::rows_together`].
    ///
    /// # Shapes
    /// As [`forward`](Conv2d::forward), but `y` \[rows\]\[columns\]\[channels out\].
    ///
    /// # Panics
    /// As [`forward`](Conv2d::forward); if there is more than one sample, or the rows begin elsewhere.
    pub fn forward_rows<T: Float>(
        &self,
        rows: Range<usize>,
        x: &[T],
        weights: Weights<'_, T>,
        prepared: &[T],
        y: &mut [T],
        scratch: &mut [T],
    ) {
        let pass = Forward {
            dims: &self.dims,
            x,
            weight: weights.weight,
            prepared,
            epilogue: self.epilogue(weights.bias),
            y,
            scratch,
        };
        conv::forward_rows(pass, rows);
    }

    /// Whether [`forward_rows`](Conv2d::forward_rows) takes this convolution.
    pub fn has_rows(&self) -> bool {
        self.dims.samples == 1 && !self.is_in_bf16(Pass::Forward)
    }

    fn epilogue<'a, T>(&self, bias: Option<&'a [T]>) -> Epilogue<'a, T> {
        Epilogue {
            bias,
            activation: self.activation,
        }
    }

    /// The gradients of x and the parameters, from that of y.
    ///
    /// # Shapes
    /// As [`forward`](Conv2d::forward), gradients as what they are of.
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
        let back = &prepared[self.prepared_for_forward_len::<T>()..];
        let dims = &self.dims;
        if let Some(bias) = gradients.bias {
            column_sums(flow.dy, bias, Start::Accumulate);
        }
        if self.is_in_bf16(Pass::WeightGradient) {
            bf16::conv::weight_gradient(dims, flow.x, flow.dy, gradients.weight, scratch);
        } else {
            conv::weight_gradient(WeightGradient {
                dims,
                x: flow.x,
                dy: flow.dy,
                dweight: gradients.weight,
                scratch,
            });
        }
        let Some(dx) = flow.dx else { return };
        if self.is_in_bf16(Pass::InputGradient) {
            bf16::conv::input_gradient(dims, flow.dy, back, dx, scratch);
        } else {
            conv::input_gradient(InputGradient {
                dims,
                weight: flow.weight,
                prepared: back,
                dy: flow.dy,
                dx,
                scratch,
            });
        }
    }
}

impl<'t, T: Float> Var<'t, T> {
    /// activation(self ∗ weight + bias), for `self` \[samples\]\[rows\]\[columns\]\[channels in\].
    ///
    /// The kernel's size, the groups and the channels out are those of the weight; `window` says how it slides, and its
    /// own kernel is not looked at.
    ///
    /// # Shapes
    /// `weight` \[kernel rows\]\[kernel columns\]\[channels in / groups\]\[channels out\], `bias` \[channels out\]; yields
    /// \[samples\]\[rows out\]\[columns out\]\[channels out\].
    ///
    /// # Panics
    /// If the shapes do not fit or values belong to different tapes.
    #[track_caller]
    pub fn conv2d(
        self,
        weight: Self,
        bias: Option<Self>,
        window: Window,
        activation: Activation,
    ) -> Self {
        let (x, w) = (self.value(), weight.value());
        let bias_value = bias.map(Var::value);
        let image = image_of("conv2d", x.shape());
        let kernel = image_of("conv2d: the weight", w.shape());
        let groups = image[3].checked_div(kernel[2]).unwrap_or(1);
        let does_fit = groups > 0
            && groups * kernel[2] == image[3]
            && kernel[3].is_multiple_of(groups)
            && bias_value.as_ref().is_none_or(|b| b.shape() == [kernel[3]]);
        assert!(
            does_fit,
            "conv2d: input of shape {:?}, weight of {:?}, bias of {:?}",
            x.shape(),
            w.shape(),
            bias_value.as_ref().map(|b| b.shape().to_vec())
        );
        let dims = dims_of("conv2d", image, kernel, window, groups);
        let conv = Conv2d {
            dims,
            activation,
            precision: Precision::Full,
        };
        let mut y = Tensor::zeros([dims.samples, dims.output[0], dims.output[1], dims.output[2]]);
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

/// The four sizes of images or of a weight.
#[track_caller]
pub(super) fn image_of(what: &str, shape: &[usize]) -> [usize; 4] {
    shape
        .try_into()
        .unwrap_or_else(|_| panic!("{what}: shape {shape:?} does not have four axes"))
}

/// The sizes of a convolution of `image` by a weight of the sizes `kernel`.
#[track_caller]
pub(super) fn dims_of(
    what: &'static str,
    image: [usize; 4],
    kernel: [usize; 4],
    window: Window,
    groups: usize,
) -> Dims {
    let window = Window {
        kernel: [kernel[0], kernel[1]].map(plywood_shape::Size::Known),
        ..window
    };
    let [samples, height, width, channels] = image;
    let output = output_of(
        what,
        Shape::image(height, width, channels),
        window,
        kernel[3],
    );
    Dims::of(
        samples,
        Shape::image(height, width, channels),
        output,
        &window,
        groups,
    )
}

/// The images that a window makes of `input`.
///
/// # Panics
/// With the shape rule's words if it does not fit.
#[track_caller]
pub(super) fn output_of(
    what: &'static str,
    input: Shape,
    window: Window,
    channels: usize,
) -> Shape {
    let axes = window.over(what, input);
    let [rows, columns] = axes.unwrap_or_else(|fault| panic!("{}", fault.message().as_str()));
    let places = |axis: Axis| axis.output.get();
    Shape::image(places(rows), places(columns), channels)
}

/// The way back of an operation recorded with input, weight and perhaps bias.
pub(super) fn weighted_backward<T: Float>(
    step: &mut Adjoint<'_, T>,
    backward: impl FnOnce(WeightedFlow<'_, T>, WeightGradients<'_, T>),
) {
    let mut dy = step.output_gradient().to_vec();
    let mut dx = step.zeros(0);
    let mut dw = vec![T::ZERO; step.input(1).len()];
    let mut db = (step.inputs() > 2).then(|| vec![T::ZERO; step.input(2).len()]);
    let flow = WeightedFlow {
        x: step.input(0).data(),
        weight: step.input(1).data(),
        y: step.output().data(),
        dy: &mut dy,
        dx: dx.as_deref_mut(),
    };
    backward(
        flow,
        WeightGradients {
            weight: &mut dw,
            bias: db.as_deref_mut(),
        },
    );
    for (input, gradient) in [dx, Some(dw), db].into_iter().enumerate() {
        if let Some(gradient) = gradient {
            step.add(input, gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck;
    use crate::ops::sample;
    use plywood_shape::{Activation, Padding, Size, Window};

    fn known(sizes: [usize; 2]) -> [Size; 2] {
        sizes.map(Size::Known)
    }

    /// Image, weight, stride, dilation, padding.
    type Case = ([usize; 4], [usize; 4], [usize; 2], [usize; 2], Padding);

    const EXPLICIT: Padding = Padding::Explicit {
        top: 2,
        bottom: 0,
        left: 1,
        right: 2,
    };

    #[rustfmt::skip]
    const CASES: [Case; 22] = [
        ([0, 3, 3, 2], [2, 2, 2, 3], [1, 1], [1, 1], Padding::Valid),
        ([1, 1, 1, 1], [1, 1, 1, 1], [1, 1], [1, 1], Padding::Valid),
        ([2, 1, 1, 3], [1, 1, 3, 2], [1, 1], [1, 1], Padding::Valid),
        ([2, 4, 5, 1], [3, 3, 1, 2], [1, 1], [1, 1], Padding::Valid),
        ([2, 4, 5, 3], [3, 3, 3, 2], [1, 1], [1, 1], Padding::Same),
        ([1, 6, 6, 2], [3, 3, 2, 2], [2, 2], [1, 1], Padding::Same),
        ([1, 5, 6, 2], [3, 2, 2, 2], [2, 3], [1, 1], Padding::Valid),
        ([1, 5, 4, 2], [3, 3, 2, 1], [1, 1], [1, 1], EXPLICIT),
        ([1, 5, 4, 2], [3, 3, 2, 1], [2, 1], [1, 1], EXPLICIT),
        ([1, 6, 7, 1], [2, 2, 1, 2], [1, 1], [3, 2], Padding::Valid),
        ([1, 6, 7, 1], [3, 3, 1, 1], [2, 1], [2, 2], Padding::Same),
        ([1, 4, 4, 4], [3, 3, 2, 4], [1, 1], [1, 1], Padding::Same),
        ([1, 4, 4, 6], [2, 2, 2, 3], [1, 1], [1, 1], Padding::Valid),
        ([2, 4, 3, 3], [3, 3, 1, 3], [1, 1], [1, 1], Padding::Same),
        ([1, 4, 3, 2], [2, 2, 1, 6], [1, 1], [1, 1], Padding::Valid),
        ([1, 5, 5, 5], [3, 3, 1, 5], [2, 2], [1, 1], Padding::Same),
        ([1, 3, 3, 9], [2, 2, 9, 1], [1, 1], [1, 1], Padding::Valid),
        ([1, 3, 3, 1], [2, 2, 1, 9], [1, 1], [1, 1], Padding::Valid),
        ([3, 2, 2, 2], [2, 2, 2, 5], [1, 1], [1, 1], Padding::Valid),
        ([1, 2, 5, 2], [1, 4, 2, 2], [1, 1], [1, 1], Padding::Same),
        ([1, 5, 2, 2], [4, 1, 2, 2], [3, 1], [1, 1], Padding::Same),
        ([1, 2, 2, 1], [4, 4, 1, 1], [1, 1], [1, 1], Padding::uniform(3)),
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
            let window = Window {
                dilation: known(dilation),
                padding,
                ..Window::new(known([1, 1]), known(stride))
            };
            let operands = [sample(1, image), sample(2, kernel), sample(3, [kernel[3]])];
            let activation = activations[i % activations.len()];
            gradcheck(&operands, |_, v| {
                v[0].conv2d(v[1], Some(v[2]), window, activation)
            })
            .unwrap_or_else(|error| panic!("{:?}: {error}", CASES[i]));
            gradcheck(&operands[..2], |_, v| {
                v[0].conv2d(v[1], None, window, Activation::Identity)
            })
            .unwrap();
        }
    }

    /// The chapter's convolution, y(u,v) = Σ x(i,j)·k(u−i, v−j), is this one with the kernel flipped in both axes.
    #[test]
    fn a_flipped_kernel_gives_the_true_convolution() {
        let (x, k) = (sample(1, [1, 5, 6, 1]), sample(2, [3, 2, 1, 1]));
        let mut flipped = k.clone();
        flipped.data_mut().reverse();
        let tape = crate::Tape::new();
        let window = Window {
            padding: Padding::Explicit {
                top: 2,
                bottom: 2,
                left: 1,
                right: 1,
            },
            ..Window::new(known([1, 1]), known([1, 1]))
        };
        let y = tape
            .leaf(x.clone())
            .conv2d(tape.leaf(flipped), None, window, Activation::Identity);
        assert_eq!(y.shape(), [1, 7, 7, 1]);
        for u in 0..7_usize {
            for v in 0..7_usize {
                let mut sum = 0.0;
                for i in 0..5 {
                    for j in 0..6 {
                        let (Some(p), Some(q)) = (u.checked_sub(i), v.checked_sub(j)) else {
                            continue;
                        };
                        if p < 3 && q < 2 {
                            sum += x.data()[i * 6 + j] * k.data()[p * 2 + q];
                        }
                    }
                }
                assert!((y.value().data()[u * 7 + v] - sum).abs() < 1e-12);
            }
        }
    }

    #[test]
    #[should_panic(
        expected = "conv2d: input of shape [1, 4, 4, 3], weight of [3, 3, 2, 4], bias of None"
    )]
    fn shapes_that_do_not_fit_are_named() {
        let tape = crate::Tape::new();
        let window = Window::new(known([3, 3]), known([1, 1]));
        let weight = tape.leaf(sample(2, [3, 3, 2, 4]));
        tape.leaf(sample(1, [1, 4, 4, 3]))
            .conv2d(weight, None, window, Activation::Identity);
    }
}
