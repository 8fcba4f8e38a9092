//! Fitting, history and progress of Plywood networks.
//!
//! [`Fit`] says what to optimise and how; [`Fit::on`] brings network and data together, checked by type; [`Job::run`]
//! trains and returns the [`History`].
#![forbid(unsafe_code)]

mod error;
mod evaluate;
mod failure;
mod fit;
mod history;
mod job;
mod progress;

pub use error::FitError;
pub use evaluate::{Report, evaluate};
pub use failure::{Error, Result};
pub use fit::Fit;
pub use history::{Epoch, Figures, History};
pub use job::{FeedsInto, Job, ValidatesFor};
