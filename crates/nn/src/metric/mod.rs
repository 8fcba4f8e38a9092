//! Metrics: what is counted beside the loss, and the numbers that follow from the counts.
//!
//! A metric keeps a few counters that every block of rows adds to and that are added up over blocks and batches. So it
//! costs no memory that grows with the data, and its result does not depend on how the data were cut.

mod accuracy;
mod confusion;
mod of;
mod precision;
mod running_loss;
mod scored;
#[cfg(test)]
mod tests;

pub use accuracy::{Accuracy, Answers, BinaryAccuracy, LastStepAccuracy, TopK};
pub use confusion::{Confusion, ConfusionMatrix};
pub use of::Of;
pub use precision::{ClassScore, ClassScores, PrecisionRecallF1};
pub use running_loss::RunningLoss;
pub use scored::Scored;

use plywood_kernels::Float;
use plywood_shape::{Rows, Sample};

/// Watches a network's outputs `O` and the targets `G` they should have met.
///
/// `()` is the metric that watches nothing; tuples of metrics are metrics; [`Of`] is a metric of one of several outputs.
#[diagnostic::on_unimplemented(
    message = "the metric `{Self}` cannot watch a network's `{O}` and targets `{G}`",
    label = "this network and these targets do not go together under this metric",
    note = "`LastStepAccuracy` watches sequences of logits and classes: `Sequence<Logits<N>>` and `Sequence<Class<N>>`",
    note = "`Of::<0, _>(metric)` watches the first of several outputs, `Of::<1, _>(metric)` the second"
)]
pub trait Metric<O: Sample, G: Sample>: Send + Sync {
    /// What the counters amount to: a number, a table.
    type Summary;

    /// How many counters it keeps; they start at 0.
    fn counters(&self) -> usize;

    /// Adds a block of rows to `counters`. Rows with weight 0 do not count.
    fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]);

    /// The numbers that logs and progress lines show, each with its name.
    fn report(&self, counters: &[f64]) -> Vec<(String, f64)>;

    /// The result as a value.
    fn summary(&self, counters: &[f64]) -> Self::Summary;
}

/// A block of rows that a metric looks at.
///
/// Of a sequence, row `t·samples + n` is step `t` of sample `n`.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a, T, E> {
    /// What the network yielded, `[rows][O::ROW]`.
    pub output: &'a [T],
    /// What it should have yielded, `[rows][G::ROW]`.
    pub targets: &'a [E],
    /// One a row; 0 for a row that does not count, such as a padded step.
    pub weights: &'a [T],
    /// Samples, and steps of a sequence.
    pub rows: Rows,
    /// Valid steps of every sample; empty where all are valid.
    pub lengths: &'a [u32],
}

impl<T: Float, E> Observed<'_, T, E> {
    /// The row of the last valid step of sample `n`; `None` for a sample without steps.
    #[must_use]
    pub fn last_row(&self, n: usize) -> Option<usize> {
        let steps = self
            .lengths
            .get(n)
            .map_or(self.rows.steps, |&length| length as usize);
        Some(steps.checked_sub(1)? * self.rows.samples + n)
    }

    /// The rows that count.
    pub fn counting_rows(&self) -> impl Iterator<Item = usize> {
        let weights = self.weights;
        (0..weights.len()).filter(move |&row| weights[row] != T::ZERO)
    }
}

impl<O: Sample, G: Sample> Metric<O, G> for () {
    type Summary = ();

    fn counters(&self) -> usize {
        0
    }

    fn observe<T: Float>(&self, _: &Observed<'_, T, G::Element<T>>, _: &mut [f64]) {}

    fn report(&self, _: &[f64]) -> Vec<(String, f64)> {
        Vec::new()
    }

    fn summary(&self, _: &[f64]) {}
}

/// Calls `$body` for every metric of a tuple with its part of the counters, one part behind the other.
macro_rules! tuple {
    ($($metric:ident $index:tt),+) => {
        impl<O: Sample, G: Sample, $($metric: Metric<O, G>),+> Metric<O, G> for ($($metric,)+) {
            type Summary = ($($metric::Summary,)+);

            fn counters(&self) -> usize {
                0 $(+ self.$index.counters())+
            }

            fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]) {
                let rest = counters;
                $(let (own, rest) = rest.split_at_mut(self.$index.counters());
                self.$index.observe(seen, own);)+
                debug_assert!(rest.is_empty(), "one counter for each that was asked for");
            }

            fn report(&self, counters: &[f64]) -> Vec<(String, f64)> {
                let (mut all, rest) = (Vec::new(), counters);
                $(let (own, rest) = rest.split_at(self.$index.counters());
                all.extend(self.$index.report(own));)+
                debug_assert!(rest.is_empty(), "one counter for each that was asked for");
                all
            }

            fn summary(&self, counters: &[f64]) -> Self::Summary {
                let mut start = 0;
                ($({
                    let own = &counters[start..][..self.$index.counters()];
                    start += own.len();
                    debug_assert!(start <= counters.len());
                    self.$index.summary(own)
                },)+)
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
