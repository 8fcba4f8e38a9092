//! Cross-entropy of classes, from logits, with its gradient in the same pass.
//!
//! ```text
//! t' = (1 − s) t + s / n                      label smoothing s over n classes
//! loss = −Σ t' ln softmax(x) = Σ t' (ln Σ eˣ − x)
//! dx = weight · scale · (softmax(x) Σ t' − t')
//! ```
//!
//! Starting from logits instead of probabilities, nothing overflows and no logarithm of 0 is taken.

use super::rows::{exponentials, ln_of, row_max};
use super::{across, count_rows};
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// What the rows should have been.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a, T> {
    /// One class a row.
    Sparse(&'a [u32]),
    /// One weight a class and row, row-major; usually a row sums to 1.
    Dense(&'a [T]),
}

/// Targets and weights of a cross-entropy.
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy<'a, T> {
    /// Classes, the length of a row.
    pub classes: usize,
    /// What the rows should have been.
    pub targets: Targets<'a, T>,
    /// A weight a row; without, all are 1. A row of weight 0 counts for nothing, and its target is not looked at.
    pub weights: Option<&'a [T]>,
    /// Share of the target spread evenly over all classes, in [0, 1).
    pub label_smoothing: f64,
    /// A factor for the gradient alone: 1 / rows for the mean, for instance.
    pub gradient_scale: T,
}

/// losses\[row\] = weight · loss, and `gradient` = d(Σ losses)/dx · scale, of whole rows of logits.
///
/// The gradient's slice is also where the exponentials are kept, so it is needed even for the losses alone.
///
/// # Panics
/// If the lengths do not fit, or a class of a row with weight is not below `classes`.
pub fn cross_entropy<T: Float>(
    arguments: CrossEntropy<'_, T>,
    logits: &[T],
    losses: &mut [T],
    gradient: &mut [T],
) {
    let rows = count_rows(logits.len(), arguments.classes);
    assert_eq!(losses.len(), rows, "cross_entropy: losses for the rows");
    assert_eq!(
        gradient.len(),
        logits.len(),
        "cross_entropy: a gradient for the logits"
    );
    assert!(
        arguments
            .weights
            .is_none_or(|weights| weights.len() == rows),
        "cross_entropy: weights for the rows"
    );
    match arguments.targets {
        Targets::Sparse(classes) => {
            assert_eq!(classes.len(), rows, "cross_entropy: classes for the rows")
        }
        Targets::Dense(values) => assert_eq!(
            values.len(),
            logits.len(),
            "cross_entropy: targets for the logits"
        ),
    }
    T::cross_entropy(
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
    arguments: CrossEntropy<'a, T>,
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
        match arguments.targets {
            Targets::Sparse(classes) if arguments.classes <= across::MOST_CLASSES => {
                rows_side_by_side(simd, &arguments, classes, logits, losses, gradient);
            }
            _ => rows_in_turn(simd, &arguments, logits, losses, gradient),
        }
    }
}

#[inline(always)]
fn rows_side_by_side<S: Simd>(
    simd: S,
    arguments: &CrossEntropy<'_, S::Elem>,
    classes: &[u32],
    logits: &[S::Elem],
    losses: &mut [S::Elem],
    gradient: &mut [S::Elem],
) {
    let group = S::LANES * arguments.classes;
    let mut room = across::Room::new();
    let numbers = logits.chunks(group).zip(gradient.chunks_mut(group));
    for (index, ((x, dx), losses)) in numbers.zip(losses.chunks_mut(S::LANES)).enumerate() {
        let rows = index * S::LANES..index * S::LANES + losses.len();
        let group = across::Group {
            x,
            dx,
            losses,
            classes: &classes[rows.clone()],
            weights: arguments.weights.map(|weights| &weights[rows]),
        };
        across::rows(simd, arguments, group, &mut room);
    }
}

