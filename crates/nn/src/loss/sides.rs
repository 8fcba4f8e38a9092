//! Losses of several outputs side by side: each of its own output and its own target, added up.
//!
//! ```text
//! for every row:  for every loss:  value += weight · share · loss(its numbers of the output, its numbers of the target)
//! ```
//!
//! The numbers of one output do not lie together over the rows of a block, so each loss is asked row by row and nothing
//! is copied.

use super::{Loss, check_rows};
use plywood_kernels::Float;
use plywood_shape::{
    Class, Image, Logits, Probabilities, Real, Sample, Sequence, SequenceItem, Side, Vector,
};

/// Losses of several outputs, each times a number that says how much it counts: `Σ wᵢ · lossᵢ`.
///
/// Tuples of losses are losses too; there, all count alike.
///
/// ```
/// use plywood_nn::loss::{CrossEntropy, Loss, MeanSquaredError, Weighted};
/// use plywood_shape::{Class, Logits, Real};
///
/// let loss = Weighted::new((CrossEntropy, MeanSquaredError), [1.0, 0.1]);
/// let (output, target) = ([0.0, 0.0, 3.0], [1.0, 1.0]);
/// let value = Loss::<(Logits<2>, Real<1>), (Class<2>, Real<1>)>::evaluate(&loss, &output, &target, &[1.0], None);
/// assert!((value - (2.0_f64.ln() + 0.1 * 4.0)).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted<L, const N: usize> {
    losses: L,
    weights: [f64; N],
}

impl<L, const N: usize> Weighted<L, N> {
    /// A tuple of losses, and a weight for each.
    ///
    /// # Panics
    /// If a weight is negative or not finite.
    pub const fn new(losses: L, weights: [f64; N]) -> Self {
        let mut i = 0;
        while i < N {
            assert!(
                weights[i] >= 0.0 && weights[i].is_finite(),
                "the weight of a loss is a finite number not below zero"
            );
            i += 1;
        }
        Self { losses, weights }
    }
}

/// A kind of target whose elements can be had of the numbers that it is among other kinds.
#[diagnostic::on_unimplemented(
    message = "targets of kind `{Self}` cannot be had of numbers",
    label = "not a kind of target that stands beside others",
    note = "beside others stand `Image`, `Vector`, `Logits`, `Probabilities`, `Real` and `Class`"
)]
pub trait FromNumbers: Sample {
    /// Hands `then` the elements of one row.
    ///
    /// Classes are told apart by whole numbers; what is none becomes `u32::MAX`, which is below no number of classes.
    ///
    /// # Shapes
    /// `numbers`, and what `then` is given, `[Self::ROW]`.
    fn with_row<T: Float, R>(numbers: &[T], then: impl FnOnce(&[Self::Element<T>]) -> R) -> R;
}

impl<const N: usize> FromNumbers for Class<N> {
    fn with_row<T: Float, R>(numbers: &[T], then: impl FnOnce(&[u32]) -> R) -> R {
        let number = numbers[0].to_f64();
        let index = number as u32;
        let is_whole = f64::from(index) == number;
        then(&[if is_whole { index } else { u32::MAX }])
    }
}

impl<S: FromNumbers + SequenceItem> FromNumbers for Sequence<S> {
    fn with_row<T: Float, R>(numbers: &[T], then: impl FnOnce(&[S::Element<T>]) -> R) -> R {
        S::with_row(numbers, then)
    }
}

macro_rules! numbers {
    ($([$($size:ident),+] $kind:ty),+) => {$(
        impl<$(const $size: usize),+> FromNumbers for $kind {
            fn with_row<T: Float, R>(numbers: &[T], then: impl FnOnce(&[T]) -> R) -> R {
                then(numbers)
            }
        }
    )+};
}

numbers!([H, W, C] Image<H, W, C>, [N] Vector<N>, [N] Logits<N>, [N] Probabilities<N>, [N] Real<N>);

