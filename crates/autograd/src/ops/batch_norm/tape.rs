//! Batch normalisation on the tape, where a batch is one block.

use super::{BatchNorm, Passed, Statistics};
use crate::ops::conv2d::{image_of, output_of};
use crate::ops::{Weights, row_len};
use crate::var::Var;
use plywood_kernels::norm::{self, Epilogue};
use plywood_kernels::{Float, pool};
use plywood_shape::{Activation, Shape, Window};
use plywood_tensor::Tensor;

/// What goes on behind the normalisation in [`Var::batch_norm_pool2d`].
#[derive(Clone, Copy, Debug)]
pub struct BatchNormPool {
    /// Added to the variance.
    pub epsilon: f64,
    /// Applied to what was normalised.
    pub activation: Activation,
    /// The max-pool behind that, whose windows lie side by side.
    pub pool: Window,
}

impl<'t, T: Float> Var<'t, T> {
    /// Batch normalisation over all axes but the last, with the statistics of `self`.
    ///
    /// # Shapes
    /// `self` \[…\]\[channels\], `weight` and `bias` \[channels\]; yields the shape of `self`.
    ///
    /// # Panics
    /// If the shapes do not fit or values belong to different tapes.
    #[track_caller]
    pub fn batch_norm(self, weight: Self, bias: Self, epsilon: f64) -> Self {
        let operation = self.plain_batch_norm([weight, bias], epsilon);
        let y = Tensor::zeros(self.value().shape());
        self.normalised(operation, [weight, bias], y)
    }

    /// Batch normalisation, an activation and a max-pool in one.
    ///
    /// # Shapes
    /// `self` \[samples\]\[rows\]\[columns\]\[channels\], `weight` and `bias` \[channels\].
    ///
    /// # Panics
    /// If the shapes do not fit, the pool's windows do not lie side by side, or values belong to different tapes.
    #[track_caller]
    pub fn batch_norm_pool2d(self, weight: Self, bias: Self, settings: BatchNormPool) -> Self {
        const NAME: &str = "batch_norm_pool2d";
        let mut operation = self.plain_batch_norm([weight, bias], settings.epsilon);
        let [samples, height, width, channels] = image_of(NAME, &self.shape());
        let input = Shape::image(height, width, channels);
        let output = output_of(NAME, input, settings.pool, channels);
        operation.epilogue = Epilogue {
            activation: settings.activation,
            pool: pool::Dims::of(samples, input, output, &settings.pool),
        };
        let [rows, columns] = operation.epilogue.pool.output;
        let y = Tensor::zeros([samples, rows, columns, channels]);
        self.normalised(operation, [weight, bias], y)
    }

    #[track_caller]
    fn normalised(self, operation: BatchNorm, parameters: [Self; 2], mut y: Tensor<T>) -> Self {
        let [weight, bias] = parameters;
        let channels = operation.channels();
        let (x, w, b) = (self.value(), weight.value(), bias.value());
        let mut values = vec![T::ZERO; 2 * channels + 1];
        operation.statistics(x.data(), &mut values);
        let statistics = Statistics::of(&values, channels);
        operation.forward(
            x.data(),
            weights(w.data(), b.data()),
            statistics,
            y.data_mut(),
        );
        self.tape().record(&[self, weight, bias], y, move |step| {
            let passed = Passed {
                x: step.input(0).data(),
                dy: step.output_gradient(),
                weights: weights(step.input(1).data(), step.input(2).data()),
                statistics: Statistics::of(&values, channels),
            };
            let mut sums = vec![T::ZERO; 2 * channels];
            operation.gradient_sums(passed, &mut sums);
            let mut dx = step.zeros(0);
            if let Some(dx) = &mut dx {
                operation.backward(passed, &sums, dx);
            }
            if let Some(dx) = dx {
                step.add(0, dx);
            }
            step.add(1, sums.split_off(channels));
            step.add(2, sums);
        })
    }

    /// Batch normalisation with a fixed mean and variance, which take no gradient.
    ///
    /// # Shapes
    /// As [`batch_norm`](Var::batch_norm), mean and variance \[channels\].
    ///
    /// # Panics
    /// If the shapes do not fit or values belong to different tapes.
    #[track_caller]
    pub fn batch_norm_fixed(
        self,
        weight: Self,
        bias: Self,
        moments: [Tensor<T>; 2],
        epsilon: f64,
    ) -> Self {
        let operation = self.plain_batch_norm([weight, bias], epsilon);
        let (x, w, b) = (self.value(), weight.value(), bias.value());
        let mut y = Tensor::zeros(x.shape());
        let [mean, variance] = moments;
        let moments = (mean.data(), variance.data());
        operation.infer(x.data(), weights(w.data(), b.data()), moments, y.data_mut());
        self.tape().record(&[self, weight, bias], y, move |step| {
            let (x, dy) = (step.input(0).data(), step.output_gradient());
            let weights = weights(step.input(1).data(), step.input(2).data());
            let fixed = operation.fixed(weights, (mean.data(), variance.data()));
            let mut sums = [T::ZERO, T::ZERO].map(|zero| vec![zero; operation.channels()]);
            let [dbias, dweight] = &mut sums;
            norm::gradient_sums(fixed, &operation.epilogue, [x, dy], [dbias, dweight]);
            if let Some(mut dx) = step.zeros(0) {
                norm::fixed_input_gradient(fixed, dy, &mut dx);
                step.add(0, dx);
            }
            let [dbias, dweight] = sums;
            step.add(1, dweight);
            step.add(2, dbias);
        })
    }

    /// The operation without anything behind it.
    #[track_caller]
    fn plain_batch_norm(self, parameters: [Self; 2], epsilon: f64) -> BatchNorm {
        let x = self.value();
        let channels = row_len(&x, "batch_norm");
        let [weight, bias] = parameters.map(Var::shape);
        assert!(
            weight == [channels] && bias == [channels],
            "batch_norm: input of shape {:?}, weight of {weight:?}, bias of {bias:?}",
            x.shape()
        );
        BatchNorm {
            epsilon,
            epilogue: Epilogue::rows(x.len() / channels, channels, Activation::Identity),
        }
    }
}

fn weights<'a, T>(weight: &'a [T], bias: &'a [T]) -> Weights<'a, T> {
    Weights {
        weight,
        bias: Some(bias),
    }
}
