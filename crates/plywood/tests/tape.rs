//! A compiled network as one node on a tape, under losses written by hand.

use plywood::autograd::gradcheck;
use plywood::kernels::random::Random;
use plywood::nn::OnTape;
use plywood::prelude::*;
use plywood::shape::Sample;

plywood::model! {
    Picture: Image<6, 5, 2> => Vector<3> {
        Conv2d(3, kernel: 2), Tanh,
        MaxPool2d(2),
        Flatten,
        Dense(4), Sigmoid,
        Dropout(0.5),
        Dense(3),
    }
}

plywood::model! {
    /// Three segments, of which the first has no step.
    Normed: Image<3, 4, 2> => Image<2, 3, 2> {
        BatchNorm,
        Conv2d(2, kernel: 2), BatchNorm, Tanh,
    }
}

plywood::model! {
    Steps: Sequence<Vector<3>> => Sequence<Vector<2>> {
        Bidirectional { Gru(3, returns: sequence) },
        Dense(2),
    }
}

plywood::model! {
    Words: Sequence<Token<9>> => Vector<2> {
        Embedding(3),
        Lstm(3),
        Dense(2),
    }
}

fn normal(seed: u64, shape: &[usize]) -> Tensor<f64> {
    let random = Random {
        seed,
        stream: 1,
        step: 0,
    };
    Tensor::normal(shape, random)
}

/// A network with parameters far from zero everywhere, biases included.
fn network<N: Network<Scalar = f64>>() -> N {
    let mut network = N::seeded(Seed(3));
    let noise = normal(4, &[network.parameters().len()]);
    for (parameter, noise) in network.parameters_mut().iter_mut().zip(noise.iter()) {
        *parameter += 0.3 * noise;
    }
    network
}

fn parameters<N: Network<Scalar = f64>>(network: &N) -> Tensor<f64> {
    Tensor::from_slice([network.parameters().len()], network.parameters())
}

/// What no library has: `ln(1 + y²)` of every output, less its sine, the later ones weighing more.
fn own_loss<'t>(tape: &'t Tape<f64>, y: Var<'t, f64>) -> Var<'t, f64> {
    let weights = Tensor::from_fn(y.shape(), |i| 1.0 + 0.1 * i as f64);
    let terms = y.square().affine(1.0, 1.0).ln() - y.sin();
    (terms * tape.constant(weights)).mean_all()
}

/// The gradients of the parameters and of `inputs` against finite differences.
fn check<N>(inputs: Tensor<f64>)
where
    N: Network<Scalar = f64> + 'static,
    N::Input: Sample<Element<f64> = f64>,
{
    let network = network::<N>();
    let on_tape = OnTape::new(&network).noise(Seed(8), 2);
    gradcheck(&[parameters(&network), inputs], |tape, vars| {
        own_loss(tape, on_tape.forward(vars[0], vars[1]))
    })
    .unwrap();
}

#[test]
fn gradients_of_parameters_and_inputs_agree_with_differences() {
    check::<Picture<f64>>(normal(1, &[3, 6, 5, 2]));
    check::<Normed<f64>>(normal(1, &[4, 3, 4, 2]));
    check::<Steps<f64>>(normal(1, &[5, 2, 3]));
}

#[test]
fn gradients_of_a_table_agree_with_differences() {
    let network = network::<Words<f64>>();
    let tokens = vec![1, 8, 3, 3, 1, 1, 5, 0, 3, 0, 0, 0];
    let mut batch = Batch::from_vec(3, 4, tokens).unwrap();
    batch.set_lengths(&[4, 3, 1]).unwrap();
    gradcheck(&[parameters(&network)], |tape, vars| {
        own_loss(tape, OnTape::new(&network).forward_batch(vars[0], &batch))
    })
    .unwrap();
}

/// Two views of the same things are to lie close to one another: one network, used twice.
#[test]
fn a_network_used_twice_collects_the_gradients_of_both_uses() {
    let network = network::<Picture<f64>>();
    let inputs = [normal(1, &[2, 6, 5, 2]), normal(2, &[2, 6, 5, 2])];
    gradcheck(&[parameters(&network)], |tape, vars| {
        let [left, right] = inputs
            .each_ref()
            .map(|inputs| OnTape::new(&network).forward(vars[0], tape.constant(inputs.clone())));
        (left - right).square().mean_all()
    })
    .unwrap();
}

/// A network's output as the input of another: the gradient goes through both.
#[test]
fn networks_stand_behind_one_another() {
    let (first, second) = (network::<Normed<f64>>(), network::<Picture<f64>>());
    let inputs = [
        parameters(&first),
        parameters(&second),
        normal(1, &[3, 3, 4, 2]),
    ];
    gradcheck(&inputs, |tape, vars| {
        let between = OnTape::new(&first).forward(vars[0], vars[2]);
        let padded = between.pad(&[[0, 0], [2, 2], [1, 1], [0, 0]]);
        own_loss(tape, OnTape::new(&second).forward(vars[1], padded))
    })
    .unwrap();
}

#[test]
fn outputs_are_those_of_a_session() {
    let network = network::<Steps<f64>>();
    let inputs = normal(1, &[5, 2, 3]);
    let mut batch = Batch::sequences(2, 5);
    batch
        .data_mut()
        .copy_from_slice(&inputs.permute(&[1, 0, 2]).to_vec());
    let expected = Session::new(&network).outputs(&batch);

    let tape = Tape::new();
    let on_tape = OnTape::new(&network);
    let leaf = on_tape.parameters(&tape);
    let by_tensor = on_tape.forward(leaf, tape.constant(inputs)).value();
    let by_batch = on_tape.forward_batch(leaf, &batch).value();
    assert_eq!(by_tensor, by_batch);
    assert_eq!(by_batch.shape(), [5, 2, 2]);
    assert_eq!(by_batch.permute(&[1, 0, 2]).to_vec(), expected.data());
}

#[test]
fn the_way_back_can_be_walked_again() {
    let network = network::<Steps<f64>>();
    let tape = Tape::new();
    let on_tape = OnTape::new(&network);
    let (parameters, inputs) = (on_tape.parameters(&tape), tape.leaf(normal(1, &[5, 2, 3])));
    let loss = own_loss(&tape, on_tape.forward(parameters, inputs));
    let (once, again) = (loss.backward(), loss.backward());
    for var in [parameters, inputs] {
        assert!(once.of(var).iter().any(|slope| slope != 0.0));
        assert_eq!(once.of(var), again.of(var));
    }
}

#[test]
#[should_panic(expected = "Steps: inputs of shape [5, 2, 4], expected [steps][samples][3]")]
fn inputs_of_another_shape_are_named() {
    let network = network::<Steps<f64>>();
    let tape = Tape::new();
    let on_tape = OnTape::new(&network);
    let inputs = tape.constant(normal(1, &[5, 2, 4]));
    let _ = on_tape.forward(on_tape.parameters(&tape), inputs);
}

#[test]
#[should_panic(expected = "Steps: parameters of shape [7], expected")]
fn parameters_of_another_network_are_refused() {
    let network = network::<Steps<f64>>();
    let tape = Tape::new();
    let inputs = tape.constant(normal(1, &[5, 2, 3]));
    let _ = OnTape::new(&network).forward(tape.leaf(normal(2, &[7])), inputs);
}
