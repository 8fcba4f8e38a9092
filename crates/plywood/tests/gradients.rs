//! Whole compiled networks: the gradient of a training step against finite differences, in f64.
//!
//! ```text
//! a step of Sgd at rate 1 takes the parameters p to p − ∂L/∂p
//! ∂L/∂pᵢ ≈ (L(p + ε·eᵢ) − L(p − ε·eᵢ)) / 2ε
//! ```
//!
//! Batches are of several blocks but for one test, the last block not full, so lanes, segments and scattered tables take part.

use plywood::kernels::random::{Random, Sequence as Draws};
use plywood::nn::engine::Objective;
use plywood::nn::loss::Loss;
use plywood::prelude::*;
use plywood::shape::Sample;

/// How far a parameter is moved to either side.
const EPSILON: f64 = 1e-5;
/// At most this many parameters of a network are moved, evenly spread.
const MOST_MOVED: usize = 150;

plywood::model! {
    Cnn: Image<9, 9, 2> => Logits<3> {
        Conv2d(4), Tanh,
        MaxPool2d(2),
        Conv2d(3, kernel: 2), Tanh,
        Flatten,
        Dense(5), Sigmoid,
        Dense(3),
    }
}

plywood::model! {
    /// Several segments, of which the first has no step, and a pool that leaves out a row and a column.
    Normed: Image<7, 7, 2> => Logits<3> {
        BatchNorm,
        Conv2d(4), BatchNorm, Tanh, MaxPool2d(2),
        Flatten,
        BatchNorm,
        Dense(3),
    }
}

plywood::model! {
    NormAlone: Image<4, 4, 2> => Image<4, 4, 2> { BatchNorm }
}

plywood::model! {
    /// Begins and ends with a reshape.
    Rows: Image<6, 5, 2> => Real<4> {
        Flatten,
        Dense(12), LayerNorm, Gelu,
        Dense(4), Silu,
        Flatten,
    }
}

plywood::model! {
    Convolutions: Image<5, 5, 2> => Vector<4> {
        DepthwiseConv2d(2, padding: same), Tanh,
        ConvTranspose2d(4, kernel: 2, stride: 2), LeakyRelu,
        AvgPool2d(2),
        GlobalAvgPool2d,
    }
}

plywood::model! {
    Words: Sequence<Token<20>> => Sequence<Logits<3>> {
        Embedding(5),
        Gru(4, returns: sequence),
        Bidirectional { Lstm(3, returns: sequence) },
        Dense(4), Tanh,
        Dense(3),
    }
}

plywood::model! {
    LastState: Sequence<Vector<3>> => Real<2> {
        SimpleRnn(5, returns: sequence),
        Bidirectional(merge: sum) { Gru(4, reset_after: false) },
        Dense(2),
    }
}

plywood::model! {
    /// Blocks at both ends of the list and within each other, with coupled layers in them.
    Blocks: Image<6, 6, 2> => Real<3> {
        Concat { { Conv2d(3, padding: same), BatchNorm, Tanh }, {}, { Conv2d(2, kernel: 1) } },
        Repeat(2) {
            Residual {
                Conv2d(7, padding: same), BatchNorm, Tanh,
                Residual { Conv2d(7, kernel: 1), Tanh },
            },
        },
        MaxPool2d(2),
        Residual(project: true) { Conv2d(4, stride: 2, padding: same), Tanh },
        Add { { Flatten, Dense(3) }, { GlobalAvgPool2d, Dense(3) }, { Flatten, Dense(3), Tanh } },
    }
}

plywood::model! {
    /// Two copies of the input, and lists along every axis.
    Axes: Image<4, 3, 2> => Real<2> {
        Add { {}, { Conv2d(2, kernel: 1) }, {} },
        Concat(axis: height) { {}, { AvgPool2d((2, 1)), Conv2d(2, kernel: 1) } },
        Concat(axis: width) { { Conv2d(2, kernel: (1, 2)) }, { Tanh } },
        Concat(axis: features) { { Sigmoid }, { Conv2d(1, kernel: 1) } },
        Flatten,
        Dense(2),
    }
}

