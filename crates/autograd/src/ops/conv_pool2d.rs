//! Convolution, bias, activation and max-pool in one pass.
//!
//! ```text
//! y = max-pool(activation(x ∗ W + b)), and in `places` where each maximum was
//! ```
//!
//! The result is that of the two operations one after the other, to the bit unless Winograd's tiles are others without the pool. An activation's derivative follows from its output, and
//! what comes out of the pool is the activation's output at the maximum: so the way back needs nothing that the pool
//! dropped, and goes through the winners alone where the sizes allow it.

use super::activation::activation_backward;
use super::conv2d::{dims_of, image_of, output_of, weighted_backward};
use super::{WeightGradients, WeightedFlow, Weights, scratch};
use crate::var::Var;
use plywood_kernels::conv::{self, BackwardPool, Dims, ForwardPool, Pass};
use plywood_kernels::elementwise::column_sums;
use plywood_kernels::gemm::{Epilogue, Start};
use plywood_kernels::pool;
use plywood_kernels::{Float, bf16};
use plywood_shape::{Activation, Precision, Shape, Window};
use plywood_tensor::Tensor;
use std::ops::Range;

/// A convolution, + bias, an activation, then a max-pool.
#[derive(Clone, Copy, Debug)]
pub struct ConvPool2d {
    /// The sizes of the convolution.
    pub dims: Dims,
    /// What is applied before the pool.
    pub activation: Activation,
    /// The sizes of the pool, whose input is the convolution's output.
    pub pool: pool::Dims,
    /// What the products are computed in; those of the way back, through the winners alone, in full.
    pub precision: Precision,
}

impl ConvPool2d {
    /// Whether forward is computed in bf16: where it is asked for and pays.
    fn is_in_bf16(&self) -> bool {
        self.precision == Precision::Bf16 && bf16::conv::pays(&self.dims, Pass::Forward)
    }

    /// Numbers derived from the weight that forward needs: the first of [`prepared_len`](ConvPool2d::prepared_len).
    pub fn prepared_for_forward_len<T: Float>(&self) -> usize {
        if self.is_in_bf16() {
            bf16::conv::weights_len(&self.dims, Pass::Forward)
        } else {
            conv::forward_pool_prepared_len::<T>(&self.dims, &self.pool)
        }
    }

    /// Numbers derived from the weight that forward and backward need.
    pub fn prepared_len<T: Float>(&self) -> usize {
        let back = conv::backward_pool_prepared_len::<T>(&self.dims, &self.pool);
        self.prepared_for_forward_len::<T>() + back
    }

