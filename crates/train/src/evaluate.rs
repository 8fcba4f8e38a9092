//! Going through data in batches, for training and for evaluation.

use crate::error::FitError;
use crate::history::Figures;
use crate::job::{FeedsInto, ValidatesFor};
use plywood_data::{Loader, Source};
use plywood_kernels::Float;
use plywood_nn::Network;
use plywood_nn::engine::{Evaluation, Session};
use plywood_nn::loss::Loss;
use plywood_nn::metric::Metric;
use plywood_shape::Sample;
use plywood_tensor::Examples;

/// Samples of a batch that nothing is learnt from.
const EVALUATION_BATCH: usize = 250;

/// How a network does on data: its figures, and what the metric amounts to.
#[derive(Clone, Debug)]
pub struct Report<S> {
    /// Loss and metrics.
    pub figures: Figures,
    /// The metric's summary: a number, a confusion matrix.
    pub summary: S,
}

/// How `network` does on `data` under `loss`, as counted by `metric`.
///
/// # Errors
/// If the data have no samples, or yield something else than they should.
pub fn evaluate<N, D, L, M>(
    network: &N,
    data: &D,
    loss: &L,
    metric: &M,
) -> Result<Report<M::Summary>, FitError>
where
    N: Network,
    D: Source + Sync,
    D::Input: FeedsInto<N::Input>,
    L: Loss<N::Output, D::Target>,
    M: Metric<N::Output, D::Target>,
{
    let session = Session::new(network);
    let evaluation = evaluation::<N, D, D::Target, L, M>(session, data, loss, metric)?;
    Ok(Report {
        figures: Figures {
            loss: evaluation.loss(),
            metrics: metric.report(&evaluation.counters),
        },
        summary: metric.summary(&evaluation.counters),
    })
}

/// What `session` yields on `data`, whose targets are seen as `G`, added up.
pub(crate) fn evaluation<N, D, G, L, M>(
    mut session: Session<'_, N>,
    data: &D,
    loss: &L,
    metric: &M,
) -> Result<Evaluation, FitError>
where
    N: Network,
    D: Source + Sync,
    D::Input: FeedsInto<N::Input>,
    D::Target: ValidatesFor<G>,
    G: Sample,
    L: Loss<N::Output, G>,
    M: Metric<N::Output, G>,
{
    let mut evaluation = Evaluation::new(metric.counters());
    let loader = Loader::new(data).batch_size(EVALUATION_BATCH);
    loader.check()?;
    Batches::new().each(&loader, 0, |examples| {
        let examples = D::Target::validate(D::Input::feed(examples));
        session.tally(examples, loss, metric, &mut evaluation);
        Ok(())
    })?;
    Ok(evaluation)
}

/// Two batches that take turns: one is worked on while the other is filled.
#[derive(Debug)]
pub(crate) struct Batches<I: Sample, G: Sample, T: Float> {
    current: Examples<I, G, T>,
    next: Examples<I, G, T>,
    order: Vec<u32>,
}

impl<I: Sample, G: Sample, T: Float> Batches<I, G, T> {
    pub(crate) fn new() -> Self {
        Self {
            current: Examples::default(),
            next: Examples::default(),
            order: Vec::new(),
        }
    }

    /// Calls `work` for every batch of an epoch, until an error.
    pub(crate) fn each<S>(
        &mut self,
        loader: &Loader<S>,
        epoch: u32,
        mut work: impl FnMut(&Examples<I, G, T>) -> Result<(), FitError> + Send,
    ) -> Result<(), FitError>
    where
        S: Source<Input = I, Target = G> + Sync,
    {
        loader.order_into(epoch, &mut self.order);
        let order = &self.order;
        loader.fill(epoch, 0, order, &mut self.current)?;
        for batch in 1..=loader.batches() {
            let (current, next) = (&self.current, &mut self.next);
            let is_last = batch == loader.batches();
            let (done, filled) = rayon::join(
                || work(current),
                || {
                    if is_last {
                        Ok(())
                    } else {
                        loader.fill(epoch, batch, order, next)
                    }
                },
            );
            done?;
            filled?;
            std::mem::swap(&mut self.current, &mut self.next);
        }
        Ok(())
    }
}
