//! Networks of several inputs and outputs: each list sees its own, and gradients go back to all.

use plywood::nn::metric::RunningLoss;
use plywood::prelude::*;
use plywood::shape::{Sample, Sides};

plywood::model! {
    /// Two inputs, of which one stays as it is, and two outputs of different shapes.
    pub Both: (Image<4, 4, 2>, Vector<3>) => (Logits<5>, Image<2, 2, 1>) {
        read: Inputs { { Conv2d(3), Tanh, Flatten }, {} },
        Dense(8), Tanh,
        Outputs { { class: Dense(5) }, { Dense(4), Tanh, picture: Dense(2, bias: false), Tanh, Dense(4), Sigmoid, Reshape(2, 2, 1) } },
    }
}

plywood::model! {
    /// Two of each at every step.
    pub Steps: Sequence<(Vector<3>, Vector<2>)> => Sequence<(Logits<4>, Real<1>)> {
        Inputs { { Gru(5, returns: sequence) }, { Dense(4), Tanh } },
        Outputs { { Dense(4) }, { Dense(1) } },
    }
}

plywood::model! {
    /// What the first list of `Both` is.
    First: Image<4, 4, 2> => Vector<12> { Conv2d(3), Tanh, Flatten }
}

fn numbers(count: usize, seed: f64) -> Vec<f64> {
    (0..count).map(|i| (seed + 0.7 * i as f64).sin()).collect()
}

/// The sum of the squares of what the network yields, and its gradients to parameters and inputs.
fn on_tape<N>(network: &N, sizes: &[usize], inputs: &[f64]) -> (f64, Vec<f64>, Vec<f64>)
where
    N: Network<Scalar = f64> + 'static,
    N::Input: Sample<Element<f64> = f64>,
{
    let tape = Tape::new();
    let on_tape = OnTape::new(network);
    let parameters = on_tape.parameters(&tape);
    let inputs = tape.leaf(Tensor::from_slice(sizes, inputs));
    let outputs = on_tape.forward(parameters, inputs);
    let loss = (outputs * outputs).sum_all();
    let gradients = loss.backward();
    let of = |var| gradients.of(var).data().to_vec();
    (loss.value().data()[0], of(parameters), of(inputs))
}

/// Compares gradients with finite differences.
fn check<N>(network: N, sizes: &[usize])
where
    N: Network<Scalar = f64> + Clone + 'static,
    N::Input: Sample<Element<f64> = f64>,
{
    let inputs = numbers(sizes.iter().product(), 0.3);
    let (_, parameters, gradient) = on_tape(&network, sizes, &inputs);
    let near = |found: f64, difference: f64, what: &str| {
        assert!(
            (found - difference).abs() <= 1e-6 + 1e-5 * difference.abs(),
            "{what}: the gradient is {found:e}, the finite difference {difference:e}"
        );
    };
    for i in 0..inputs.len() {
        let moved = |by: f64| {
            let mut inputs = inputs.clone();
            inputs[i] += by;
            on_tape(&network, sizes, &inputs).0
        };
        near(gradient[i], (moved(1e-6) - moved(-1e-6)) / 2e-6, "an input");
    }
    assert!(gradient.iter().all(|gradient| *gradient != 0.0));
    for layer in N::LAYERS {
        for i in (0..layer.plan.parameter_count()).step_by(3) {
            let i = layer.offset + i;
            let moved = |by: f64| {
                let mut network = network.clone();
                network.parameters_mut()[i] += by;
                on_tape(&network, sizes, &inputs).0
            };
            near(
                parameters[i],
                (moved(1e-6) - moved(-1e-6)) / 2e-6,
                "a parameter",
            );
        }
    }
}

#[test]
fn gradients_go_back_to_every_input() {
    check(Both::new(Seed(1)).cast::<f64>(), &[3, 35]);
    check(Steps::new(Seed(1)).cast::<f64>(), &[4, 2, 5]);
}

