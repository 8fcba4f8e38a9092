//! Batch normalisation: every channel has zero mean and unit variance over the batch before it is scaled and shifted.
//!
//! ```text
//! y = (x − mean) / √(var + ε) · weight + bias        mean and var over all rows of the batch
//! ```
//!
//! A batch that comes in blocks takes two meetings of the blocks: [`BatchNorm::statistics`] of each, [`merge`]d, before
//! the forward pass, and [`BatchNorm::gradient_sums`] of each, added up, before the backward pass. Inference takes the
//! running mean and variance instead ([`BatchNorm::infer`]).

use super::{WeightedFlow, Weights};
use crate::var::Var;
use plywood_kernels::Float;
use plywood_kernels::norm::{self, BatchSums, Moments, Norm};
use plywood_tensor::Tensor;

/// Batch normalisation of some rows of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm {
    /// Rows of this block: places of all its images, or its samples.
    pub rows: usize,
    /// Numbers in a row.
    pub channels: usize,
    /// Added to the variance.
    pub epsilon: f64,
}

/// Count, mean and variance of every channel over the rows of a whole batch.
#[derive(Clone, Copy, Debug)]
pub struct Statistics<'a, T> {
    count: T,
    means: &'a [T],
    /// Sums of squared deviations, which are the variances times the count.
    deviations: &'a [T],
}

impl<'a, T: Float> Statistics<'a, T> {
    /// What [`BatchNorm::statistics`] and [`merge`] left in `2 · channels + 1` values: count, means, sums of squared
    /// deviations.
    ///
    /// # Panics
    /// If there are fewer values.
    pub fn of(values: &'a [T], channels: usize) -> Self {
        let (means, deviations) = values[1..=2 * channels].split_at(channels);
        Self {
            count: values[0],
            means,
            deviations,
        }
    }

    /// The mean of channel `c`.
    ///
    /// # Panics
    /// If there is no such channel.
    pub fn mean(&self, c: usize) -> T {
        self.means[c]
    }

    /// The variance of channel `c`, biased: the mean of the squared deviations.
    ///
    /// # Panics
    /// If there is no such channel.
    pub fn variance(&self, c: usize) -> T {
        self.deviations[c] / self.count.max(T::ONE)
    }

    fn norm(self, weight: &'a [T], epsilon: f64) -> Norm<'a, T> {
        Norm {
            mean: self.means,
            m2: self.deviations,
            count: self.count.max(T::ONE),
            epsilon,
            weight,
        }
    }
}

/// Adds the statistics of further rows to those of earlier ones, both of `2 · channels + 1` values.
///
/// # Panics
/// If there are fewer values.
pub fn merge<T: Float>(into: &mut [T], further: &[T], channels: usize) {
    let (count, moments) = into.split_at_mut(1);
    let (mean, m2) = moments[..2 * channels].split_at_mut(channels);
    let mut all = Moments {
        count: count[0],
        mean,
        m2,
    };
    let Statistics {
        count: more,
        means,
        deviations,
    } = Statistics::of(further, channels);
    norm::merge(
        &mut all,
        &Moments {
            count: more,
            mean: means,
            m2: deviations,
        },
    );
    count[0] = all.count;
}

impl BatchNorm {
    /// The statistics of these rows, written to `2 · channels + 1` values.
    ///
    /// # Shapes
    /// `x` \[rows\]\[channels\].
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn statistics<T: Float>(&self, x: &[T], values: &mut [T]) {
        let (count, moments) = values.split_at_mut(1);
        let (mean, m2) = moments[..2 * self.channels].split_at_mut(self.channels);
        norm::statistics(&x[..self.rows * self.channels], mean, m2);
        count[0] = T::from_usize(self.rows);
    }

    /// y from x with the statistics of the batch.
    ///
    /// # Shapes
    /// `x` and `y` \[rows\]\[channels\], weight and bias \[channels\].
    ///
    /// # Panics
    /// If there is no bias, or if a slice has another length.
    pub fn forward<T: Float>(
        &self,
        x: &[T],
        weights: Weights<'_, T>,
        statistics: Statistics<'_, T>,
        y: &mut [T],
    ) {
        let bias = weights.bias.expect("batch normalisation has a bias");
        norm::normalise(statistics.norm(weights.weight, self.epsilon), bias, x, y);
    }

    /// y from x with a fixed mean and variance, as inference does it.
    ///
    /// # Shapes
    /// `x` and `y` \[rows\]\[channels\], all others \[channels\].
    ///
    /// # Panics
    /// If there is no bias, or if a slice has another length.
    pub fn infer<T: Float>(
        &self,
        x: &[T],
        weights: Weights<'_, T>,
        (mean, variance): (&[T], &[T]),
        y: &mut [T],
    ) {
        let bias = weights.bias.expect("batch normalisation has a bias");
        norm::normalise(self.fixed(weights.weight, mean, variance), bias, x, y);
    }

