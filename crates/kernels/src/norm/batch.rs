//! Batch normalisation: statistics of every channel over the rows of a batch (Ioffe and Szegedy, 2015).
//!
//! ```text
//! y[r][c] = (x[r][c] − mean[c]) / √(var[c] + epsilon) · weight[c] + bias[c]
//! ```
//!
//! A batch comes in blocks, whose statistics (count, mean, and M2, the sum of squared deviations) are merged by the
//! formula of Chan, Golub and LeVeque (1979); var is M2 / count. The gradients take two sums over all rows first:
//!
//! ```text
//! dbias = Σ dy            dweight = Σ dy · x̂            x̂ = (x − mean) / √(var + epsilon)
//! dx = weight / √(var + epsilon) · (dy − dbias / count − x̂ · dweight / count)
//! ```
//!
//! Rows are the places of all images, or the samples; sums run over them in ascending order, channel by channel.

use super::check_len;
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// Mean and M2 of every channel over the rows of x, `rows × channels`; both are overwritten. All 0 without rows.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn statistics<T: Float>(x: &[T], mean: &mut [T], m2: &mut [T]) {
    check_len("M2", m2.len(), mean.len());
    check_rows(x, mean.len());
    T::dispatch(Statistics { x, mean, m2 });
}

struct Statistics<'a, T> {
    x: &'a [T],
    mean: &'a mut [T],
    m2: &'a mut [T],
}

impl<T: Float> Kernel<T> for Statistics<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { x, mean, m2 } = self;
        let channels = mean.len();
        mean.fill(T::ZERO);
        m2.fill(T::ZERO);
        if x.is_empty() {
            return;
        }
        let count = simd.splat(T::from_usize(x.len() / channels));
        for row in x.chunks(channels) {
            for (mean, x) in mean.chunks_mut(S::LANES).zip(row.chunks(S::LANES)) {
                simd.store_partial(
                    simd.add(simd.load_partial(mean), simd.load_partial(x)),
                    mean,
                );
            }
        }
        for mean in mean.chunks_mut(S::LANES) {
            simd.store_partial(simd.div(simd.load_partial(mean), count), mean);
        }
        for row in x.chunks(channels) {
            let rest = mean.chunks(S::LANES).zip(row.chunks(S::LANES));
            for (m2, (mean, x)) in m2.chunks_mut(S::LANES).zip(rest) {
                let d = simd.sub(simd.load_partial(x), simd.load_partial(mean));
                simd.store_partial(simd.mul_add(d, d, simd.load_partial(m2)), m2);
            }
        }
    }
}

/// Count, mean and M2 of every channel over some rows.
#[derive(Debug)]
pub struct Moments<T, M> {
    /// Rows.
    pub count: T,
    /// `[channels]`
    pub mean: M,
    /// `[channels]`, the sum of squared deviations from the mean.
    pub m2: M,
}

/// Adds the statistics of further rows to those of earlier ones.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn merge<T: Float>(into: &mut Moments<T, &mut [T]>, further: &Moments<T, &[T]>) {
    for len in [into.m2.len(), further.mean.len(), further.m2.len()] {
        check_len("the statistics", len, into.mean.len());
    }
    let count = into.count + further.count;
    if further.count == T::ZERO {
        return;
    }
    let share = further.count / count;
    let weight = into.count * share;
    for c in 0..into.mean.len() {
        let delta = further.mean[c] - into.mean[c];
        into.mean[c] += delta * share;
        into.m2[c] += further.m2[c] + delta * delta * weight;
    }
    into.count = count;
}

/// What a channel is shifted and scaled by.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a, T> {
    /// `[channels]`
    pub mean: &'a [T],
    /// `[channels]`, M2: the variance times the count.
    pub m2: &'a [T],
    /// Rows that mean and M2 were taken over; 1 where M2 is a variance already.
    pub count: T,
    /// Added to the variance.
    pub epsilon: f64,
    /// `[channels]`
    pub weight: &'a [T],
}

