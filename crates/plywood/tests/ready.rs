//! What layers derive from the parameters follows every step: a trainer that goes on and one that begins there take the same step.

use plywood::nn::engine::Objective;
use plywood::prelude::*;

plywood::model! {
    /// Little is derived: every thread does it for itself.
    Small: Image<8, 8, 3> => Logits<5> {
        Conv2d(17, kernel: 3), Relu,
        Conv2d(16, kernel: 3), Relu, MaxPool2d(2),
        Flatten,
        Dense(5),
    }
}

plywood::model! {
    /// Much is derived: all threads do it together, layers in parts of very different size.
    Large: Image<7, 7, 64> => Logits<5> {
        Conv2d(64, kernel: 3), Relu,
        Conv2d(128, kernel: 3), Relu,
        Conv2d(3, kernel: 1), Relu,
        Flatten,
        Dense(9), Relu,
        Dense(5),
    }
}

/// Losses of some steps on so many threads, by one trainer, or by a new one for every step.
fn losses<N>(threads: usize, anew: bool) -> Vec<u64>
where
    N: Network<Scalar = f32, Output = Logits<5>>,
    N::Input: plywood::shape::Sample<Element<f32> = f32>,
{
    let mut examples = Examples::<N::Input, Class<5>>::default();
    examples.resize(20, 1);
    for (i, x) in examples.inputs.data_mut().iter_mut().enumerate() {
        *x = (i * 7919 % 1000) as f32 / 500.0 - 1.0;
    }
    for (i, class) in examples.targets.data_mut().iter_mut().enumerate() {
        *class = (i % 5) as u32;
    }
    let objective = Objective {
        loss: &CrossEntropy,
        metric: &(),
    };
    let mut network = N::seeded(Seed(6));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("a pool").install(|| {
        let mut trainer = Trainer::new(&network, Seed(0));
        let mut step = || {
            if anew {
                trainer = Trainer::new(&network, Seed(0));
            }
            // Plain descent: a new trainer has no moments, either.
            let descent = (&Sgd::default(), 0.05);
            let loss = trainer.step(&mut network, &examples, objective, descent, &mut []);
            loss.to_bits()
        };
        (0..4).map(|_| step()).collect()
    })
}

fn check<N>()
where
    N: Network<Scalar = f32, Output = Logits<5>>,
    N::Input: plywood::shape::Sample<Element<f32> = f32>,
{
    let expected = losses::<N>(1, true);
    assert_ne!(expected[0], expected[1], "a step changes the loss");
    for threads in [1, 2, 3, 8] {
        assert_eq!(losses::<N>(threads, false), expected, "{threads} threads");
    }
}

#[test]
fn little_that_is_derived_follows_the_parameters() {
    check::<Small>();
}

#[test]
fn much_that_is_derived_follows_the_parameters() {
    check::<Large>();
}
