//! Networks within networks: whatever a part is, the whole computes what the same layers compute in one list, to the bit.

mod common;

use common::{batch, bits, images, texts, trained};
use plywood::nn::Graph;
use plywood::nn::engine::Objective;
use plywood::nn::optimizer::Clip;
use plywood::prelude::*;
use plywood::shape::Sample;

plywood::model! {
    /// Several segments, noise, and a block.
    pub Features: Image<28, 28, 1> => Vector<12> {
        Conv2d(6, stride: 2), BatchNorm, Relu, MaxPool2d(2),
        Dropout(0.2),
        Residual { inner: Conv2d(6, padding: same), BatchNorm, Tanh },
        GlobalAvgPool2d,
        last: Dense(12),
    }
}

plywood::model! {
    /// Begins with a coupled layer.
    Head<const IN: usize>: Vector<IN> => Logits<10> { BatchNorm, Dense(16), Relu, Dense(10) }
}

plywood::model! {
    /// A network that consists of networks, and a coupled layer between them.
    pub Nested: Image<28, 28, 1> => Logits<10> {
        features: Features,
        BatchNorm, Tanh,
        head: Head<12>,
    }
}

plywood::model! {
    Flat: Image<28, 28, 1> => Logits<10> {
        Conv2d(6, stride: 2), BatchNorm, Relu, MaxPool2d(2),
        Dropout(0.2),
        Residual { Conv2d(6, padding: same), BatchNorm, Tanh },
        GlobalAvgPool2d,
        Dense(12),
        BatchNorm, Tanh,
        BatchNorm, Dense(16), Relu, Dense(10),
    }
}

plywood::model! {
    /// Two deep, in the lists of blocks, before and behind steps of the network's own.
    InBlocks: Image<28, 28, 1> => Logits<10> {
        Conv2d(3, stride: 2), Relu,
        Flatten, Dense(12),
        Concat { { Wrapped<12>, Tanh }, { head: Head<12> }, {} },
        Repeat(2) { Residual { Dense(8), Tanh, square: Square, Dense(32) } },
        Dense(10),
    }
}

plywood::model! {
    Wrapped<const IN: usize>: Vector<IN> => Vector<10> { Tanh, inner: Head<IN>, Relu }
}

plywood::model! {
    Square: Vector<8> => Vector<8> { Dense(8), Sigmoid }
}

plywood::model! {
    FlatBlocks: Image<28, 28, 1> => Logits<10> {
        Conv2d(3, stride: 2), Relu,
        Flatten, Dense(12),
        Concat {
            { Tanh, BatchNorm, Dense(16), Relu, Dense(10), Relu, Tanh },
            { BatchNorm, Dense(16), Relu, Dense(10) },
            {},
        },
        Repeat(2) { Residual { Dense(8), Tanh, Dense(8), Sigmoid, Dense(32) } },
        Dense(10),
    }
}

plywood::model! {
    /// A table and a recurrent layer, which inference multiplies ahead.
    pub Reader: Sequence<Token<10_000>> => Sequence<Vector<8>> {
        Embedding(8),
        Gru(8, returns: sequence, dropout: 0.1),
    }
}

plywood::model! {
    Tagger: Sequence<Token<10_000>> => Sequence<Logits<10>> {
        reader: Reader,
        TimeDistributed { Perceptron },
        Dense(10),
    }
}

plywood::model! {
    Perceptron: Vector<8> => Vector<6> { Dense(12), Tanh, LayerNorm, Dense(6), Dropout(0.1) }
}

plywood::model! {
    FlatTagger: Sequence<Token<10_000>> => Sequence<Logits<10>> {
        Embedding(8),
        Gru(8, returns: sequence, dropout: 0.1),
        Dense(12), Tanh, LayerNorm, Dense(6), Dropout(0.1),
        Dense(10),
    }
}

#[test]
fn parts_compute_what_one_list_computes() {
    let examples = batch(&images(90), 90);
    let flat = trained::<Flat, _>(2, Precision::Full, &examples);
    assert_eq!(trained::<Nested, _>(2, Precision::Full, &examples), flat);
    assert_eq!(trained::<Nested, _>(1, Precision::Full, &examples), flat);
    let flat = trained::<FlatBlocks, _>(2, Precision::Full, &examples);
    assert_eq!(trained::<InBlocks, _>(2, Precision::Full, &examples), flat);
}