impl<T: Float> Norm<'_, T> {
    fn check(&self) {
        check_len("M2", self.m2.len(), self.mean.len());
        check_len("the weight", self.weight.len(), self.mean.len());
    }

    /// 1 / √(var + epsilon) of the channels from `c` on, and their mean.
    #[inline(always)]
    fn load<S: Simd<Elem = T>>(&self, simd: S, c: usize) -> (S::Vector, S::Vector) {
        let epsilon = simd.splat(T::from_f64(self.epsilon));
        let var = simd.div(simd.load_partial(&self.m2[c..]), simd.splat(self.count));
        let deviation = simd.sqrt(simd.add(var, epsilon));
        (
            simd.div(simd.splat(T::ONE), deviation),
            simd.load_partial(&self.mean[c..]),
        )
    }
}

/// y from x, `rows × channels`; training and inference differ in where mean and variance come from.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn normalise<T: Float>(norm: Norm<'_, T>, bias: &[T], x: &[T], y: &mut [T]) {
    norm.check();
    check_len("the bias", bias.len(), norm.mean.len());
    check_len("y", y.len(), x.len());
    check_rows(x, bias.len());
    T::dispatch(Normalise { norm, bias, x, y });
}

struct Normalise<'a, T> {
    norm: Norm<'a, T>,
    bias: &'a [T],
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Float> Kernel<T> for Normalise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { norm, bias, x, y } = self;
        let channels = bias.len();
        for c in (0..channels).step_by(S::LANES) {
            let (rstd, mean) = norm.load(simd, c);
            let weight = simd.load_partial(&norm.weight[c..]);
            let bias = simd.load_partial(&bias[c..]);
            let end = channels.min(c + S::LANES);
            for (x, y) in x.chunks(channels).zip(y.chunks_mut(channels)) {
                let normal = simd.mul(simd.sub(simd.load_partial(&x[c..end]), mean), rstd);
                simd.store_partial(simd.mul_add(normal, weight, bias), &mut y[c..end]);
            }
        }
    }
}

/// Adds Σ dy and Σ dy · x̂ over the rows of x and dy, `rows × channels`, to `sums`.
///
/// The first is the gradient of the bias, the second that of the weight.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn gradient_sums<T: Float>(norm: Norm<'_, T>, x: &[T], dy: &[T], sums: [&mut [T]; 2]) {
    norm.check();
    check_len("dy", dy.len(), x.len());
    check_len("the gradient of the bias", sums[0].len(), norm.mean.len());
    check_len("the gradient of the weight", sums[1].len(), norm.mean.len());
    check_rows(x, norm.mean.len());
    T::dispatch(GradientSums { norm, x, dy, sums });
}

struct GradientSums<'a, T> {
    norm: Norm<'a, T>,
    x: &'a [T],
    dy: &'a [T],
    sums: [&'a mut [T]; 2],
}

impl<T: Float> Kernel<T> for GradientSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            norm,
            x,
            dy,
            sums: [dbias, dweight],
        } = self;
        let channels = dbias.len();
        for c in (0..channels).step_by(S::LANES) {
            let (rstd, mean) = norm.load(simd, c);
            let end = channels.min(c + S::LANES);
            let mut sums = [
                simd.load_partial(&dbias[c..end]),
                simd.load_partial(&dweight[c..end]),
            ];
            for (x, dy) in x.chunks(channels).zip(dy.chunks(channels)) {
                let normal = simd.mul(simd.sub(simd.load_partial(&x[c..end]), mean), rstd);
                let dy = simd.load_partial(&dy[c..end]);
                sums[0] = simd.add(sums[0], dy);
                sums[1] = simd.mul_add(dy, normal, sums[1]);
            }
            simd.store_partial(sums[0], &mut dbias[c..end]);
            simd.store_partial(sums[1], &mut dweight[c..end]);
        }
    }
}

