//! A training, ready to run: the network, the data, and everything that can be said about the way.

use crate::error::FitError;
use crate::evaluate::{Batches, evaluation};
use crate::fit::Fit;
use crate::history::{Epoch, Figures, History};
use crate::progress::Progress;
use plywood_data::{Loader, Source};
use plywood_kernels::Float;
use plywood_nn::engine::{Objective, Session, Trainer};
use plywood_nn::loss::Loss;
use plywood_nn::metric::Metric;
use plywood_nn::optimizer::Optimizer;
use plywood_nn::schedule::{self, Schedule};
use plywood_nn::{Network, Seed};
use plywood_shape::{Precision, Sample};
use plywood_tensor::Examples;
use std::time::Instant;

/// Data of kind `Self` feed a network that takes `Want`: they are the same kind and size.
#[diagnostic::on_unimplemented(
    message = "the data set yields `{Self}`, the network takes `{Want}`",
    label = "this data set does not fit the network",
    note = "a network is fed samples of exactly the kind and size it declares"
)]
pub trait FeedsInto<Want: Sample>: Sample + Sized {
    /// The same examples, seen as what the network takes.
    fn feed<G: Sample, T: Float>(examples: &Examples<Self, G, T>) -> &Examples<Want, G, T>;
}

impl<S: Sample> FeedsInto<S> for S {
    fn feed<G: Sample, T: Float>(examples: &Examples<S, G, T>) -> &Examples<S, G, T> {
        examples
    }
}

/// Targets of kind `Self` are those that the data to train on have.
#[diagnostic::on_unimplemented(
    message = "the data set to validate on has targets `{Self}`, the one to train on `{Want}`",
    label = "these two data sets do not go together",
    note = "one loss and one metric compare the network's outputs with both: the targets are of one kind and size"
)]
pub trait ValidatesFor<Want: Sample>: Sample + Sized {
    /// The same examples, seen as of the targets that the network learns.
    fn validate<I: Sample, T: Float>(examples: &Examples<I, Self, T>) -> &Examples<I, Want, T>;
}

impl<S: Sample> ValidatesFor<S> for S {
    fn validate<I: Sample, T: Float>(examples: &Examples<I, S, T>) -> &Examples<I, S, T> {
        examples
    }
}

/// A training, ready to run.
///
/// Unless told otherwise it makes one epoch with batches of 32 on all threads, shuffles from seed 0, watches no metric
/// and validates on nothing.
pub struct Job<'a, O, L, N, D, M = (), V = D> {
    fit: Fit<O, L>,
    network: &'a mut N,
    data: &'a D,
    validation: Option<&'a V>,
    metric: M,
    schedule: Box<dyn Schedule + 'a>,
    settings: Settings,
}

/// What is said in plain values.
#[derive(Clone, Copy, Debug)]
struct Settings {
    epochs: usize,
    batch_size: usize,
    seed: Seed,
    threads: Option<usize>,
    precision: Precision,
    quiet: bool,
    check_finite: bool,
}

impl<'a, O, L, N, D> Job<'a, O, L, N, D> {
    pub(crate) fn new(fit: Fit<O, L>, network: &'a mut N, data: &'a D) -> Self {
        Self {
            fit,
            network,
            data,
            validation: None,
            metric: (),
            schedule: Box::new(schedule::Constant),
            settings: Settings {
                epochs: 1,
                batch_size: 32,
                seed: Seed(0),
                threads: None,
                precision: Precision::Full,
                quiet: false,
                check_finite: false,
            },
        }
    }
}

