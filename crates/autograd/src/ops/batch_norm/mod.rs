//! Batch normalisation: every channel has zero mean and unit variance over the batch before it is scaled and shifted;
//! with an activation behind it, and a max-pool whose windows lie side by side.
//!
//! ```text
//! z = (x − mean) / √(var + ε) · weight + bias        mean and var over all rows of the batch
//! y = the largest activation(z) of a window
//! ```
//!
//! A batch that comes in blocks takes two meetings of the blocks: [`BatchNorm::statistics`] of each, [`merge`]d, before
//! the forward pass, and [`BatchNorm::gradient_sums`] of each, added up, before the backward pass. Inference takes the
//! running mean and variance instead ([`BatchNorm::infer`]).

mod tape;
#[cfg(test)]
mod tests;

use super::Weights;
use plywood_kernels::Float;
use plywood_kernels::norm::{self, BatchSums, Epilogue, Moments, Norm};

pub use tape::BatchNormPool;

/// Batch normalisation of some rows of a batch: places of images, or samples.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm {
    /// Added to the variance.
    pub epsilon: f64,
    /// The sizes, and what follows in the same pass.
    pub epilogue: Epilogue,
}

/// What the way back through some rows reads.
#[derive(Clone, Copy, Debug)]
pub struct Passed<'a, T> {
    /// The input, \[rows\]\[channels\].
    pub x: &'a [T],
    /// The gradient of the output, a row a window.
    pub dy: &'a [T],
    /// Weight and bias, \[channels\].
    pub weights: Weights<'a, T>,
    /// Those of the whole batch.
    pub statistics: Statistics<'a, T>,
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

    fn norm(self, weights: Weights<'a, T>, epsilon: f64) -> Norm<'a, T> {
        Norm {
            mean: self.means,
            m2: self.deviations,
            count: self.count.max(T::ONE),
            epsilon,
            weight: weights.weight,
            bias: weights.bias.expect("batch normalisation has a bias"),
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
    /// Rows of x.
    #[must_use]
    pub const fn rows(&self) -> usize {
        let [height, width, _] = self.epilogue.pool.input;
        self.epilogue.pool.samples * height * width
    }

    /// Numbers in a row.
    #[must_use]
    pub const fn channels(&self) -> usize {
        self.epilogue.pool.input[2]
    }

    /// The statistics of these rows, written to `2 · channels + 1` values.
    ///
    /// # Shapes
    /// `x` \[rows\]\[channels\].
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn statistics<T: Float>(&self, x: &[T], values: &mut [T]) {
        let (count, moments) = values.split_at_mut(1);
        let (mean, m2) = moments[..2 * self.channels()].split_at_mut(self.channels());
        norm::statistics(&x[..self.rows() * self.channels()], mean, m2);
        count[0] = T::from_usize(self.rows());
    }

    /// y from x with the statistics of the batch.
    ///
    /// # Shapes
    /// `x` \[rows\]\[channels\], `y` \[windows\]\[channels\], weight and bias \[channels\].
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
        norm::normalise(statistics.norm(weights, self.epsilon), &self.epilogue, x, y);
    }

    /// y from x with a fixed mean and variance, as inference does it.
    ///
    /// # Shapes
    /// As [`forward`](BatchNorm::forward), mean and variance \[channels\].
    ///
    /// # Panics
    /// If there is no bias, or if a slice has another length.
    pub fn infer<T: Float>(
        &self,
        x: &[T],
        weights: Weights<'_, T>,
        moments: (&[T], &[T]),
        y: &mut [T],
    ) {
        norm::normalise(self.fixed(weights, moments), &self.epilogue, x, y);
    }

    /// Mean and variance as statistics of a single row.
    fn fixed<'a, T: Float>(
        &self,
        weights: Weights<'a, T>,
        (mean, variance): (&'a [T], &'a [T]),
    ) -> Norm<'a, T> {
        Norm {
            mean,
            m2: variance,
            count: T::ONE,
            epsilon: self.epsilon,
            weight: weights.weight,
            bias: weights.bias.expect("batch normalisation has a bias"),
        }
    }

    /// Σ dz and Σ dz · x̂ over these rows, written one behind the other: over the whole batch they are the gradients of
    /// bias and weight.
    ///
    /// # Shapes
    /// `sums` \[2\]\[channels\].
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn gradient_sums<T: Float>(&self, passed: Passed<'_, T>, sums: &mut [T]) {
        let (dbias, dweight) = sums.split_at_mut(self.channels());
        let norm = passed.statistics.norm(passed.weights, self.epsilon);
        let rows = [passed.x, passed.dy];
        norm::gradient_sums(norm, &self.epilogue, rows, [dbias, dweight]);
    }

    /// dx, from dy and the sums of [`gradient_sums`](BatchNorm::gradient_sums) over the whole batch.
    ///
    /// # Shapes
    /// As [`gradient_sums`](BatchNorm::gradient_sums); `dx` like `x`.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn backward<T: Float>(&self, passed: Passed<'_, T>, sums: &[T], dx: &mut [T]) {
        let (dz, dz_normal) = sums.split_at(self.channels());
        let norm = passed.statistics.norm(passed.weights, self.epsilon);
        let sums = BatchSums {
            count: norm.count,
            dz,
            dz_normal,
        };
        norm::input_gradient((norm, sums), &self.epilogue, [passed.x, passed.dy], dx);
    }
}