#[test]
fn each_list_reads_its_own() {
    let network = Both::new(Seed(1));
    let mut first = First::new(Seed(2));
    let conv = network.conv2d_1().parameters().to_vec();
    first.parameters_mut()[..conv.len()].copy_from_slice(&conv);
    let mut inputs = Batch::<<Both as Network>::Input>::new(2);
    let mut images = Batch::<Image<4, 4, 2>>::new(2);
    for (row, image) in numbers(70, 0.1).chunks(35).zip(0..) {
        let row: Vec<f32> = row.iter().map(|x| *x as f32).collect();
        inputs.sample_mut(image).copy_from_slice(&row);
        images.sample_mut(image).copy_from_slice(&row[..32]);
    }
    let read = Session::new(&first).outputs(&images);
    let outputs = Session::new(&network).outputs(&inputs);
    let (dense, class) = (network.dense_6(), network.class());
    for n in 0..2 {
        let joined = [read.sample(n), &inputs.sample(n)[32..]].concat();
        let hidden = product(&joined, dense.weight(), dense.bias());
        let hidden: Vec<f32> = hidden.iter().map(|x| x.tanh()).collect();
        let expected = product(&hidden, class.weight(), class.bias());
        for (found, expected) in outputs.sample(n).iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{found}, {expected}");
        }
        let picture = &outputs.sample(n)[5..];
        assert!(picture.len() == 4 && picture.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
    }
}

/// `x·W + b`, W row by row.
fn product(x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let mut y = bias.to_vec();
    for (x, row) in x.iter().zip(weight.chunks(bias.len())) {
        y.iter_mut().zip(row).for_each(|(y, w)| *y += x * w);
    }
    y
}

#[test]
fn sides_have_names_and_shapes() {
    let names: Vec<_> = Both::LAYERS
        .iter()
        .map(|layer| layer.name.to_string())
        .collect();
    assert_eq!(names[0], "read_0");
    assert!(names.contains(&"read_1".to_owned()) && names.contains(&"read".to_owned()));
    assert_eq!(Both::LAYERS[0].kind, "Input");
    assert_eq!(<Both as Network>::Output::SIDES.len(), 2);
    assert_eq!(<Both as Network>::Output::ROW, 9);
}

plywood::model! {
    /// Which of two numbers is larger, and their sum: from both, and from a third that says nothing.
    Larger: (Vector<2>, Vector<1>) => (Logits<2>, Real<1>) {
        Inputs { { Dense(16), Tanh }, { Dense(2) } },
        Dense(16), Tanh,
        Outputs { { Dense(2) }, { Dense(1) } },
    }
}

type Pairs = Dataset<(Vector<2>, Vector<1>), (Class<2>, Real<1>)>;

fn pairs(samples: usize, seed: f64) -> Pairs {
    let numbers: Vec<f32> = numbers(2 * samples, seed)
        .iter()
        .map(|x| *x as f32)
        .collect();
    let both = || numbers.chunks(2).map(|pair| (pair[0], pair[1]));
    let larger: Vec<u32> = both().map(|(a, b)| u32::from(b > a)).collect();
    let sums: Vec<f32> = both().map(|(a, b)| a + b).collect();
    let third = vec![0.5_f32; samples];
    Dataset::new((numbers.clone(), third), (larger, sums)).expect("columns of as many samples")
}

#[test]
fn several_outputs_are_learnt_together() -> plywood::Result<()> {
    let (train, test) = (pairs(600, 0.2), pairs(200, 9.1));
    let mut network = Larger::new(Seed(4));
    let losses = Weighted::new((CrossEntropy, MeanSquaredError), [1.0, 0.5]);
    let metric = || {
        (
            Of::<0, _>(Accuracy),
            Of::<1, _>(RunningLoss::new("error", MeanSquaredError)),
        )
    };
    let history = Fit::new(Adam::new(0.01), losses)
        .on(&mut network, &train)
        .epochs(30)
        .metric(metric())
        .validate(&test)
        .quiet()
        .run()?;
    let report = evaluate(
        &network,
        &test,
        &(CrossEntropy, MeanSquaredError),
        &metric(),
    )?;
    let (accuracy, error) = report.summary;
    assert!(accuracy > 0.95, "accuracy {accuracy}");
    assert!(error < 0.02, "mean squared error {error}");
    let (first, last) = (&history.epochs[0], &history.epochs[29]);
    assert!(last.training.loss < 0.3 * first.training.loss);
    Ok(())
}
