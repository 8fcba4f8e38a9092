//! The two networks of the README over generated data, for the tests that hold the engine's promises.
#![allow(dead_code, missing_docs, unreachable_pub)]

use plywood::data::synthetic;
use plywood::nn::engine::Objective;
use plywood::nn::loss::Loss;
use plywood::prelude::*;
use plywood::shape::Sample;

plywood::model! {
    /// 28×28 grey images in, ten classes out.
    pub FashionCnn: Image<28, 28, 1> => Logits<10> {
        conv1: Conv2d(32, kernel: 3), Relu,
        MaxPool2d(2),
        conv2: Conv2d(64, kernel: 3), Relu,
        MaxPool2d(2),
        conv3: Conv2d(64, kernel: 3), Relu,
        Flatten,
        Dense(64), Relu,
        Dense(10),
    }
}

plywood::model! {
    pub LanguageTagger: Sequence<Token<10_000>> => Sequence<Logits<10>> {
        Embedding(64),
        Gru(64, dropout: 0.1, returns: sequence),
        Dense(64), Relu,
        Dense(10),
    }
}

plywood::model! {
    /// Batch normalisation couples the samples of a batch: three segments.
    pub NormedCnn: Image<28, 28, 1> => Logits<10> {
        Conv2d(8, kernel: 3, stride: 2), BatchNorm, Relu,
        Conv2d(16, kernel: 3, stride: 2), BatchNorm, Relu,
        Dropout(0.2), Noise(0.1),
        GlobalAvgPool2d,
        Dense(10),
    }
}

plywood::model! {
    /// A small residual network: blocks, some with coupled layers in them.
    pub ResidualCnn: Image<28, 28, 1> => Logits<10> {
        Conv2d(8, stride: 2), BatchNorm, Relu,
        Repeat(2) { Residual { Conv2d(8, padding: same), BatchNorm, Relu, Conv2d(8, padding: same) } },
        Concat { { Conv2d(8, stride: 2), Relu }, { MaxPool2d(3, stride: 2) } },
        Add { { Flatten, Dense(10) }, { GlobalAvgPool2d, Dense(10) } },
    }
}

plywood::model! {
    /// A part of two segments.
    pub Eye: Image<14, 14, 8> => Vector<16> {
        Conv2d(16, padding: same), BatchNorm, Relu, MaxPool2d(2),
        GlobalAvgPool2d, Dropout(0.1),
    }
}

plywood::model! {
    /// Parts in the list: trained, frozen, behind an activation of one's own.
    pub PartedCnn: Image<28, 28, 1> => Logits<10> {
        Conv2d(8, stride: 2, padding: same), Activation(Cubic),
        Concat { { eye: Eye }, { frozen Eye }, { frozen Conv2d(4), Flatten, Dense(600), Activation(Cubic), Dense(8) } },
        Dense(10),
    }
}

/// `y = x³ / (1 + x²)`
#[derive(Clone, Copy, Debug)]
pub struct Cubic;

impl plywood::Function for Cubic {
    fn value<T: plywood::Float>(self, x: T) -> T {
        x * x * x / (T::ONE + x * x)
    }

    fn slope<T: plywood::Float>(self, x: T) -> T {
        let square = x * x;
        square * (square + T::from_f64(3.0)) / ((T::ONE + square) * (T::ONE + square))
    }
}

/// The first `samples` of a data set as one batch.
pub fn batch<D: Source>(data: &D, samples: usize) -> Examples<D::Input, D::Target> {
    let indices: Vec<u32> = (0..samples as u32).collect();
    let mut examples = Examples::default();
    data.fill(&indices, &mut examples);
    examples
}

pub fn images(samples: usize) -> Dataset<Image<28, 28, 1>, Class<10>> {
    synthetic::images(samples, 7)
}

pub fn texts(samples: usize) -> Dataset<Sequence<Token<10_000>>, Sequence<Class<10>>> {
    synthetic::texts(samples, 20, 7)
}

/// Runs `work` on `threads` threads.
pub fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("threads start").install(work)
}

/// Losses of some steps, then parameters and state, then outputs, all to the bit.
pub fn trained<N, G>(
    threads: usize,
    precision: Precision,
    examples: &Examples<N::Input, G>,
) -> (Vec<u64>, Vec<u32>, Vec<u32>)
where
    N: Network<Scalar = f32>,
    G: Sample,
    CrossEntropy: Loss<N::Output, G>,
{
    on_threads(threads, || {
        let mut network = N::seeded(Seed(5));
        let mut trainer = Trainer::<N, G>::with_precision(&network, Seed(6), precision);
        let objective = Objective {
            loss: &CrossEntropy,
            metric: &(),
        };
        let losses = (0..4).map(|_| {
            let adam = (&Adam::default(), 1e-2);
            let loss = trainer.step(&mut network, examples, objective, adam, &mut []);
            assert!(loss.is_finite(), "{}", N::NAME);
            loss.to_bits()
        });
        let losses = losses.collect();
        let mut session = Session::with_precision(&network, precision);
        // Once more, so that what pays in the long run is done.
        drop(session.outputs(&examples.inputs));
        let outputs = bits(session.outputs(&examples.inputs).data());
        let numbers = [network.parameters(), network.state()].concat();
        (losses, bits(&numbers), outputs)
    })
}

pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
