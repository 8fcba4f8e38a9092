//! Binary cross-entropy of independent labels, from logits, with its gradient in the same pass.
//!
//! ```text
//! t' = (1 − s) t + s / 2                      label smoothing s
//! loss = −t' ln σ(x) − (1 − t') ln(1 − σ(x)) = max(x, 0) − x t' + ln(1 + e^−|x|)
//! dx = weight · scale · (σ(x) − t')
//! ```

use super::count_rows;
use crate::float::Float;
use crate::math;
use crate::simd::{Isa, Kernel, Simd};

/// Targets and weights of a binary cross-entropy.
#[derive(Clone, Copy, Debug)]
pub struct BinaryCrossEntropy<'a, T> {
    /// Labels in a row.
    pub columns: usize,
    /// Probability of each label, row-major.
    pub targets: &'a [T],
    /// A weight a row; without, all are 1. A row of weight 0 counts for nothing, whatever it holds.
    pub weights: Option<&'a [T]>,
    /// Share of the target moved towards ½, in [0, 1).
    pub label_smoothing: f64,
    /// A factor for the gradient alone: 1 / elements for the mean, for instance.
    pub gradient_scale: T,
}

/// losses\[row\] = weight · Σ loss over the row, and `gradient` = d(Σ losses)/dx · scale, of whole rows of logits.
///
/// # Panics
/// If the lengths do not fit.
pub fn binary_cross_entropy<T: Float>(
    arguments: BinaryCrossEntropy<'_, T>,
    logits: &[T],
    losses: &mut [T],
    gradient: &mut [T],
) {
    let rows = count_rows(logits.len(), arguments.columns);
    assert_eq!(
        losses.len(),
        rows,
        "binary_cross_entropy: losses for the rows"
    );
    assert_eq!(
        gradient.len(),
        logits.len(),
        "binary_cross_entropy: a gradient for the logits"
    );
    assert_eq!(
        arguments.targets.len(),
        logits.len(),
        "binary_cross_entropy: targets for the logits"
    );
    let fits = arguments
        .weights
        .is_none_or(|weights| weights.len() == rows);
    assert!(fits, "binary_cross_entropy: weights for the rows");
    T::binary_cross_entropy(
        Isa::active(),
        Rows {
            arguments,
            logits,
            losses,
            gradient,
        },
    );
}

pub(crate) struct Rows<'a, T> {
    arguments: BinaryCrossEntropy<'a, T>,
    logits: &'a [T],
    losses: &'a mut [T],
    gradient: &'a mut [T],
}

impl<T: Float> Kernel<T> for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            arguments,
            logits,
            losses,
            gradient,
        } = self;
        let n = arguments.columns;
        let inputs = logits
            .chunks_exact(n)
            .zip(arguments.targets.chunks_exact(n));
        for (row, ((x, targets), dx)) in inputs.zip(gradient.chunks_exact_mut(n)).enumerate() {
            let weight = arguments.weights.map_or(T::ONE, |weights| weights[row]);
            losses[row] = T::ZERO;
            if weight == T::ZERO {
                dx.fill(T::ZERO);
                continue;
            }
            let own = simd.splat(T::from_f64(1.0 - arguments.label_smoothing));
            let even = simd.splat(T::from_f64(arguments.label_smoothing / 2.0));
            let scale = simd.splat(weight * arguments.gradient_scale);
            let mut sum = simd.zero();
            let chunks = x.chunks(S::LANES).zip(targets.chunks(S::LANES));
            for ((x, targets), dx) in chunks.zip(dx.chunks_mut(S::LANES)) {
                let mask = simd.first_lanes(x.len());
                let (x, target) = (
                    simd.load_partial(x),
                    simd.mul_add(own, simd.load_partial(targets), even),
                );
                let difference = simd.sub(math::sigmoid(simd, x), target);
                simd.store_partial(simd.mul(difference, scale), dx);
                sum = simd.add(
                    sum,
                    simd.select(mask, losses_of(simd, x, target), simd.zero()),
                );
            }
            losses[row] = weight * simd.reduce_sum(sum);
        }
    }
}

#[inline(always)]
fn losses_of<S: Simd>(simd: S, x: S::Vector, target: S::Vector) -> S::Vector {
    let one = simd.splat(S::Elem::ONE);
    let e = math::exp(simd, simd.neg(simd.abs(x)));
    let softplus = simd.add(simd.max(simd.zero(), x), math::ln(simd, simd.add(one, e)));
    simd.sub(softplus, simd.mul(x, target))
}
