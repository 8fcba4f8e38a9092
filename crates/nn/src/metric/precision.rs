//! Precision, recall and their harmonic mean, class by class (van Rijsbergen, *Information Retrieval*, 1979).

use super::scored::{Scored, largest, scores};
use super::{Metric, Observed};
use plywood_kernels::Float;
use plywood_shape::Sample;
use std::fmt::{self, Display, Formatter};

/// Precision, recall and F1 of every class, and their means over the classes. Its summary is [`ClassScores`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrecisionRecallF1;

/// Precision, recall and F1 of every class; displayed as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScores {
    /// One a class.
    pub classes: Vec<ClassScore>,
}

/// How well one class is told from the others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassScore {
    /// Of the rows taken for this class, the share that was right; 0 if none was taken for it.
    pub precision: f64,
    /// Of the rows of this class, the share that was found; 0 if there are none.
    pub recall: f64,
    /// The harmonic mean of both; 0 if both are.
    pub f1: f64,
    /// Rows of this class.
    pub rows: u64,
    /// Rows taken for this class.
    pub found: u64,
}

impl<O: Scored<G>, G: Sample> Metric<O, G> for PrecisionRecallF1 {
    type Summary = ClassScores;

    /// Three a class: rows found rightly, rows taken for it, rows of it.
    fn counters(&self) -> usize {
        3 * O::CLASSES
    }

    fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]) {
        for row in seen.counting_rows() {
            let found = largest(scores(seen.output, row, O::CLASSES));
            let class = O::class::<T>(seen.targets, row);
            counters[3 * class] += f64::from(found == class);
            counters[3 * found + 1] += 1.0;
            counters[3 * class + 2] += 1.0;
        }
    }

    fn report(&self, counters: &[f64]) -> Vec<(String, f64)> {
        let mean = ClassScores::of(counters).mean();
        vec![
            ("precision".into(), mean.precision),
            ("recall".into(), mean.recall),
            ("f1".into(), mean.f1),
        ]
    }

    fn summary(&self, counters: &[f64]) -> ClassScores {
        ClassScores::of(counters)
    }
}

impl ClassScores {
    fn of(counters: &[f64]) -> Self {
        Self {
            classes: counters.chunks_exact(3).map(ClassScore::of).collect(),
        }
    }

    /// The unweighted means over the classes that occur, be it as a right class or as a found one ("macro" averages).
    ///
    /// `rows` and `found` are totals. All is 0 if no class occurs.
    #[must_use]
    pub fn mean(&self) -> ClassScore {
        let occurring = self
            .classes
            .iter()
            .filter(|class| class.rows + class.found > 0);
        let (mut sum, mut classes) = (ClassScore::default(), 0.0_f64);
        for class in occurring {
            sum.precision += class.precision;
            sum.recall += class.recall;
            sum.f1 += class.f1;
            sum.rows += class.rows;
            sum.found += class.found;
            classes += 1.0;
        }
        let classes = classes.max(1.0);
        sum.precision /= classes;
        sum.recall /= classes;
        sum.f1 /= classes;
        sum
    }
}

impl ClassScore {
    fn of(counters: &[f64]) -> Self {
        let &[right, found, rows] = counters else {
            unreachable!("three counters a class");
        };
        // All counters are whole, so 0 stands over at least 1 where nothing was counted.
        Self {
            precision: right / found.max(1.0),
            recall: right / rows.max(1.0),
            f1: 2.0 * right / (found + rows).max(1.0),
            rows: rows as u64,
            found: found as u64,
        }
    }
}

impl Display for ClassScores {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "class  precision  recall      f1     rows")?;
        let mut line = |name: &dyn Display, score: ClassScore| {
            let ClassScore {
                precision,
                recall,
                f1,
                rows,
                ..
            } = score;
            write!(
                f,
                "\n{name:<5}  {precision:>9.4}  {recall:>6.4}  {f1:>6.4}  {rows:>7}"
            )
        };
        for (class, &score) in self.classes.iter().enumerate() {
            line(&class, score)?;
        }
        line(&"mean", self.mean())
    }
}