    /// Mean and variance as statistics of a single row.
    fn fixed<'a, T: Float>(
        &self,
        weight: &'a [T],
        mean: &'a [T],
        variance: &'a [T],
    ) -> Norm<'a, T> {
        Norm {
            mean,
            m2: variance,
            count: T::ONE,
            epsilon: self.epsilon,
            weight,
        }
    }

    /// Σ dy and Σ dy · x̂ over these rows, written one behind the other: over the whole batch they are the gradients of
    /// bias and weight.
    ///
    /// # Shapes
    /// `x` and `dy` \[rows\]\[channels\], `sums` \[2\]\[channels\].
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn gradient_sums<T: Float>(
        &self,
        x: &[T],
        dy: &[T],
        statistics: Statistics<'_, T>,
        sums: &mut [T],
    ) {
        sums.fill(T::ZERO);
        let (dbias, dweight) = sums.split_at_mut(self.channels);
        // x̂ does not depend on the weight.
        let norm = statistics.norm(statistics.means, self.epsilon);
        norm::gradient_sums(norm, x, dy, [dbias, dweight]);
    }

    /// dx, from dy and the sums of [`gradient_sums`](BatchNorm::gradient_sums) over the whole batch.
    ///
    /// # Shapes
    /// As [`gradient_sums`](BatchNorm::gradient_sums).
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn backward<T: Float>(
        &self,
        flow: WeightedFlow<'_, T>,
        statistics: Statistics<'_, T>,
        sums: &[T],
    ) {
        let Some(dx) = flow.dx else { return };
        let (dy, dy_normal) = sums.split_at(self.channels);
        let sums = BatchSums {
            count: statistics.count.max(T::ONE),
            dy,
            dy_normal,
        };
        norm::input_gradient(
            statistics.norm(flow.weight, self.epsilon),
            sums,
            [flow.x, flow.dy],
            dx,
        );
    }

    /// dx from dy where mean and variance are fixed.
    ///
    /// # Shapes
    /// `dy` and `dx` \[rows\]\[channels\], all others \[channels\].
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn infer_backward<T: Float>(
        &self,
        weight: &[T],
        (mean, variance): (&[T], &[T]),
        dy: &[T],
        dx: &mut [T],
    ) {
        norm::fixed_input_gradient(self.fixed(weight, mean, variance), dy, dx);
    }
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
        let (norm, mut y) = self.start_batch_norm([weight, bias], epsilon);
        let (x, w, b) = (self.value(), weight.value(), bias.value());
        let mut values = vec![T::ZERO; 2 * norm.channels + 1];
        norm.statistics(x.data(), &mut values);
        let weights = Weights {
            weight: w.data(),
            bias: Some(b.data()),
        };
        norm.forward(
            x.data(),
            weights,
            Statistics::of(&values, norm.channels),
            y.data_mut(),
        );
        self.tape().record(&[self, weight, bias], y, move |step| {
            let statistics = Statistics::of(&values, norm.channels);
            let mut dy = step.output_gradient().to_vec();
            let mut sums = vec![T::ZERO; 2 * norm.channels];
            norm.gradient_sums(step.input(0).data(), &dy, statistics, &mut sums);
            let mut dx = step.zeros(0);
            let flow = WeightedFlow {
                x: step.input(0).data(),
                weight: step.input(1).data(),
                y: step.output().data(),
                dy: &mut dy,
                dx: dx.as_deref_mut(),
            };
            norm.backward(flow, statistics, &sums);
            if let Some(dx) = dx {
                step.add(0, dx);
            }
            step.add(1, sums.split_off(norm.channels));
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
        let (norm, mut y) = self.start_batch_norm([weight, bias], epsilon);
        let (x, w, b) = (self.value(), weight.value(), bias.value());
        let [mean, variance] = moments;
        let weights = Weights {
            weight: w.data(),
            bias: Some(b.data()),
        };
        norm.infer(
            x.data(),
            weights,
            (mean.data(), variance.data()),
            y.data_mut(),
        );
        self.tape().record(&[self, weight, bias], y, move |step| {
            let dy = step.output_gradient();
            let weight = step.input(1).data();
            if let Some(mut dx) = step.zeros(0) {
                norm.infer_backward(weight, (mean.data(), variance.data()), dy, &mut dx);
                step.add(0, dx);
            }
            let mut sums = [vec![T::ZERO; norm.channels], vec![T::ZERO; norm.channels]];
            let [dbias, dweight] = &mut sums;
            let fixed = norm.fixed(weight, mean.data(), variance.data());
            norm::gradient_sums(fixed, step.input(0).data(), dy, [dbias, dweight]);
            let [dbias, dweight] = sums;
            step.add(1, dweight);
            step.add(2, dbias);
        })
    }

    /// The sizes and room for the result.
    #[track_caller]
    fn start_batch_norm(self, parameters: [Self; 2], epsilon: f64) -> (BatchNorm, Tensor<T>) {
        let x = self.value();
        let channels = super::row_len(&x, "batch_norm");
        let [weight, bias] = parameters.map(Var::shape);
        assert!(
            weight == [channels] && bias == [channels],
            "batch_norm: input of shape {:?}, weight of {weight:?}, bias of {bias:?}",
            x.shape()
        );
        (
            BatchNorm {
                rows: x.len() / channels,
                channels,
                epsilon,
            },
            Tensor::zeros(x.shape()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{BatchNorm, Statistics, merge};
    use crate::gradcheck;
    use crate::ops::{WeightedFlow, Weights, sample};

    #[test]
    fn gradients_agree_with_differences() {
        for rows in [0, 1, 2, 5, 9] {
            for channels in [1, 2, 3, 8, 17] {
                let operands = [
                    sample(1, [rows, channels]),
                    sample(2, [channels]),
                    sample(3, [channels]),
                ];
                let moments = || {
                    [
                        sample(4, [channels]),
                        sample(5, [channels]).map(|x| x.abs()),
                    ]
                };
                gradcheck(&operands, |_, v| v[0].batch_norm(v[1], v[2], 1e-3))
                    .unwrap_or_else(|error| panic!("{rows}×{channels}: {error}"));
                gradcheck(&operands, |_, v| {
                    v[0].batch_norm_fixed(v[1], v[2], moments(), 1e-3)
                })
                .unwrap_or_else(|error| panic!("{rows}×{channels}, fixed: {error}"));
            }
        }
        let operands = [sample(1, [2, 3, 4, 5]), sample(2, [5]), sample(3, [5])];
        gradcheck(&operands, |_, v| v[0].batch_norm(v[1], v[2], 1e-5)).unwrap();
    }

    /// A batch in blocks gives what the batch gives as a whole.
    #[test]
    fn blocks_meet_in_the_statistics() {
        let (rows, channels, epsilon) = (11, 3, 1e-3);
        let (x, mut dy) = (sample(1, [rows, channels]), sample(2, [rows, channels]));
        let (weight, bias) = (sample(3, [channels]), sample(4, [channels]));
        let weights = Weights {
            weight: weight.data(),
            bias: Some(bias.data()),
        };
        let blocks = [(0, 4), (4, 5), (5, 11)];
        let block = |(start, end): (usize, usize)| {
            (
                BatchNorm {
                    rows: end - start,
                    channels,
                    epsilon,
                },
                start * channels..end * channels,
            )
        };
        let (mut shared, mut sums) = (vec![0.0; 7], vec![0.0; 6]);
        for (norm, range) in blocks.map(block) {
            let mut part = vec![0.0; 7];
            norm.statistics(&x.data()[range], &mut part);
            merge(&mut shared, &part, channels);
        }
        let statistics = Statistics::of(&shared, channels);
        for (norm, range) in blocks.map(block) {
            let mut part = vec![0.0; 6];
            norm.gradient_sums(
                &x.data()[range.clone()],
                &dy.data()[range],
                statistics,
                &mut part,
            );
            sums.iter_mut()
                .zip(&part)
                .for_each(|(sum, part)| *sum += part);
        }
        let tape = crate::Tape::new();
        let [vx, vw, vb] = [&x, &weight, &bias].map(|value| tape.leaf(value.clone()));
        let whole = vx.batch_norm(vw, vb, epsilon);
        let gradients = whole.backward_from(dy.clone());
        let is_close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        for (norm, range) in blocks.map(block) {
            let (x, dy) = (&x.data()[range.clone()], &mut dy.data_mut()[range.clone()]);
            let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            norm.forward(x, weights, statistics, &mut y);
            assert!(is_close(&y, &whole.value().data()[range.clone()]));
            let flow = WeightedFlow {
                x,
                weight: weight.data(),
                y: &y,
                dy,
                dx: Some(&mut dx),
            };
            norm.backward(flow, statistics, &sums);
            assert!(is_close(&dx, &gradients.of(vx).data()[range]));
        }
        assert!(is_close(&sums[..3], gradients.of(vb).data()));
        assert!(is_close(&sums[3..], gradients.of(vw).data()));
    }
}
