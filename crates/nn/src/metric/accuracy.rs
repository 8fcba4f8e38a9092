//! The share of rows whose right class was found.

use super::scored::{Scored, scores, share};
use super::{Metric, Observed};
use plywood_kernels::Float;
use plywood_shape::{Logits, Probabilities, Sample, Sequence, SequenceItem};

/// The share of rows (samples, or valid steps of sequences) whose highest score is that of the right class.
///
/// Of equal scores the first counts. NaN if no row counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy;

/// The share of rows whose right class is among the `K` highest scores.
///
/// Of equal scores the first ranks higher. NaN if no row counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopK<const K: usize>;

/// The share of sequences that are classified rightly at their last valid step.
///
/// Sequences whose last step has weight 0 do not count. NaN if no sequence counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastStepAccuracy;

/// The share of yes-or-no answers, `N` a row, on the side of ½ on which their targets are.
///
/// A probability of exactly ½ (a logit of 0) says no. NaN if no row counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BinaryAccuracy;

/// Counters of a share: how many were right, and of how many.
const SHARE: usize = 2;

/// Adds one row to the counters of a share.
fn count(counters: &mut [f64], right: bool) {
    counters[0] += f64::from(right);
    counters[1] += 1.0;
}

/// The report and the summary of a share.
macro_rules! share_of {
    ($name:expr) => {
        type Summary = f64;

        fn counters(&self) -> usize {
            SHARE
        }

        fn report(&self, counters: &[f64]) -> Vec<(String, f64)> {
            vec![($name, share(counters[0], counters[1]))]
        }

        fn summary(&self, counters: &[f64]) -> f64 {
            share(counters[0], counters[1])
        }
    };
}

impl<O: Scored<G>, G: Sample> Metric<O, G> for Accuracy {
    share_of!("accuracy".into());

    fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]) {
        for row in seen.counting_rows() {
            let class = O::class::<T>(seen.targets, row);
            count(
                counters,
                is_largest(scores(seen.output, row, O::CLASSES), class),
            );
        }
    }
}

impl<const K: usize, O: Scored<G>, G: Sample> Metric<O, G> for TopK<K> {
    share_of!(format!("top-{K} accuracy"));

    fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]) {
        for row in seen.counting_rows() {
            let class = O::class::<T>(seen.targets, row);
            let rank = rank(scores(seen.output, row, O::CLASSES), class);
            count(counters, rank < K);
        }
    }
}

impl<O: Scored<G> + SequenceItem, G: SequenceItem> Metric<Sequence<O>, Sequence<G>>
    for LastStepAccuracy
{
    share_of!("last-step accuracy".into());

    fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]) {
        for row in (0..seen.rows.samples).filter_map(|n| seen.last_row(n)) {
            if seen.weights[row] != T::ZERO {
                let class = O::class::<T>(seen.targets, row);
                count(
                    counters,
                    is_largest(scores(seen.output, row, O::CLASSES), class),
                );
            }
        }
    }
}

/// Outputs that answer `N` yes-or-no questions, and where their ½ lies.
#[diagnostic::on_unimplemented(
    message = "the outputs `{Self}` do not answer the yes-or-no questions of `{G}`",
    label = "this metric counts right answers, which these outputs and targets do not have in common",
    note = "`Logits<N>` and `Probabilities<N>` answer the questions of `Probabilities<N>`: the N must be the same"
)]
pub trait Answers<G: Sample>: Sample {
    /// The score above which the answer is yes.
    const THRESHOLD: f64;

    /// The targets as numbers.
    fn truth<T: Float>(targets: &[G::Element<T>]) -> &[T];
}

macro_rules! answers {
    ($($output:ident: $threshold:literal),*) => {$(
        impl<const N: usize> Answers<Probabilities<N>> for $output<N> {
            const THRESHOLD: f64 = $threshold;

            fn truth<T: Float>(targets: &[T]) -> &[T] {
                targets
            }
        }
    )*};
}

answers!(Logits: 0.0, Probabilities: 0.5);

impl<O: Answers<G> + SequenceItem, G: SequenceItem> Answers<Sequence<G>> for Sequence<O> {
    const THRESHOLD: f64 = O::THRESHOLD;

    fn truth<T: Float>(targets: &[G::Element<T>]) -> &[T] {
        O::truth::<T>(targets)
    }
}

impl<O: Answers<G>, G: Sample> Metric<O, G> for BinaryAccuracy {
    share_of!("binary accuracy".into());

    fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]) {
        let truth = O::truth::<T>(seen.targets);
        for row in seen.counting_rows() {
            for i in row * O::ROW..(row + 1) * O::ROW {
                let says_yes = seen.output[i].to_f64() > O::THRESHOLD;
                count(counters, says_yes == (truth[i].to_f64() > 0.5));
            }
        }
    }
}

/// Whether `class` has the highest score; of equal ones the first has it, and a NaN is never high.
///
/// It looks at all scores without a branch that depends on them.
fn is_largest<T: Float>(scores: &[T], class: usize) -> bool {
    let own = scores[class];
    let mut beaten = own.is_nan();
    for (i, &score) in scores.iter().enumerate() {
        beaten |= (score > own) | ((score == own) & (i < class));
    }
    !beaten
}

/// How many classes rank before `class`: those with a higher score, and those before it with the same.
fn rank<T: Float>(scores: &[T], class: usize) -> usize {
    let own = scores[class];
    let before = |&(i, &score): &(usize, &T)| score > own || (score == own && i < class);
    scores.iter().enumerate().filter(before).count()
}