/// Rows of several outputs and targets.
struct Block<'a, T> {
    output: &'a [T],
    targets: &'a [T],
    weights: &'a [T],
    gradient: Option<&'a mut [T]>,
}

/// What is left of a row: every loss takes its numbers off the front.
struct Row<'a, T> {
    output: &'a [T],
    targets: &'a [T],
    weight: T,
    gradient: Option<&'a mut [T]>,
}

impl<T: Float> Block<'_, T> {
    /// The sum of what `loss` yields for every row that counts; the gradient of the others is 0.
    fn sum<O: Sample, G: Sample>(self, loss: impl Fn(Row<'_, T>) -> f64) -> f64 {
        let rows = self.weights.len();
        check_rows(self.output, O::ROW, self.weights);
        assert!(
            self.targets.len() == rows * G::ROW,
            "loss: {} targets are not {rows} rows of {}",
            self.targets.len(),
            G::ROW
        );
        let mut gradient = self.gradient;
        let mut sum = 0.0;
        for (row, &weight) in self.weights.iter().enumerate() {
            let own = row * O::ROW..(row + 1) * O::ROW;
            let gradient = gradient.as_deref_mut().map(|all| &mut all[own.clone()]);
            if weight != T::ZERO {
                sum += loss(Row {
                    output: &self.output[own],
                    targets: &self.targets[row * G::ROW..][..G::ROW],
                    weight,
                    gradient,
                });
            } else if let Some(gradient) = gradient {
                gradient.fill(T::ZERO);
            }
        }
        sum
    }
}

impl<T: Float> Row<'_, T> {
    /// Takes an `O` and a `G` off the front: `share` times the loss of them.
    fn take<O: Sample, G: FromNumbers>(&mut self, loss: &impl Loss<O, G>, share: f64) -> f64 {
        let (output, targets, gradient);
        (output, self.output) = self.output.split_at(O::ROW);
        (targets, self.targets) = self.targets.split_at(G::ROW);
        (gradient, self.gradient) = self
            .gradient
            .take()
            .map(|gradient| gradient.split_at_mut(O::ROW))
            .unzip();
        let weight = [self.weight * T::from_f64(share)];
        G::with_row(targets, |targets| {
            loss.evaluate(output, targets, &weight, gradient)
        })
    }
}

macro_rules! sides {
    ($($n:literal: $($o:ident $g:ident $loss:ident $i:tt),+;)+) => {$(
        impl<$($o: Side, $g: Side + FromNumbers, $loss: Loss<$o, $g>),+>
            Loss<($($o,)+), ($($g,)+)> for ($($loss,)+)
        {
            fn evaluate<T: Float>(
                &self, output: &[T], targets: &[T], weights: &[T], gradient: Option<&mut [T]>,
            ) -> f64 {
                let block = Block { output, targets, weights, gradient };
                block.sum::<($($o,)+), ($($g,)+)>(|mut row| 0.0 $(+ row.take::<$o, $g>(&self.$i, 1.0))+)
            }
        }

        impl<$($o: Side, $g: Side + FromNumbers, $loss: Loss<$o, $g>),+>
            Loss<($($o,)+), ($($g,)+)> for Weighted<($($loss,)+), $n>
        {
            fn evaluate<T: Float>(
                &self, output: &[T], targets: &[T], weights: &[T], gradient: Option<&mut [T]>,
            ) -> f64 {
                let block = Block { output, targets, weights, gradient };
                block.sum::<($($o,)+), ($($g,)+)>(
                    |mut row| 0.0 $(+ row.take::<$o, $g>(&self.losses.$i, self.weights[$i]))+
                )
            }
        }
    )+};
}

sides! {
    2: A GA LA 0, B GB LB 1;
    3: A GA LA 0, B GB LB 1, C GC LC 2;
    4: A GA LA 0, B GB LB 1, C GC LC 2, D GD LD 3;
}