    /// Derives them, or those for forward alone if there is no room for more.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn prepare<T: Float>(&self, weight: &[T], prepared: &mut [T]) {
        let (forward, back) = prepared.split_at_mut(self.prepared_for_forward_len::<T>());
        if self.is_in_bf16() {
            bf16::conv::pack_weights(&self.dims, Pass::Forward, weight, forward);
        } else {
            conv::prepare_forward_pool(&self.dims, &self.pool, weight, forward);
        }
        if !back.is_empty() {
            conv::prepare_backward_pool(&self.dims, &self.pool, weight, back);
        }
    }

    /// Elements of scratch space that forward and backward need.
    pub fn scratch_len(&self) -> usize {
        let forward = if self.is_in_bf16() {
            bf16::conv::forward_pool_scratch_len(&self.dims, &self.pool)
        } else {
            conv::forward_pool_scratch_len(&self.dims, &self.pool)
        };
        forward.max(conv::backward_pool_scratch_len(&self.dims, &self.pool))
    }

    /// What comes out of the pool, from x.
    ///
    /// # Shapes
    /// `x` \[samples\]\[input\], weight \[kernel rows\]\[kernel columns\]\[channels in / groups\]\[channels out\], bias
    /// \[channels out\]; `prepared` as [`prepare`](ConvPool2d::prepare) left it, on the same machine.
    ///
    /// # Panics
    /// If a slice has another length, or if the scratch space or what is prepared is short.
    pub fn forward<T: Float>(
        &self,
        x: &[T],
        weights: Weights<'_, T>,
        prepared: &[T],
        pooled: Pooled<'_, T>,
        scratch: &mut [T],
    ) {
        let pass = self.pass(x, weights, prepared, pooled, scratch);
        if self.is_in_bf16() {
            bf16::conv::forward_pool(pass);
        } else {
            conv::forward_pool(pass);
        }
    }

    /// Rows `rows` of the output, alone, for one sample; they begin at a multiple of [`conv::POOL_ROWS_TOGETHER`].
    ///
    /// # Shapes
    /// As [`forward`](ConvPool2d::forward), but y and places \[rows\]\[columns\]\[channels out\].
    ///
    /// # Panics
    /// As [`forward`](ConvPool2d::forward); unless [`has_rows`](ConvPool2d::has_rows), or if the rows begin elsewhere.
    pub fn forward_rows<T: Float>(
        &self,
        rows: Range<usize>,
        x: &[T],
        weights: Weights<'_, T>,
        prepared: &[T],
        pooled: Pooled<'_, T>,
        scratch: &mut [T],
    ) {
        let pass = self.pass(x, weights, prepared, pooled, scratch);
        conv::forward_pool_rows(pass, rows);
    }

    /// Whether [`forward_rows`](ConvPool2d::forward_rows) takes this convolution and its pool.
    pub fn has_rows<T: Float>(&self) -> bool {
        self.dims.samples == 1
            && !self.is_in_bf16()
            && conv::has_pool_rows::<T>(&self.dims, &self.pool)
    }

    fn pass<'a, T: Float>(
        &'a self,
        x: &'a [T],
        weights: Weights<'a, T>,
        prepared: &'a [T],
        Pooled { y, places }: Pooled<'a, T>,
        scratch: &'a mut [T],
    ) -> ForwardPool<'a, T> {
        ForwardPool {
            dims: &self.dims,
            pool: &self.pool,
            x,
            weight: weights.weight,
            prepared,
            epilogue: Epilogue {
                bias: weights.bias,
                activation: self.activation,
            },
            y,
            places: (!places.is_empty()).then_some(places),
            scratch,
        }
    }

    /// The gradients of x and the parameters, from that of y and the places that the forward pass kept.
    ///
    /// # Shapes
    /// As [`forward`](ConvPool2d::forward), gradients as what they are of.
    ///
    /// # Panics
    /// If a slice has another length, or if the scratch space or what is prepared is short.
    pub fn backward<T: Float>(
        &self,
        flow: WeightedFlow<'_, T>,
        gradients: WeightGradients<'_, T>,
        prepared: &[T],
        places: &[u8],
        scratch: &mut [T],
    ) {
        activation_backward(self.activation, flow.y, flow.dy);
        if let Some(bias) = gradients.bias {
            column_sums(flow.dy, bias, Start::Accumulate);
        }
        conv::backward_pool(BackwardPool {
            dims: &self.dims,
            pool: &self.pool,
            x: flow.x,
            weight: flow.weight,
            prepared: &prepared[self.prepared_for_forward_len::<T>()..],
            dy: flow.dy,
            places,
            dweight: gradients.weight,
            dx: flow.dx,
            scratch,
        });
    }
}

/// What comes out of the pool: the maxima, and where they were.
#[derive(Debug)]
pub struct Pooled<'a, T> {
    /// \[samples\]\[output of the pool\]
    pub y: &'a mut [T],
    /// [`places_len`](pool::Dims::places_len) bytes; may be empty where no backward pass follows.
    pub places: &'a mut [u8],
}

/// The two windows of a convolution and the max-pool behind it, and what is applied between them.
#[derive(Clone, Copy, Debug)]
pub struct ConvPoolWindows {
    /// How the convolution's kernel slides; its size is that of the weight.
    pub conv: Window,
    /// What is applied to the convolution.
    pub activation: Activation,
    /// How the pool's window slides.
    pub pool: Window,
}