#[inline(always)]
fn rows_in_turn<S: Simd>(
    simd: S,
    arguments: &CrossEntropy<'_, S::Elem>,
    logits: &[S::Elem],
    losses: &mut [S::Elem],
    gradient: &mut [S::Elem],
) {
    let (n, zero) = (arguments.classes, S::Elem::ZERO);
    let numbers = logits.chunks_exact(n).zip(gradient.chunks_exact_mut(n));
    for (row, ((x, dx), row_loss)) in numbers.zip(losses).enumerate() {
        let weight = arguments
            .weights
            .map_or(S::Elem::ONE, |weights| weights[row]);
        if weight == zero {
            *row_loss = zero;
            dx.fill(zero);
            continue;
        }
        let loss = match arguments.targets {
            Targets::Sparse(classes) => {
                sparse_row(simd, arguments, classes[row] as usize, weight, x, dx)
            }
            Targets::Dense(targets) => {
                dense_row(simd, arguments, &targets[row * n..][..n], weight, x, dx)
            }
        };
        *row_loss = weight * loss;
    }
}

/// A row with one class: only that class departs from the even share of the smoothing.
#[inline(always)]
fn sparse_row<S: Simd>(
    simd: S,
    arguments: &CrossEntropy<'_, S::Elem>,
    class: usize,
    weight: S::Elem,
    x: &[S::Elem],
    dx: &mut [S::Elem],
) -> S::Elem {
    let n = arguments.classes;
    assert!(class < n, "cross_entropy: class {class} of {n}");
    let top = row_max(simd, x);
    let sum = exponentials(simd, x, top, dx);
    let normaliser = top + ln_of(simd, sum);
    let even = S::Elem::from_f64(arguments.label_smoothing / n as f64);
    let own = S::Elem::from_f64(1.0 - arguments.label_smoothing);
    let scale = weight * arguments.gradient_scale;
    let probability = simd.splat(scale / sum);
    let share = simd.splat(scale * even);
    for dx in dx.chunks_mut(S::LANES) {
        simd.store_partial(
            simd.sub(simd.mul(simd.load_partial(dx), probability), share),
            dx,
        );
    }
    dx[class] -= scale * own;
    let mut loss = own * (normaliser - x[class]);
    if arguments.label_smoothing > 0.0 {
        let mut total = simd.zero();
        for x in x.chunks(S::LANES) {
            total = simd.add(total, simd.load_partial(x));
        }
        loss += even * (S::Elem::from_usize(n) * normaliser - simd.reduce_sum(total));
    }
    loss
}

/// A row with a weight for each class.
#[inline(always)]
fn dense_row<S: Simd>(
    simd: S,
    arguments: &CrossEntropy<'_, S::Elem>,
    targets: &[S::Elem],
    weight: S::Elem,
    x: &[S::Elem],
    dx: &mut [S::Elem],
) -> S::Elem {
    let top = row_max(simd, x);
    let sum = exponentials(simd, x, top, dx);
    let normaliser = simd.splat(top + ln_of(simd, sum));
    let own = simd.splat(S::Elem::from_f64(1.0 - arguments.label_smoothing));
    let even = S::Elem::from_f64(arguments.label_smoothing / arguments.classes as f64);
    let (mut loss, mut mass) = (simd.zero(), simd.zero());
    for (x, targets) in x.chunks(S::LANES).zip(targets.chunks(S::LANES)) {
        let target = smoothed(simd, targets, own, even);
        let surprise = simd.sub(normaliser, simd.load_partial(x));
        loss = simd.mul_add(target, surprise, loss);
        mass = simd.add(mass, target);
    }
    let scale = weight * arguments.gradient_scale;
    let probability = simd.splat(simd.reduce_sum(mass) * scale / sum);
    let scale = simd.splat(scale);
    for (dx, targets) in dx.chunks_mut(S::LANES).zip(targets.chunks(S::LANES)) {
        let target = simd.mul(scale, smoothed(simd, targets, own, even));
        simd.store_partial(
            simd.sub(simd.mul(simd.load_partial(dx), probability), target),
            dx,
        );
    }
    simd.reduce_sum(loss)
}

/// own · t + even in the lanes there are targets for, 0 in the others.
#[inline(always)]
fn smoothed<S: Simd>(simd: S, targets: &[S::Elem], own: S::Vector, even: S::Elem) -> S::Vector {
    let mask = simd.first_lanes(targets.len());
    let even = simd.select(mask, simd.splat(even), simd.zero());
    simd.mul_add(own, simd.load_partial(targets), even)
}