plywood::model! {
    WordsInBlocks: Sequence<Token<20>> => Sequence<Logits<3>> {
        Embedding(4),
        Residual { Gru(4, returns: sequence) },
        Concat { { Lstm(3, returns: sequence) }, { Dense(2), Tanh }, {} },
        Dense(3),
    }
}

plywood::model! {
    LastOfBoth: Sequence<Vector<3>> => Real<2> { Add { { Gru(4) }, { Lstm(4) } }, Dense(2) }
}

plywood::model! {
    Halved: Image<6, 6, 3> => Image<3, 3, 4> { Conv2d(4, padding: same), BatchNorm, Tanh, MaxPool2d(2) }
}

plywood::model! {
    /// Networks with segments of their own, trained and frozen, within blocks and behind each other.
    Parts: Image<6, 6, 2> => Real<3> {
        BatchNorm, Conv2d(3, padding: same), Tanh,
        Concat {
            { Halved, Tanh },
            { frozen Conv2d(3, kernel: 1), frozen Halved },
            { frozen BatchNorm, Sigmoid, MaxPool2d(2) },
        },
        BatchNorm,
        Flatten,
        frozen Dense(8), Tanh,
        Dense(3),
    }
}

plywood::model! {
    /// What is applied step by step: a network of images, a block.
    Film: Sequence<Image<6, 6, 3>> => Real<2> {
        TimeDistributed { Halved, Flatten, Residual { Dense(36), Tanh } },
        Gru(4),
        Dense(2),
    }
}

plywood::model! {
    /// A list both ways, in it a block and a layer of both ways by itself.
    BothWays: Sequence<Vector<3>> => Real<2> {
        Bidirectional {
            Gru(4, returns: sequence), Dense(5), Tanh,
            Residual { Bidirectional(merge: sum) { SimpleRnn(5, returns: sequence) } },
            Lstm(3),
        },
        Dense(2),
    }
}

fn draws(seed: u64) -> Draws {
    Random {
        seed,
        stream: 8,
        step: 0,
    }
    .sequence()
}

/// Normal numbers for every element.
fn normal<S: Sample<Element<f64> = f64>>(seed: u64, mut batch: Batch<S, f64>) -> Batch<S, f64> {
    let mut draws = draws(seed);
    batch.data_mut().fill_with(|| draws.normal());
    batch
}

/// Tokens or classes below `count` for every element.
fn below<S: Sample<Element<f64> = u32>>(count: u64, mut batch: Batch<S, f64>) -> Batch<S, f64> {
    let mut draws = draws(70);
    batch.data_mut().fill_with(|| draws.below(count) as u32);
    batch
}

/// The loss at the network's parameters, and the network after one step of Sgd at rate 1.
fn stepped<N, G, L>(network: &N, examples: &Examples<N::Input, G, f64>, loss: &L) -> (f64, N)
where
    N: Network<Scalar = f64> + Clone,
    G: Sample,
    L: Loss<N::Output, G>,
{
    let mut network = network.clone();
    let mut trainer = Trainer::<N, G>::new(&network, Seed(1));
    let objective = Objective { loss, metric: &() };
    let sgd = (&Sgd::new(1.0), 1.0);
    let loss = trainer.step(&mut network, examples, objective, sgd, &mut []);
    (loss, network)
}

/// A network away from zero biases and equal gains, where a wrong gradient could hide.
fn scattered<N: Network<Scalar = f64>>() -> N {
    let mut network = N::seeded(Seed(3));
    let mut draws = draws(5);
    for parameter in network.parameters_mut() {
        *parameter += 0.1 * draws.normal::<f64>();
    }
    network
}