impl<'t, T: Float> Var<'t, T> {
    /// max-pool(activation(self ∗ weight + bias)), for `self` \[samples\]\[rows\]\[columns\]\[channels in\].
    ///
    /// # Shapes
    /// `weight` \[kernel rows\]\[kernel columns\]\[channels in / groups\]\[channels out\], `bias` \[channels out\]; yields
    /// \[samples\]\[rows out\]\[columns out\]\[channels out\].
    ///
    /// # Panics
    /// If the shapes do not fit or values belong to different tapes.
    #[track_caller]
    pub fn conv_pool2d(self, weight: Self, bias: Self, windows: ConvPoolWindows) -> Self {
        let (x, w, b) = (self.value(), weight.value(), bias.value());
        let image = image_of("conv_pool2d", x.shape());
        let kernel = image_of("conv_pool2d: the weight", w.shape());
        let groups = image[3].checked_div(kernel[2]).unwrap_or(1);
        let does_fit = groups > 0
            && groups * kernel[2] == image[3]
            && kernel[3].is_multiple_of(groups)
            && b.shape() == [kernel[3]];
        assert!(
            does_fit,
            "conv_pool2d: input of shape {:?}, weight of {:?}, bias of {:?}",
            x.shape(),
            w.shape(),
            b.shape()
        );
        let dims = dims_of("conv_pool2d", image, kernel, windows.conv, groups);
        let [rows, columns, channels] = dims.output;
        let between = Shape::image(rows, columns, channels);
        let output = output_of("conv_pool2d: the pool", between, windows.pool, channels);
        let pool = pool::Dims::of(dims.samples, between, output, &windows.pool);
        let conv = ConvPool2d {
            dims,
            activation: windows.activation,
            pool,
            precision: Precision::Full,
        };
        let mut y = Tensor::zeros([dims.samples, pool.output[0], pool.output[1], channels]);
        let mut places = vec![0; pool.places_len()];
        let weights = Weights {
            weight: w.data(),
            bias: Some(b.data()),
        };
        let mut prepared = scratch(conv.prepared_len::<T>());
        conv.prepare(w.data(), &mut prepared);
        let pooled = Pooled {
            y: y.data_mut(),
            places: &mut places,
        };
        conv.forward(
            x.data(),
            weights,
            &prepared,
            pooled,
            &mut scratch(conv.scratch_len()),
        );
        self.tape().record(&[self, weight, bias], y, move |step| {
            weighted_backward(step, |flow, gradients| {
                conv.backward(
                    flow,
                    gradients,
                    &prepared,
                    &places,
                    &mut scratch(conv.scratch_len()),
                );
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ConvPoolWindows;
    use crate::ops::sample;
    use crate::{Tape, gradcheck};
    use plywood_shape::{Activation, Padding, Size, Window};

    fn window(kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Window {
        Window {
            padding,
            ..Window::new(kernel.map(Size::Known), stride.map(Size::Known))
        }
    }

    /// Image, weight, stride and padding of the convolution, kernel and stride of the pool.
    type Case = (
        [usize; 4],
        [usize; 4],
        [usize; 2],
        Padding,
        [usize; 2],
        [usize; 2],
    );

    #[rustfmt::skip]
    const CASES: [Case; 22] = [
        ([0, 4, 4, 2], [3, 3, 2, 3], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([1, 1, 1, 1], [1, 1, 1, 1], [1, 1], Padding::Valid, [1, 1], [1, 1]),
        ([1, 2, 2, 2], [1, 1, 2, 1], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([2, 6, 6, 1], [3, 3, 1, 3], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([2, 7, 7, 2], [3, 3, 2, 2], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([1, 7, 6, 2], [2, 3, 2, 2], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([1, 6, 6, 2], [3, 3, 2, 2], [1, 1], Padding::Same, [2, 2], [2, 2]),
        ([1, 9, 9, 1], [3, 3, 1, 2], [2, 2], Padding::Valid, [2, 2], [2, 2]),
        ([1, 8, 8, 1], [3, 3, 1, 2], [2, 1], Padding::Same, [2, 2], [2, 2]),
        ([1, 6, 6, 1], [3, 3, 1, 2], [1, 1], Padding::Valid, [3, 3], [1, 1]),
        ([1, 6, 6, 1], [3, 3, 1, 2], [1, 1], Padding::Valid, [2, 2], [1, 1]),
        ([1, 7, 7, 2], [2, 2, 2, 2], [1, 1], Padding::Valid, [3, 2], [3, 2]),
        ([1, 6, 6, 4], [3, 3, 2, 4], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([1, 5, 5, 3], [2, 2, 1, 3], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([1, 5, 5, 2], [2, 2, 1, 4], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([1, 4, 4, 1], [2, 2, 1, 9], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([1, 4, 4, 9], [1, 1, 9, 1], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([3, 4, 4, 1], [3, 3, 1, 2], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([1, 4, 5, 1], [3, 3, 1, 2], [1, 1], Padding::Same, [4, 5], [1, 1]),
        ([1, 5, 5, 1], [2, 2, 1, 2], [1, 1], Padding::Valid, [2, 2], [3, 3]),
        ([2, 5, 5, 8], [2, 2, 8, 3], [1, 1], Padding::Valid, [2, 2], [2, 2]),
        ([1, 6, 5, 6], [2, 3, 6, 2], [1, 1], Padding::Valid, [3, 2], [2, 2]),
    ];

    const ACTIVATIONS: [Activation; 5] = [
        Activation::Relu,
        Activation::Tanh,
        Activation::Identity,
        Activation::Sigmoid,
        Activation::LeakyRelu(0.1),
    ];

    #[test]
    fn gradients_agree_with_differences() {
        for (i, (image, kernel, stride, padding, pool, pool_stride)) in
            CASES.into_iter().enumerate()
        {
            let windows = ConvPoolWindows {
                conv: window([1, 1], stride, padding),
                activation: ACTIVATIONS[i % ACTIVATIONS.len()],
                pool: window(pool, pool_stride, Padding::Valid),
            };
            let operands = [sample(1, image), sample(2, kernel), sample(3, [kernel[3]])];
            gradcheck(&operands, |_, v| v[0].conv_pool2d(v[1], v[2], windows))
                .unwrap_or_else(|error| panic!("{:?}: {error}", CASES[i]));
        }
    }

    /// Values are those of convolution and pool one after the other to the bit, gradients within rounding, since other
    /// terms of the sums are 0.
    #[test]
    fn is_the_two_operations() {
        for (i, (image, kernel, stride, padding, pool, pool_stride)) in
            CASES.into_iter().enumerate()
        {
            let activation = ACTIVATIONS[i % ACTIVATIONS.len()];
            let (conv, pool) = (
                window([1, 1], stride, padding),
                window(pool, pool_stride, Padding::Valid),
            );
            let tape = Tape::new();
            let [x, w, b] = [sample(1, image), sample(2, kernel), sample(3, [kernel[3]])]
                .map(|value| tape.leaf(value));
            let fused = x.conv_pool2d(
                w,
                b,
                ConvPoolWindows {
                    conv,
                    activation,
                    pool,
                },
            );
            let apart = x.conv2d(w, Some(b), conv, activation).max_pool2d(pool);
            assert_eq!(fused.value().data(), apart.value().data(), "{:?}", CASES[i]);
            let seed = sample(4, fused.shape());
            let (fused, apart) = (fused.backward_from(seed.clone()), apart.backward_from(seed));
            for var in [x, w, b] {
                for (a, b) in fused.of(var).data().iter().zip(apart.of(var).data()) {
                    assert!((a - b).abs() <= 1e-12, "{:?}: {a} is not {b}", CASES[i]);
                }
            }
        }
    }
}
