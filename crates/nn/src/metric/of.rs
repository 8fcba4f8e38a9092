//! A metric of one of several outputs.

use super::{Metric, Observed};
use crate::loss::FromNumbers;
use plywood_kernels::Float;
use plywood_shape::{PartAt, Rows, Sample};
use std::any::Any;
use std::cell::RefCell;

/// What `M` makes of output `I` and target `I`, of several side by side; they are counted from 0.
///
/// ```
/// use plywood_nn::loss::MeanAbsoluteError;
/// use plywood_nn::metric::{Accuracy, Metric, Of, RunningLoss};
/// use plywood_shape::{Class, Logits, Real};
///
/// let size = RunningLoss::new("absolute error", MeanAbsoluteError);
/// let metric = (Of::<0, _>(Accuracy), Of::<1, _>(size));
/// let report = Metric::<(Logits<2>, Real<1>), (Class<2>, Real<1>)>::report(&metric, &[3.0, 4.0, 1.0, 2.0]);
/// assert_eq!(report[0], ("accuracy of output 0".to_string(), 0.75));
/// assert_eq!(report[1], ("absolute error of output 1".to_string(), 0.5));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Of<const I: usize, M>(pub M);

impl<const I: usize, M, O, G> Metric<O, G> for Of<I, M>
where
    O: PartAt<I>,
    G: PartAt<I>,
    G::Part: FromNumbers,
    M: Metric<O::Part, G::Part>,
{
    type Summary = M::Summary;

    fn counters(&self) -> usize {
        self.0.counters()
    }

    fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]) {
        if !O::SHAPE.sequence {
            return self.observe_rows::<O, G, T>(seen, counters);
        }
        // What a metric makes of a sequence may depend on all of its steps.
        with_kept(|kept: &mut Copies<T, Element<G::Part, T>>| {
            kept.output.clear();
            for row in seen.output.chunks_exact(O::ROW) {
                let own = &row[O::START..][..O::Part::ROW];
                kept.output.extend_from_slice(own);
            }
            kept.targets.clear();
            for row in G::numbers(seen.targets).chunks_exact(G::ROW) {
                let own = &row[G::START..][..G::Part::ROW];
                G::Part::with_row(own, |elements| kept.targets.extend_from_slice(elements));
            }
            let part = Observed {
                output: &kept.output,
                targets: &kept.targets,
                weights: seen.weights,
                rows: seen.rows,
                lengths: seen.lengths,
            };
            self.0.observe(&part, counters);
        });
    }

    fn report(&self, counters: &[f64]) -> Vec<(String, f64)> {
        let named = self.0.report(counters).into_iter();
        named
            .map(|(name, value)| (format!("{name} of output {I}"), value))
            .collect()
    }

    fn summary(&self, counters: &[f64]) -> M::Summary {
        self.0.summary(counters)
    }
}

impl<const I: usize, M> Of<I, M> {
    /// Observes samples that are no sequences one by one, where they lie.
    fn observe_rows<O, G, T>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64])
    where
        O: PartAt<I>,
        G: PartAt<I>,
        G::Part: FromNumbers,
        M: Metric<O::Part, G::Part>,
        T: Float,
    {
        let targets = G::numbers(seen.targets).chunks_exact(G::ROW);
        let rows = seen.output.chunks_exact(O::ROW).zip(targets);
        for ((output, target), weights) in rows.zip(seen.weights.chunks_exact(1)) {
            let output = &output[O::START..][..O::Part::ROW];
            let target = &target[G::START..][..G::Part::ROW];
            G::Part::with_row(target, |targets| {
                let row = Observed {
                    output,
                    targets,
                    weights,
                    rows: ONE,
                    lengths: &[],
                };
                self.0.observe(&row, counters);
            });
        }
    }
}

/// A sample by itself.
const ONE: Rows = Rows {
    samples: 1,
    steps: 1,
};

type Element<S, T> = <S as Sample>::Element<T>;

/// The numbers of one output and target, taken together from between those of the others.
struct Copies<T, E> {
    output: Vec<T>,
    targets: Vec<E>,
}

thread_local! {
    /// Copies of every type in use on this thread; kept, so that observing sequences allocates nothing once the thread has seen a
    /// block.
    static KEPT: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with the kept copies of its type; they are not among the kept ones meanwhile.
fn with_kept<T: Float, E: 'static>(f: impl FnOnce(&mut Copies<T, E>)) {
    let found = KEPT.with_borrow_mut(|all| {
        let place = all.iter().position(|copies| copies.is::<Copies<T, E>>())?;
        all.swap_remove(place).downcast().ok()
    });
    let mut copies: Box<Copies<T, E>> = found.unwrap_or_else(|| {
        Box::new(Copies {
            output: Vec::new(),
            targets: Vec::new(),
        })
    });
    f(&mut copies);
    KEPT.with_borrow_mut(|all| all.push(copies));
}

#[cfg(test)]
mod tests {
    use super::{Copies, with_kept};

    /// Where the copies of an output of so many numbers lie.
    fn place<E: 'static>(len: usize) -> *const f64 {
        let mut place = std::ptr::null();
        with_kept(|kept: &mut Copies<f64, E>| {
            kept.output.clear();
            kept.output.resize(len, 0.0);
            place = kept.output.as_ptr();
        });
        place
    }

    #[test]
    fn copies_of_every_type_keep_their_memory() {
        let (of_classes, of_reals) = (place::<u32>(100), place::<f64>(100));
        assert_ne!(of_classes, of_reals);
        for len in [100, 7, 50] {
            assert_eq!(place::<u32>(len), of_classes);
            assert_eq!(place::<f64>(len), of_reals);
        }
    }
}
