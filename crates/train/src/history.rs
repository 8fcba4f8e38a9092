//! What a training yields beside the trained network: its figures, epoch by epoch.

use std::fmt;
use std::time::Duration;

/// The figures of every epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// One an epoch, in order.
    pub epochs: Vec<Epoch>,
}

/// The figures of one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// The epoch, from 1.
    pub number: usize,
    /// Over the training data, as it was while the epoch went on.
    pub training: Figures,
    /// Over the validation data at the end of the epoch.
    pub validation: Option<Figures>,
    /// The learning rate of the last step.
    pub rate: f64,
    /// How long the training part took.
    pub duration: Duration,
}

/// A loss and the metrics beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The mean loss over the rows.
    pub loss: f64,
    /// Name and value of every metric.
    pub metrics: Vec<(String, f64)>,
}

impl History {
    /// The figures of the last epoch.
    #[must_use]
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }
}

impl Figures {
    /// A metric by name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        let found = self.metrics.iter().find(|(known, _)| known == name);
        found.map(|&(_, value)| value)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss {:.4}", self.loss)?;
        for (name, value) in &self.metrics {
            write!(f, "  {name} {value:.4}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.duration.as_secs_f64();
        write!(
            f,
            "epoch {}  {seconds:.1} s  {}",
            self.number, self.training
        )?;
        if let Some(validation) = &self.validation {
            write!(f, "  | validation {validation}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Epoch, Figures};
    use std::time::Duration;

    #[test]
    fn an_epoch_is_one_line() {
        let figures = |loss| Figures {
            loss,
            metrics: vec![("accuracy".to_owned(), 0.5)],
        };
        let epoch = Epoch {
            number: 2,
            training: figures(1.0),
            validation: Some(figures(2.0)),
            rate: 0.001,
            duration: Duration::from_millis(1500),
        };
        assert_eq!(
            epoch.to_string(),
            "epoch 2  1.5 s  loss 1.0000  accuracy 0.5000  | validation loss 2.0000  accuracy 0.5000"
        );
        assert_eq!(epoch.training.metric("accuracy"), Some(0.5));
    }
}