impl<'a, O, L, N, D, M, V> Job<'a, O, L, N, D, M, V> {
    /// How often the whole data set is gone through.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.settings.epochs = epochs;
        self
    }

    /// Samples a step; the last batch of an epoch holds what is left.
    #[must_use]
    pub fn batch_size(mut self, samples: usize) -> Self {
        self.settings.batch_size = samples;
        self
    }

    /// Where shuffling and dropout start.
    #[must_use]
    pub fn seed(mut self, seed: Seed) -> Self {
        self.settings.seed = seed;
        self
    }

    /// How many threads compute; results do not depend on it.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.settings.threads = Some(threads);
        self
    }

    /// What products and convolutions are computed in, while training and while validating.
    ///
    /// [`Precision::Bf16`] rounds their operands to bfloat16, which processors with AVX512-BF16 multiply twice as fast; sums,
    /// parameters, moments and everything else stay in `f32`. A network in `f64` keeps its own precision.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.settings.precision = precision;
        self
    }

    /// The course of the learning rate.
    #[must_use]
    pub fn schedule(mut self, schedule: impl Schedule + 'a) -> Self {
        self.schedule = Box::new(schedule);
        self
    }

    /// Shows nothing while it runs.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.settings.quiet = true;
        self
    }

    /// Ends with an error at the first loss that is infinite or not a number.
    #[must_use]
    pub fn check_finite(mut self) -> Self {
        self.settings.check_finite = true;
        self
    }

    /// What is counted beside the loss; several metrics go into a tuple.
    #[must_use]
    pub fn metric<M2>(self, metric: M2) -> Job<'a, O, L, N, D, M2, V> {
        Job {
            metric,
            fit: self.fit,
            network: self.network,
            data: self.data,
            validation: self.validation,
            schedule: self.schedule,
            settings: self.settings,
        }
    }

    /// Data that the network does not learn from, evaluated after every epoch.
    #[must_use]
    pub fn validate<V2>(self, validation: &'a V2) -> Job<'a, O, L, N, D, M, V2> {
        Job {
            validation: Some(validation),
            fit: self.fit,
            network: self.network,
            data: self.data,
            metric: self.metric,
            schedule: self.schedule,
            settings: self.settings,
        }
    }

    /// Trains.
    ///
    /// # Errors
    /// If a data set is empty, an argument zero, the threads refused, or a loss not finite where that is looked at.
    pub fn run(self) -> Result<History, FitError>
    where
        N: Network,
        D: Source + Sync,
        D::Input: FeedsInto<N::Input>,
        V: Source + Sync,
        V::Target: ValidatesFor<D::Target>,
        V::Input: FeedsInto<N::Input>,
        L: Loss<N::Output, D::Target>,
        M: Metric<N::Output, D::Target>,
        O: Optimizer,
    {
        self.check()?;
        // Without a number of threads, or none of its own, rayon takes one a core.
        let threads = self.settings.threads.unwrap_or(0);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|source| FitError::Threads { threads, source })?;
        pool.install(|| self.train())
    }

    fn check(&self) -> Result<(), FitError>
    where
        D: Source,
        V: Source,
    {
        let Settings {
            epochs,
            batch_size,
            threads,
            ..
        } = self.settings;
        for (argument, value) in [
            ("epochs", epochs),
            ("batch_size", batch_size),
            ("threads", threads.unwrap_or(1)),
        ] {
            if value == 0 {
                return Err(FitError::Zero { argument });
            }
        }
        Loader::new(self.data).check()?;
        self.validation
            .map_or(Ok(()), |data| Ok(Loader::new(data).check()?))
    }

    /// Runs inside the pool, so that no step has to hand work over to it.
    fn train(mut self) -> Result<History, FitError>
    where
        N: Network,
        D: Source + Sync,
        D::Input: FeedsInto<N::Input>,
        V: Source + Sync,
        V::Target: ValidatesFor<D::Target>,
        V::Input: FeedsInto<N::Input>,
        L: Loss<N::Output, D::Target>,
        M: Metric<N::Output, D::Target>,
        O: Optimizer,
    {
        let Settings {
            seed, precision, ..
        } = self.settings;
        let mut trainer = Trainer::with_precision(&*self.network, seed, precision);
        let mut batches = Batches::new();
        let mut history = History::default();
        for number in 1..=self.settings.epochs {
            let epoch = self.epoch(number, &mut trainer, &mut batches)?;
            let heard = epoch.validation.as_ref().unwrap_or(&epoch.training).loss;
            self.schedule.hear(heard);
            history.epochs.push(epoch);
        }
        Ok(history)
    }

    fn epoch(
        &mut self,
        number: usize,
        trainer: &mut Trainer<N, D::Target>,
        batches: &mut Batches<D::Input, D::Target, N::Scalar>,
    ) -> Result<Epoch, FitError>
    where
        N: Network,
        D: Source + Sync,
        D::Input: FeedsInto<N::Input>,
        V: Source + Sync,
        V::Target: ValidatesFor<D::Target>,
        V::Input: FeedsInto<N::Input>,
        L: Loss<N::Output, D::Target>,
        M: Metric<N::Output, D::Target>,
        O: Optimizer,
    {
        let started = Instant::now();
        let settings = self.settings;
        let loader = Loader::new(self.data)
            .batch_size(settings.batch_size)
            .shuffle(settings.seed.0);
        let steps = loader.batches();
        let progress = Progress::start(settings.quiet, number, settings.epochs, steps);
        let mut counters = vec![0.0; self.metric.counters()];
        let objective = Objective {
            loss: &self.fit.loss,
            metric: &self.metric,
        };
        let (mut sum, mut samples, mut rate) = (0.0, 0.0, 0.0);
        let mut done = 0;
        let schedule = &*self.schedule;
        let network = &mut *self.network;
        batches.each(&loader, number as u32 - 1, |examples| {
            let at = schedule::Progress {
                step: trainer.steps(),
                steps_per_epoch: steps as u64,
                epochs: settings.epochs as u64,
            };
            rate = self.fit.optimizer.rate() * schedule.factor(at);
            let examples = D::Input::feed(examples);
            let optimizer = (&self.fit.optimizer, rate);
            let loss = trainer.step(network, examples, objective, optimizer, &mut counters);
            let count = examples.inputs.samples() as f64;
            sum += loss * count;
            samples += count;
            done += 1;
            progress.step(done, sum / samples);
            if settings.check_finite && !loss.is_finite() {
                return Err(FitError::NotFinite {
                    loss,
                    epoch: number,
                    step: done,
                });
            }
            Ok(())
        })?;
        let duration = started.elapsed();
        let epoch = Epoch {
            number,
            training: Figures {
                loss: sum / samples,
                metrics: self.metric.report(&counters),
            },
            validation: self.validation()?,
            rate,
            duration,
        };
        progress.finish(&epoch);
        Ok(epoch)
    }

    fn validation(&self) -> Result<Option<Figures>, FitError>
    where
        N: Network,
        D: Source,
        V: Source + Sync,
        V::Target: ValidatesFor<D::Target>,
        V::Input: FeedsInto<N::Input>,
        L: Loss<N::Output, D::Target>,
        M: Metric<N::Output, D::Target>,
    {
        let Some(data) = self.validation else {
            return Ok(None);
        };
        let session = Session::with_precision(&*self.network, self.settings.precision);
        let (loss, metric) = (&self.fit.loss, &self.metric);
        let evaluation = evaluation::<N, V, D::Target, L, M>(session, data, loss, metric)?;
        Ok(Some(Figures {
            loss: evaluation.loss(),
            metrics: self.metric.report(&evaluation.counters),
        }))
    }
}

impl<O, L, N, D, M, V> std::fmt::Debug for Job<'_, O, L, N, D, M, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
