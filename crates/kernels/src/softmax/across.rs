//! Cross-entropy of few classes: several rows at once, one in each lane.
//!
//! ```text
//! t[class][row] = x[row][class]                     LANES rows, turned so that a class is a vector
//! top = max t;  e = exp(t − top);  normaliser = top + ln Σ e
//! loss = own (normaliser − x[class of the row]) + even (n · normaliser − Σ t)
//! dx[row][class] = e · scale / Σ e − scale · even, and − scale · own at the class of the row
//! ```
//!
//! A row of ten classes fills a vector and a quarter; side by side no lane is idle, nothing is summed across lanes, and the
//! logarithm is taken of all rows at once. Lanes without a row compute something that nobody reads, so a row's bits are the same
//! wherever it lies.

use super::cross_entropy::CrossEntropy;
use crate::float::Float;
use crate::math;
use crate::simd::{MAX_LANES, Simd};

/// The most classes for which rows go side by side: beyond, a row has enough vectors of its own.
pub(super) const MOST_CLASSES: usize = 32;

/// LANES rows, class after class.
type Turned<T> = [T; MOST_CLASSES * MAX_LANES];

/// Room for the logits and the exponentials of a group. It may hold those of an earlier one.
pub(super) struct Room<T> {
    x: Turned<T>,
    e: Turned<T>,
}

impl<T: Float> Room<T> {
    pub(super) fn new() -> Self {
        let turned = [T::ZERO; _];
        Self {
            x: turned,
            e: turned,
        }
    }
}

/// Some rows of a pass, at most LANES.
pub(super) struct Group<'a, T> {
    /// Logits.
    pub(super) x: &'a [T],
    /// Where the gradient goes.
    pub(super) dx: &'a mut [T],
    /// Where the losses go, one a row.
    pub(super) losses: &'a mut [T],
    /// The right class of each row.
    pub(super) classes: &'a [u32],
    /// A weight a row, if they differ.
    pub(super) weights: Option<&'a [T]>,
}

impl<T: Float> Group<'_, T> {
    fn weight(&self, row: usize) -> T {
        self.weights.map_or(T::ONE, |weights| weights[row])
    }

    /// The class of a row that counts.
    fn class(&self, row: usize, n: usize) -> Option<usize> {
        if self.weight(row) == T::ZERO {
            return None;
        }
        let class = self.classes[row] as usize;
        assert!(class < n, "cross_entropy: class {class} of {n}");
        Some(class)
    }
}

/// Losses and gradients of the rows of `group`.
#[inline(always)]
pub(super) fn rows<S: Simd>(
    simd: S,
    arguments: &CrossEntropy<'_, S::Elem>,
    group: Group<'_, S::Elem>,
    room: &mut Room<S::Elem>,
) {
    let n = arguments.classes;
    let zero = S::Elem::ZERO;
    let Room { x, e } = room;
    turn(&group, n, S::LANES, x);
    let (top, total) = top_and_total(simd, n, x);
    let sum = exponentials(simd, n, x, top, e);
    let normaliser = simd.add(top, math::ln(simd, sum));
    let own = S::Elem::from_f64(1.0 - arguments.label_smoothing);
    let even = S::Elem::from_f64(arguments.label_smoothing / n as f64);
    let (mut chosen, mut weights) = ([zero; MAX_LANES], [zero; MAX_LANES]);
    for row in 0..group.losses.len() {
        if let Some(class) = group.class(row, n) {
            chosen[row] = x[class * S::LANES + row];
            weights[row] = group.weight(row);
        }
    }
    let surprise = simd.sub(normaliser, simd.load(&chosen));
    let spread = simd.mul_add(
        simd.splat(S::Elem::from_usize(n)),
        normaliser,
        simd.neg(total),
    );
    let loss = simd.mul_add(
        simd.splat(even),
        spread,
        simd.mul(simd.splat(own), surprise),
    );
    let weight = simd.load(&weights);
    let mut losses = [zero; MAX_LANES];
    simd.store(simd.mul(weight, loss), &mut losses);
    let scale = simd.mul(weight, simd.splat(arguments.gradient_scale));
    let probability = simd.div(scale, sum);
    let share = simd.mul(scale, simd.splat(even));
    for e in e[..n * S::LANES].chunks_exact_mut(S::LANES) {
        simd.store(simd.sub(simd.mul(simd.load(e), probability), share), e);
    }
    for row in 0..group.losses.len() {
        let class = group.class(row, n);
        if let Some(class) = class {
            e[class * S::LANES + row] -= weights[row] * arguments.gradient_scale * own;
        }
        // A row that does not count may hold anything: 0 · ∞ is no 0.
        group.losses[row] = class.map_or(zero, |_| losses[row]);
        let dx = &mut group.dx[row * n..][..n];
        for (j, dx) in dx.iter_mut().enumerate() {
            *dx = class.map_or(zero, |_| e[j * S::LANES + row]);
        }
    }
}

/// Turns the rows of `group` so that a class is a vector.
#[inline(always)]
fn turn<T: Float>(group: &Group<'_, T>, n: usize, lanes: usize, into: &mut Turned<T>) {
    for (row, x) in group.x.chunks_exact(n).enumerate() {
        for (j, x) in x.iter().enumerate() {
            into[j * lanes + row] = *x;
        }
    }
}

/// The largest logit of every row, and the sum of all.
#[inline(always)]
fn top_and_total<S: Simd>(simd: S, n: usize, x: &Turned<S::Elem>) -> (S::Vector, S::Vector) {
    let mut top = simd.splat(S::Elem::NEG_INFINITY);
    let mut total = simd.zero();
    for x in x[..n * S::LANES].chunks_exact(S::LANES) {
        let x = simd.load(x);
        top = simd.max(top, x);
        total = simd.add(total, x);
    }
    (top, total)
}

/// e = e^(x − top) and the sum of every row.
#[inline(always)]
fn exponentials<S: Simd>(
    simd: S,
    n: usize,
    x: &Turned<S::Elem>,
    top: S::Vector,
    e: &mut Turned<S::Elem>,
) -> S::Vector {
    let mut sum = simd.zero();
    let x = x[..n * S::LANES].chunks_exact(S::LANES);
    for (x, e) in x.zip(e.chunks_exact_mut(S::LANES)) {
        let power = math::exp(simd, simd.sub(simd.load(x), top));
        simd.store(power, e);
        sum = simd.add(sum, power);
    }
    sum
}