/// The sums of [`gradient_sums`] over a whole batch, and its rows.
#[derive(Clone, Copy, Debug)]
pub struct BatchSums<'a, T> {
    /// Rows of the whole batch.
    pub count: T,
    /// `[channels]`, Σ dy.
    pub dy: &'a [T],
    /// `[channels]`, Σ dy · x̂.
    pub dy_normal: &'a [T],
}

/// dx from x and dy, `rows × channels`, when mean and variance are those of the batch.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn input_gradient<T: Float>(
    norm: Norm<'_, T>,
    sums: BatchSums<'_, T>,
    rows: [&[T]; 2],
    dx: &mut [T],
) {
    norm.check();
    check_len("Σ dy", sums.dy.len(), norm.mean.len());
    check_len("Σ dy · x̂", sums.dy_normal.len(), norm.mean.len());
    check_len("dy", rows[1].len(), rows[0].len());
    check_len("dx", dx.len(), rows[0].len());
    check_rows(dx, norm.mean.len());
    T::dispatch(InputGradient {
        norm,
        sums,
        rows,
        dx,
    });
}

struct InputGradient<'a, T> {
    norm: Norm<'a, T>,
    sums: BatchSums<'a, T>,
    rows: [&'a [T]; 2],
    dx: &'a mut [T],
}

impl<T: Float> Kernel<T> for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            norm,
            sums,
            rows: [x, dy],
            dx,
        } = self;
        let channels = norm.mean.len();
        let share = simd.splat(T::ONE / sums.count);
        for c in (0..channels).step_by(S::LANES) {
            let (rstd, mean) = norm.load(simd, c);
            let scale = simd.mul(simd.load_partial(&norm.weight[c..]), rstd);
            let mean_dy = simd.mul(simd.load_partial(&sums.dy[c..]), share);
            let mean_dy_normal = simd.mul(simd.load_partial(&sums.dy_normal[c..]), share);
            let end = channels.min(c + S::LANES);
            let rows = x.chunks(channels).zip(dy.chunks(channels));
            for ((x, dy), dx) in rows.zip(dx.chunks_mut(channels)) {
                let normal = simd.mul(simd.sub(simd.load_partial(&x[c..end]), mean), rstd);
                let centred = simd.sub(simd.load_partial(&dy[c..end]), mean_dy);
                let rest = simd.sub(centred, simd.mul(normal, mean_dy_normal));
                simd.store_partial(simd.mul(scale, rest), &mut dx[c..end]);
            }
        }
    }
}

/// dx from dy, `rows × channels`, when mean and variance are constants: inference's form.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn fixed_input_gradient<T: Float>(norm: Norm<'_, T>, dy: &[T], dx: &mut [T]) {
    norm.check();
    check_len("dx", dx.len(), dy.len());
    check_rows(dx, norm.mean.len());
    T::dispatch(FixedInputGradient { norm, dy, dx });
}

struct FixedInputGradient<'a, T> {
    norm: Norm<'a, T>,
    dy: &'a [T],
    dx: &'a mut [T],
}

impl<T: Float> Kernel<T> for FixedInputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { norm, dy, dx } = self;
        let channels = norm.mean.len();
        for c in (0..channels).step_by(S::LANES) {
            let (rstd, _) = norm.load(simd, c);
            let scale = simd.mul(simd.load_partial(&norm.weight[c..]), rstd);
            let end = channels.min(c + S::LANES);
            for (dy, dx) in dy.chunks(channels).zip(dx.chunks_mut(channels)) {
                simd.store_partial(
                    simd.mul(scale, simd.load_partial(&dy[c..end])),
                    &mut dx[c..end],
                );
            }
        }
    }
}

/// Panics unless a slice is whole rows of `channels`.
fn check_rows<T>(values: &[T], channels: usize) {
    let is_whole = if channels == 0 {
        values.is_empty()
    } else {
        values.len().is_multiple_of(channels)
    };
    assert!(
        is_whole,
        "norm: {} elements are no whole rows of {channels}",
        values.len()
    );
}
