//! Activations of one's own compute what the layers compute that they repeat, alone and behind others.

mod common;

use common::{batch, images};
use plywood::nn::engine::Objective;
use plywood::prelude::*;
use plywood::{Float, Function};

/// A built-in activation, written again: `y = max(x, 0)`.
#[derive(Clone, Copy, Debug)]
struct Ramp;

impl Function for Ramp {
    fn value<T: Float>(self, x: T) -> T {
        x.max(T::ZERO)
    }

    fn slope<T: Float>(self, x: T) -> T {
        if x > T::ZERO { T::ONE } else { T::ZERO }
    }
}

/// `y = x · |x|^(p − 1)`, smooth enough for finite differences.
#[derive(Clone, Copy, Debug)]
struct Power {
    p: i32,
}

impl Function for Power {
    fn value<T: Float>(self, x: T) -> T {
        x * x.abs().powi(self.p - 1)
    }

    fn slope<T: Float>(self, x: T) -> T {
        T::from_usize(self.p as usize) * x.abs().powi(self.p - 1)
    }
}

plywood::model! {
    Own: Image<28, 28, 1> => Logits<10> {
        Conv2d(4, stride: 2), Activation(Ramp),
        Activation(Ramp), MaxPool2d(2),
        Conv2d(6), BatchNorm, Activation(Ramp),
        Flatten,
        Dense(600), Activation(Ramp), Flatten,
        Dense(10),
    }
}

plywood::model! {
    BuiltIn: Image<28, 28, 1> => Logits<10> {
        Conv2d(4, stride: 2), Relu,
        Relu, MaxPool2d(2),
        Conv2d(6), BatchNorm, Relu,
        Flatten,
        Dense(600), Relu, Flatten,
        Dense(10),
    }
}

plywood::model! {
    Powers: Image<6, 6, 2> => Real<3> {
        Activation(Power { p: 2 }),
        Conv2d(3), Activation(Power { p: 3 }),
        Flatten,
        Dense(5), activated: Activation(Power { p: 2 }),
        Dense(3),
    }
}

fn trained<N: Network<Scalar = f32, Input = Image<28, 28, 1>, Output = Logits<10>>>() -> Vec<f32> {
    let examples = batch(&images(70), 70);
    let mut network = N::seeded(Seed(5));
    let mut trainer = Trainer::<N, Class<10>>::new(&network, Seed(6));
    let objective = Objective {
        loss: &CrossEntropy,
        metric: &(),
    };
    for _ in 0..4 {
        let adam = (&Adam::default(), 1e-2);
        trainer.step(&mut network, &examples, objective, adam, &mut []);
    }
    let outputs = Session::new(&network).outputs(&examples.inputs);
    [network.parameters(), outputs.data()].concat()
}

#[test]
fn a_function_that_repeats_a_built_in_activation_computes_the_same() {
    let (own, built_in) = (trained::<Own>(), trained::<BuiltIn>());
    let apart = own.iter().zip(&built_in).map(|(a, b)| (a - b).abs());
    assert_eq!(own.len(), built_in.len());
    assert!(apart.fold(0.0, f32::max) < 1e-5);
}

#[test]
fn a_function_behind_a_layer_is_computed_with_it() {
    let fused: Vec<_> = Own::LAYERS.iter().map(|layer| layer.fused_into).collect();
    assert_eq!(fused, [0, 0, 2, 3, 4, 5, 6, 6, 8, 8, 8, 11]);
    assert_eq!(Own::LAYERS[1].kind, "Ramp");
    let summary = Own::summary().to_string();
    let row = summary
        .lines()
        .find(|line| line.starts_with("activation_1 "));
    assert!(
        row.is_some_and(|row| row.ends_with("  conv2d_0")),
        "{summary}"
    );
    let powers = Powers::graph().to_string();
    assert!(powers.contains("activated: Power"), "{powers}");
}

#[test]
fn slopes_are_those_of_the_values() {
    let network = Powers::new(Seed(1)).cast::<f64>();
    let inputs: Vec<f64> = (0..144).map(|i| (f64::from(i) * 0.37).sin()).collect();
    let loss = |network: &Powers<f64>| {
        let tape = Tape::new();
        let on_tape = OnTape::new(network);
        let parameters = on_tape.parameters(&tape);
        let inputs = tape.leaf(Tensor::from_slice([2, 6, 6, 2], &inputs));
        let outputs = on_tape.forward(parameters, inputs);
        let loss = (outputs * outputs).sum_all();
        let gradients = loss.backward();
        let gradient = gradients.of(parameters).data().to_vec();
        (loss.value().data()[0], gradient)
    };
    let (_, gradient) = loss(&network);
    let mut nonzero = 0;
    for i in (0..gradient.len()).step_by(7) {
        let moved = |by: f64| {
            let mut network = network.clone();
            network.parameters_mut()[i] += by;
            loss(&network).0
        };
        let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        assert!(
            (gradient[i] - difference).abs() <= 1e-6 + 1e-5 * difference.abs(),
            "parameter {i}: {:e}, {difference:e}",
            gradient[i]
        );
        nonzero += usize::from(gradient[i].abs() > 1e-6);
    }
    assert!(nonzero > 20, "{nonzero} gradients are not zero");
}