#[test]
fn parts_read_tokens_and_steps() {
    let examples = batch(&texts(700), 700);
    let flat = trained::<FlatTagger, _>(2, Precision::Full, &examples);
    assert_eq!(trained::<Tagger, _>(2, Precision::Full, &examples), flat);
}

plywood::model! {
    Frozen: Image<28, 28, 1> => Logits<10> {
        frozen features: Features,
        Dense(16), Relu, Dense(10),
    }
}

plywood::model! {
    /// Frozen in the midst of what is trained: a network, a layer, a coupled one.
    FrozenWithin: Image<28, 28, 1> => Logits<10> {
        Conv2d(1, padding: same), Sigmoid,
        frozen features: Features,
        frozen BatchNorm, Tanh,
        frozen middle: Dense(20), Relu,
        Dense(10),
    }
}

plywood::model! {
    OnTop: Vector<12> => Logits<10> { Dense(16), Relu, Dense(10) }
}

/// The network after some steps.
fn after<N, G>(network: &N, examples: &Examples<N::Input, G>, steps: usize) -> N
where
    N: Network<Scalar = f32> + Clone,
    G: Sample,
    CrossEntropy: plywood::nn::loss::Loss<N::Output, G>,
{
    let mut network = network.clone();
    let mut trainer = Trainer::<N, G>::new(&network, Seed(6));
    let objective = Objective {
        loss: &CrossEntropy,
        metric: &(),
    };
    // Weight decay and the bound on the norm see what is frozen as little as the gradient does.
    let optimizer = AdamW {
        clip: Some(Clip::Norm(0.5)),
        ..AdamW::default()
    };
    for _ in 0..steps {
        trainer.step(
            &mut network,
            examples,
            objective,
            (&optimizer, 1e-2),
            &mut [],
        );
    }
    network
}

/// `Features` whose running statistics and parameters are those of some training.
fn known() -> Features {
    after(&Nested::new(Seed(3)), &batch(&images(80), 80), 5).features()
}

#[test]
fn frozen_first_is_training_on_what_the_part_yields() {
    let examples = batch(&images(12), 12);
    let mut whole = Frozen::new(Seed(1));
    let features = known();
    whole.set_features(&features);
    let mut top = OnTop::new(Seed(1));
    let head = whole.parameters().len() - top.parameters().len();
    top.parameters_mut()
        .copy_from_slice(&whole.parameters()[head..]);
    let yielded = Session::new(&features).outputs(&examples.inputs);
    let trained = after(&whole, &examples, 6);
    let top = after(&top, &Examples::new(yielded, examples.targets.clone()), 6);
    assert_eq!(
        bits(trained.features().parameters()),
        bits(features.parameters())
    );
    assert_eq!(bits(trained.features().state()), bits(features.state()));
    let (found, expected) = (&trained.parameters()[head..], top.parameters());
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let apart = apart.fold(0.0, f32::max);
    assert!(apart < 1e-4, "the heads are {apart} apart");
    let moved = whole.parameters()[head..].iter().zip(found);
    assert!(
        moved.filter(|(a, b)| a != b).count() > 300,
        "the head is trained"
    );
}

#[test]
fn frozen_within_is_passed_by() {
    let mut whole = FrozenWithin::new(Seed(1));
    whole.set_features(&known());
    let trained = after(&whole, &batch(&images(90), 90), 4);
    let frozen = |network: &FrozenWithin| {
        let mut numbers = network.features().parameters().to_vec();
        numbers.extend(network.middle().parameters());
        numbers.extend(network.batch_norm_3().parameters());
        numbers.extend(network.state());
        bits(&numbers)
    };
    assert_eq!(frozen(&trained), frozen(&whole));
    for (before, after) in [
        (whole.conv2d_0(), trained.conv2d_0()),
        (whole.dense_7(), trained.dense_7()),
    ] {
        assert_ne!(
            bits(before.weight()),
            bits(after.weight()),
            "{}",
            after.info.name
        );
    }
}

