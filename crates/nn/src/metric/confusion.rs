//! Which class was taken for which.

use super::scored::{Scored, largest, scores};
use super::{Metric, Observed};
use plywood_kernels::Float;
use plywood_shape::Sample;
use std::fmt::{self, Display, Formatter};

/// Counts, for every class, which classes its rows were taken for. Its summary is a [`Confusion`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfusionMatrix;

/// The counts of a [`ConfusionMatrix`]; displayed as a table, a line for every right class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
    names: Vec<String>,
}

impl<O: Scored<G>, G: Sample> Metric<O, G> for ConfusionMatrix {
    type Summary = Confusion;

    fn counters(&self) -> usize {
        O::CLASSES * O::CLASSES
    }

    fn observe<T: Float>(&self, seen: &Observed<'_, T, G::Element<T>>, counters: &mut [f64]) {
        for row in seen.counting_rows() {
            let found = largest(scores(seen.output, row, O::CLASSES));
            counters[O::class::<T>(seen.targets, row) * O::CLASSES + found] += 1.0;
        }
    }

    /// Nothing: a table does not fit a line.
    fn report(&self, _: &[f64]) -> Vec<(String, f64)> {
        Vec::new()
    }

    fn summary(&self, counters: &[f64]) -> Confusion {
        Confusion {
            classes: O::CLASSES,
            counts: counters.iter().map(|&count| count as u64).collect(),
            names: (0..O::CLASSES).map(|class| class.to_string()).collect(),
        }
    }
}

impl Confusion {
    /// The same counts with names for the classes instead of their numbers.
    ///
    /// # Panics
    /// If there is not one name a class.
    #[must_use]
    pub fn with_names<N: ToString>(mut self, names: &[N]) -> Self {
        assert_eq!(names.len(), self.classes, "a name for each class");
        self.names = names.iter().map(ToString::to_string).collect();
        self
    }

    /// How many classes there are.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many rows of class `right` were taken for `found`.
    #[must_use]
    pub fn count(&self, right: usize, found: usize) -> u64 {
        self.row(right)[found]
    }

    /// What the rows of class `right` were taken for, class by class.
    #[must_use]
    pub fn row(&self, right: usize) -> &[u64] {
        &self.counts[right * self.classes..][..self.classes]
    }

    /// The share of rows whose class was found; NaN if there are none.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes)
            .map(|class| self.count(class, class))
            .sum();
        right as f64 / self.counts.iter().sum::<u64>() as f64
    }
}

impl Display for Confusion {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const CORNER: &str = "right \\ found";
        let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let name_len = longest(&mut self.names.iter().map(|name| name.chars().count()));
        let digits = longest(&mut self.counts.iter().map(|count| count.to_string().len()));
        let (first, width) = (name_len.max(CORNER.len()), name_len.max(digits));
        write!(f, "{CORNER:<first$}")?;
        for name in &self.names {
            write!(f, "  {name:>width$}")?;
        }
        for (right, name) in self.names.iter().enumerate() {
            write!(f, "\n{name:<first$}")?;
            for count in self.row(right) {
                write!(f, "  {count:>width$}")?;
            }
        }
        Ok(())
    }
}
