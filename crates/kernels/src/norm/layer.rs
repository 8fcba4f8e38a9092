//! Layer normalisation: every row is shifted and scaled by its own mean and variance (Ba, Kiros and Hinton, 2016).
//!
//! ```text
//! mean = Σ x / C        var = Σ (x − mean)² / C        rstd = 1 / √(var + epsilon)        x̂ = (x − mean) · rstd
//! y[c] = x̂[c] · weight[c] + bias[c]
//! dŷ = dy · weight      dx = rstd · (dŷ − Σ dŷ / C − x̂ · Σ (dŷ · x̂) / C)
//! dweight += dy · x̂     dbias += dy
//! ```
//!
//! A row's sums are kept in the lanes of one vector, ascending, which are added in halves at the end, so that they
//! depend on the row and the level alone. The parameters' gradients run over the rows in ascending order.

use super::check_len;
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// The forward pass.
#[derive(Debug)]
pub struct LayerForward<'a, T> {
    /// `rows × features`
    pub x: &'a [T],
    /// `[features]`
    pub weight: &'a [T],
    /// `[features]`
    pub bias: &'a [T],
    /// Added to the variance.
    pub epsilon: f64,
    /// Like x, overwritten.
    pub y: &'a mut [T],
    /// Mean and rstd of every row, `rows × 2`, overwritten; `None` where no backward pass follows.
    pub saved: Option<&'a mut [T]>,
}

/// Normalises every row.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn layer_forward<T: Float>(pass: LayerForward<'_, T>) {
    let features = pass.weight.len();
    check_len("the bias", pass.bias.len(), features);
    check_len("y", pass.y.len(), pass.x.len());
    check_len("x", pass.x.len() % features.max(1), 0);
    if let Some(saved) = &pass.saved {
        check_len(
            "what is saved",
            saved.len(),
            2 * pass.x.len() / features.max(1),
        );
    }
    if !pass.x.is_empty() {
        T::layer_forward(Isa::active(), pass);
    }
}

impl<T: Float> Kernel<T> for LayerForward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            x,
            weight,
            bias,
            epsilon,
            y,
            mut saved,
        } = self;
        let features = weight.len();
        for (row, (x, y)) in x.chunks(features).zip(y.chunks_mut(features)).enumerate() {
            let (mean, rstd) = moments(simd, x, epsilon);
            if let Some(saved) = &mut saved {
                (saved[2 * row], saved[2 * row + 1]) = (mean, rstd);
            }
            let (mean, rstd) = (simd.splat(mean), simd.splat(rstd));
            for c in (0..features).step_by(S::LANES) {
                let end = features.min(c + S::LANES);
                let normal = simd.mul(simd.sub(simd.load_partial(&x[c..end]), mean), rstd);
                let (weight, bias) = (
                    simd.load_partial(&weight[c..end]),
                    simd.load_partial(&bias[c..end]),
                );
                simd.store_partial(simd.mul_add(normal, weight, bias), &mut y[c..end]);
            }
        }
    }
}

/// Mean and rstd of a row.
#[inline(always)]
fn moments<S: Simd>(simd: S, x: &[S::Elem], epsilon: f64) -> (S::Elem, S::Elem) {
    let count = S::Elem::from_usize(x.len());
    let mut sum = simd.zero();
    for x in x.chunks(S::LANES) {
        sum = simd.add(sum, simd.load_partial(x));
    }
    let mean = simd.reduce_sum(sum) / count;
    let mut squares = simd.zero();
    for x in x.chunks(S::LANES) {
        // The mean is loaded like x, so that lanes past the end are 0 − 0.
        let means = [mean; crate::simd::MAX_LANES];
        let d = simd.sub(simd.load_partial(x), simd.load_partial(&means[..x.len()]));
        squares = simd.mul_add(d, d, squares);
    }
    let var = simd.reduce_sum(squares) / count;
    (
        mean,
        S::Elem::ONE / (var + S::Elem::from_f64(epsilon)).sqrt(),
    )
}

/// The backward pass.
#[derive(Debug)]
pub struct LayerBackward<'a, T> {
    /// `rows × features`
    pub x: &'a [T],
    /// `[features]`
    pub weight: &'a [T],
    /// What the forward pass saved: mean and rstd of every row.
    pub saved: &'a [T],
    /// Like x.
    pub dy: &'a [T],
    /// Like x, overwritten.
    pub dx: Option<&'a mut [T]>,
    /// `[features]`, added to.
    pub dweight: &'a mut [T],
    /// `[features]`, added to.
    pub dbias: &'a mut [T],
}

/// Computes the gradients.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn layer_backward<T: Float>(pass: LayerBackward<'_, T>) {
    let features = pass.weight.len();
    check_len("dweight", pass.dweight.len(), features);
    check_len("dbias", pass.dbias.len(), features);
    check_len("dy", pass.dy.len(), pass.x.len());
    check_len("x", pass.x.len() % features.max(1), 0);
    check_len(
        "what is saved",
        pass.saved.len(),
        2 * pass.x.len() / features.max(1),
    );
    if let Some(dx) = &pass.dx {
        check_len("dx", dx.len(), pass.x.len());
    }
    if !pass.x.is_empty() {
        T::layer_backward(Isa::active(), pass);
    }
}

impl<T: Float> Kernel<T> for LayerBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            x,
            weight,
            saved,
            dy,
            mut dx,
            dweight,
            dbias,
        } = self;
        let features = weight.len();
        let share = simd.splat(T::ONE / T::from_usize(features));
        for (row, (x, dy)) in x.chunks(features).zip(dy.chunks(features)).enumerate() {
            let (mean, rstd) = (simd.splat(saved[2 * row]), simd.splat(saved[2 * row + 1]));
            let (mut sum, mut sum_normal) = (simd.zero(), simd.zero());
            for c in (0..features).step_by(S::LANES) {
                let end = features.min(c + S::LANES);
                let normal = simd.mul(simd.sub(simd.load_partial(&x[c..end]), mean), rstd);
                // dy and the weight are 0 in lanes past the end, so these add nothing.
                let dy = simd.load_partial(&dy[c..end]);
                let scaled = simd.mul(dy, simd.load_partial(&weight[c..end]));
                sum = simd.add(sum, scaled);
                sum_normal = simd.mul_add(scaled, normal, sum_normal);
                let (dw, db) = (
                    simd.load_partial(&dweight[c..end]),
                    simd.load_partial(&dbias[c..end]),
                );
                simd.store_partial(simd.mul_add(dy, normal, dw), &mut dweight[c..end]);
                simd.store_partial(simd.add(dy, db), &mut dbias[c..end]);
            }
            let Some(dx) = dx.as_mut().map(|dx| &mut dx[row * features..][..features]) else {
                continue;
            };
            let mean_scaled = simd.mul(simd.splat(simd.reduce_sum(sum)), share);
            let mean_normal = simd.mul(simd.splat(simd.reduce_sum(sum_normal)), share);
            for c in (0..features).step_by(S::LANES) {
                let end = features.min(c + S::LANES);
                let normal = simd.mul(simd.sub(simd.load_partial(&x[c..end]), mean), rstd);
                let scaled = simd.mul(
                    simd.load_partial(&dy[c..end]),
                    simd.load_partial(&weight[c..end]),
                );
                let rest = simd.sub(simd.sub(scaled, mean_scaled), simd.mul(normal, mean_normal));
                simd.store_partial(simd.mul(rstd, rest), &mut dx[c..end]);
            }
        }
    }
}
