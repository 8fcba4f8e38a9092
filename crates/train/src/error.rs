//! What can go wrong in a training: only what comes from outside or from the numbers themselves.

/// Why a training did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A data set without samples, or a source that yields something else than it should.
    #[error(transparent)]
    Data(#[from] plywood_data::DataError),
    /// A batch size, number of threads or number of epochs of zero.
    #[error("`{argument}` is 0; expected at least 1")]
    Zero {
        /// The argument.
        argument: &'static str,
    },
    /// The loss is infinite or not a number, and the job was asked to look.
    #[error(
        "the loss is {loss} in epoch {epoch}, step {step}; expected a finite number (a smaller learning rate or `clip_norm` often helps)"
    )]
    NotFinite {
        /// The loss.
        loss: f64,
        /// The epoch, from 1.
        epoch: usize,
        /// The step within it, from 1.
        step: usize,
    },
    /// The system refused the threads.
    #[error("{threads} threads could not be started")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the thread pool says.
        source: rayon::ThreadPoolBuildError,
    },
}
