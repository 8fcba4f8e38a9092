//! Weights whose gradient is taken of the whole batch at once: a training step finds the gradient that the tape finds.

use plywood::kernels::random::Random;
use plywood::nn::engine::Objective;
use plywood::nn::{Layer, OnTape};
use plywood::prelude::*;

plywood::model! {
    /// Two weights that are taken late, of which the second has rows that no power of two divides, and a small one.
    Wide: Vector<70> => Vector<3> {
        Dense(250), Tanh,
        Dense(131), Sigmoid,
        Dense(3),
    }
}

fn normal(stream: u32, shape: &[usize]) -> Tensor<f64> {
    Tensor::normal(
        shape,
        Random {
            seed: 5,
            stream,
            step: 0,
        },
    )
}

/// The examples of a batch that is cut into several lanes and blocks of different sizes.
fn examples(samples: usize) -> Examples<Vector<70>, Vector<3>, f64> {
    let mut examples = Examples::default();
    examples.resize(samples, 1);
    let inputs = normal(1, &[samples, 70]);
    examples.inputs.data_mut().copy_from_slice(inputs.data());
    let targets = normal(2, &[samples, 3]);
    examples.targets.data_mut().copy_from_slice(targets.data());
    examples
}

/// The gradient of the mean squared error on a tape.
fn on_tape(network: &Wide<f64>, examples: &Examples<Vector<70>, Vector<3>, f64>) -> Vec<f64> {
    let samples = examples.inputs.samples();
    let tape = Tape::new();
    let parameters = tape.leaf(Tensor::from_slice(
        [network.parameters().len()],
        network.parameters(),
    ));
    let inputs = Tensor::from_slice([samples, 70], examples.inputs.data());
    let targets = Tensor::from_slice([samples, 3], examples.targets.data());
    let outputs = OnTape::new(network).forward(parameters, tape.constant(inputs));
    let loss = (outputs - tape.constant(targets)).square().mean_all();
    loss.backward().of(parameters).data().to_vec()
}

/// What a step of plain gradient descent at rate 1 takes off.
fn of_a_step(
    network: &Wide<f64>,
    examples: &Examples<Vector<70>, Vector<3>, f64>,
    threads: usize,
) -> Vec<f64> {
    let mut trained = network.clone();
    let mut trainer = Trainer::new(&trained, Seed(0));
    let objective = Objective {
        loss: &MeanSquaredError,
        metric: &(),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(|| {
        trainer.step(
            &mut trained,
            examples,
            objective,
            (&Sgd::default(), 1.0),
            &mut [],
        );
    });
    let before = network.parameters().iter();
    before
        .zip(trained.parameters())
        .map(|(before, after)| before - after)
        .collect()
}

#[test]
fn a_step_finds_the_gradient_of_the_tape() {
    let network = Wide::<f64>::seeded(Seed(3));
    for samples in [1, 2, 45, 300] {
        let examples = examples(samples);
        let expected = on_tape(&network, &examples);
        for threads in [1, 3] {
            let found = of_a_step(&network, &examples, threads);
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert!(
                    (found - expected).abs() < 1e-12,
                    "parameter {index} of {samples} samples: {found}, the tape says {expected}"
                );
            }
        }
    }
}

#[test]
fn large_weights_of_single_rows_are_late() {
    use plywood::shape::Sample as _;
    use plywood::shape::layers::Dense;
    let of = |units: usize, input| {
        let layer = Dense::new(units);
        let plan = layer.plan(input);
        Layer::<f32>::late_weight(&layer, &plan).map(|late| (late.len, late.row, late.kept))
    };
    assert_eq!(of(250, <Vector<70>>::SHAPE), Some((17_500, 250, 320)));
    assert_eq!(of(3, <Vector<70>>::SHAPE), None);
    assert_eq!(of(250, <Sequence<Vector<70>>>::SHAPE), None);
}