fn check<N, G, L>(inputs: Batch<N::Input, f64>, targets: Batch<G, f64>, loss: L)
where
    N: Network<Scalar = f64> + Clone,
    G: Sample,
    L: Loss<N::Output, G>,
{
    let examples = Examples::new(inputs, targets);
    let network = scattered::<N>();
    let (_, after) = stepped(&network, &examples, &loss);
    let trained = N::LAYERS.iter().filter(|layer| !layer.frozen);
    let places =
        trained.flat_map(|layer| layer.offset..layer.offset + layer.plan.parameter_count());
    let places: Vec<usize> = places.collect();
    let moved = |i: usize, by: f64| {
        let mut network = network.clone();
        network.parameters_mut()[i] += by;
        stepped(&network, &examples, &loss).0
    };
    let (mut checked, mut nonzero) = (0, 0);
    for &i in places.iter().step_by(places.len().div_ceil(MOST_MOVED)) {
        let gradient = network.parameters()[i] - after.parameters()[i];
        let difference = (moved(i, EPSILON) - moved(i, -EPSILON)) / (2.0 * EPSILON);
        assert!(
            (gradient - difference).abs() <= 1e-6 + 1e-4 * difference.abs(),
            "{}, parameter {i}: the gradient is {gradient:e}, the finite difference {difference:e}",
            N::NAME,
        );
        checked += 1;
        nonzero += usize::from(gradient.abs() > 1e-7);
    }
    assert!(
        3 * nonzero >= 2 * checked,
        "{}: only {nonzero} of {checked} gradients are not zero",
        N::NAME
    );
}

#[test]
fn convolution_with_pooling() {
    let (inputs, targets) = (Batch::new(70), Batch::<Class<3>, f64>::new(70));
    check::<Cnn<f64>, _, _>(normal(7, inputs), below(3, targets), CrossEntropy);
}

#[test]
fn batch_normalisation() {
    let (inputs, targets) = (Batch::new(70), Batch::<Class<3>, f64>::new(70));
    check::<Normed<f64>, _, _>(normal(7, inputs), below(3, targets), CrossEntropy);
}

#[test]
fn batch_normalisation_alone() {
    let (inputs, targets) = (Batch::new(70), Batch::<Image<4, 4, 2>, f64>::new(70));
    check::<NormAlone<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
}

#[test]
fn dense_and_layer_normalisation() {
    let (inputs, targets) = (Batch::new(70), Batch::<Real<4>, f64>::new(70));
    check::<Rows<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
}

/// Too little work to be split stays on the thread that asks for it, outside of any pool.
#[test]
fn a_single_sample() {
    let (inputs, targets) = (Batch::new(1), Batch::<Real<4>, f64>::new(1));
    check::<Rows<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
}

#[test]
fn depthwise_and_transposed_convolution() {
    let (inputs, targets) = (Batch::new(70), Batch::<Vector<4>, f64>::new(70));
    check::<Convolutions<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
}

#[test]
fn sequences_of_tokens() {
    let inputs = Batch::sequences(20, 6);
    let targets = Batch::<Sequence<Class<3>>, f64>::sequences(20, 6);
    check::<Words<f64>, _, _>(below(20, inputs), below(3, targets), CrossEntropy);
}

#[test]
fn last_state_of_sequences() {
    let (inputs, targets) = (Batch::sequences(20, 6), Batch::<Real<2>, f64>::new(20));
    check::<LastState<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
    let (inputs, targets) = (Batch::sequences(20, 6), Batch::<Real<2>, f64>::new(20));
    check::<BothWays<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
}

#[test]
fn blocks_of_lists() {
    let (inputs, targets) = (Batch::new(70), Batch::<Real<3>, f64>::new(70));
    check::<Blocks<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
}

#[test]
fn lists_side_by_side_along_every_axis() {
    let (inputs, targets) = (Batch::new(70), Batch::<Real<2>, f64>::new(70));
    check::<Axes<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
}

#[test]
fn sequences_through_blocks() {
    let inputs = Batch::sequences(20, 6);
    let targets = Batch::<Sequence<Class<3>>, f64>::sequences(20, 6);
    check::<WordsInBlocks<f64>, _, _>(below(20, inputs), below(3, targets), CrossEntropy);
    let (inputs, targets) = (Batch::sequences(20, 6), Batch::<Real<2>, f64>::new(20));
    check::<LastOfBoth<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
}

#[test]
fn networks_within_networks() {
    let (inputs, targets) = (Batch::new(70), Batch::<Real<3>, f64>::new(70));
    check::<Parts<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
    let (inputs, targets) = (Batch::sequences(20, 4), Batch::<Real<2>, f64>::new(20));
    check::<Film<f64>, _, _>(normal(7, inputs), normal(9, targets), MeanSquaredError);
}
