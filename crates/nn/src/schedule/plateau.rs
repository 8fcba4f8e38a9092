//! A schedule that listens: the rate comes down when the loss stops falling.

use super::{Progress, Schedule};

/// The rate is multiplied by `factor` after more than `patience` epochs in a row without a new best loss.
///
/// A loss is a new best if it is below `(1 − threshold)` times the best one so far. After a change, `cooldown` epochs pass
/// before bad ones are counted again; the factor never falls below `floor`. PyTorch's `ReduceLROnPlateau` (mode `min`,
/// relative threshold). A loss that is NaN is no new best.
#[derive(Clone, Debug, PartialEq)]
pub struct OnPlateau {
    /// What the rate is multiplied by.
    pub factor: f64,
    /// How many bad epochs in a row are borne.
    pub patience: u64,
    /// By how much, relative to the best loss, a loss must fall to count as better.
    pub threshold: f64,
    /// Epochs after a change in which bad ones do not count.
    pub cooldown: u64,
    /// The smallest share of the rate.
    pub floor: f64,
    state: State,
}

#[derive(Clone, Debug, PartialEq)]
struct State {
    current: f64,
    best: f64,
    bad_epochs: u64,
    cooling: u64,
}

impl OnPlateau {
    /// Multiplies the rate by `factor` after more than `patience` bad epochs; threshold 10⁻⁴, no cooldown, no floor.
    #[must_use]
    pub const fn new(factor: f64, patience: u64) -> Self {
        let state = State {
            current: 1.0,
            best: f64::INFINITY,
            bad_epochs: 0,
            cooling: 0,
        };
        Self {
            factor,
            patience,
            threshold: 1e-4,
            cooldown: 0,
            floor: 0.0,
            state,
        }
    }

    /// By how much, relative to the best loss, a loss must fall to count as better.
    #[must_use]
    pub const fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Epochs after a change in which bad ones do not count.
    #[must_use]
    pub const fn cooldown(mut self, epochs: u64) -> Self {
        self.cooldown = epochs;
        self
    }

    /// The smallest share of the rate.
    #[must_use]
    pub const fn floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }
}

/// PyTorch's defaults: a tenth of the rate after more than 10 bad epochs.
impl Default for OnPlateau {
    fn default() -> Self {
        Self::new(0.1, 10)
    }
}

impl Schedule for OnPlateau {
    fn factor(&self, _: Progress) -> f64 {
        self.state.current
    }

    fn hear(&mut self, loss: f64) {
        let state = &mut self.state;
        if loss < state.best * (1.0 - self.threshold) {
            state.best = loss;
            state.bad_epochs = 0;
        } else {
            state.bad_epochs += 1;
        }
        if state.cooling > 0 {
            state.cooling -= 1;
            state.bad_epochs = 0;
        }
        if state.bad_epochs > self.patience {
            state.current = (state.current * self.factor).max(self.floor);
            state.cooling = self.cooldown;
            state.bad_epochs = 0;
        }
    }
}