#[test]
fn parts_have_names_and_files_of_their_own() -> plywood::Result<()> {
    let folder = tempfile::tempdir()?;
    let (whole, alone) = (
        folder.path().join("whole.st"),
        folder.path().join("alone.st"),
    );
    let mut network = Nested::new(Seed(1));
    let features = known();
    features.save(&alone)?;
    let mut part = network.features();
    part.load(&alone)?;
    network.set_features(&part);
    assert_eq!(
        bits(network.features().parameters()),
        bits(features.parameters())
    );
    assert_eq!(bits(network.features().state()), bits(features.state()));
    network.save(&whole)?;
    let mut again = Nested::new(Seed(2));
    again.load(&whole)?;
    assert_eq!(bits(again.parameters()), bits(network.parameters()));
    assert_eq!(bits(again.state()), bits(network.state()));
    let names: Vec<_> = Nested::LAYERS
        .iter()
        .map(|layer| layer.name.to_string())
        .collect();
    assert!(
        names.iter().any(|name| name == "features.inner"),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name == "head.dense_1"), "{names:?}");
    let error = again.load(&alone).unwrap_err().to_string();
    assert!(error.contains("features.conv2d_0.weight"), "{error}");
    Ok(())
}

#[test]
fn parts_show_their_layers() {
    let summary = Nested::summary().to_string();
    assert!(summary.contains("features.last"), "{summary}");
    let frozen = Frozen::summary().to_string();
    let count = Features::PARAMETERS;
    assert!(
        frozen.contains(&format!("of which {count} are frozen")),
        "{frozen}"
    );
    assert_eq!(Nested::PARAMETERS, Flat::PARAMETERS);
    assert_eq!(Nested::FLOPS, Flat::FLOPS);
    assert_eq!(Nested::TRAINING_FLOPS, Flat::TRAINING_FLOPS);
    assert_eq!(Nested::ACTIVATION_BYTES, Flat::ACTIVATION_BYTES);
    let lines = |graph: Graph| -> Vec<String> {
        let dot = graph.dot();
        let edges = dot.lines().filter(|line| line.contains("->"));
        edges.map(String::from).collect()
    };
    assert_eq!(lines(Nested::graph()), lines(Flat::graph()));
    assert_eq!(lines(InBlocks::graph()), lines(FlatBlocks::graph()));
}

/// The sum of the squares of what the network yields, and on a tape its gradients.
fn on_tape(network: &Frozen<f64>, inputs: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
    let tape = Tape::new();
    let on_tape = OnTape::new(network);
    let parameters = on_tape.parameters(&tape);
    let inputs = tape.leaf(Tensor::from_slice([2, 28, 28, 1], inputs));
    let outputs = on_tape.forward(parameters, inputs);
    let loss = (outputs * outputs).sum_all();
    let gradients = loss.backward();
    let of = |var| gradients.of(var).data().to_vec();
    (loss.value().data()[0], of(parameters), of(inputs))
}

#[test]
fn gradients_go_through_what_is_frozen() {
    let mut network = Frozen::new(Seed(1));
    network.set_features(&known());
    let network = network.cast::<f64>();
    let inputs: Vec<f64> = batch(&images(2), 2)
        .inputs
        .data()
        .iter()
        .map(|x| f64::from(*x))
        .collect();
    let (_, parameters, pixels) = on_tape(&network, &inputs);
    let features = Features::LAYERS.last().expect("layers");
    let end = features.offset + features.plan.parameter_count();
    assert!(parameters[..end].iter().all(|gradient| *gradient == 0.0));
    assert!(parameters[end..].iter().any(|gradient| *gradient != 0.0));
    let mut nonzero = 0;
    for pixel in (0..inputs.len()).step_by(97) {
        let moved = |by: f64| {
            let mut inputs = inputs.clone();
            inputs[pixel] += by;
            on_tape(&network, &inputs).0
        };
        let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        let gradient = pixels[pixel];
        assert!(
            (gradient - difference).abs() <= 1e-6 + 1e-4 * difference.abs(),
            "pixel {pixel}: the gradient is {gradient:e}, the finite difference {difference:e}"
        );
        nonzero += usize::from(gradient.abs() > 1e-7);
    }
    assert!(nonzero > 5, "{nonzero} pixels have a gradient");
}

#[test]
#[should_panic(expected = "more than eight networks lie one within the other")]
fn networks_lie_at_most_eight_deep() {
    let name = plywood::shape::Name::new("dense");
    let deepest = (0..8).fold(name, |name, _| name.within("part"));
    assert_eq!(deepest.to_string().matches("part.").count(), 8);
    let _ = deepest.within("part");
}
