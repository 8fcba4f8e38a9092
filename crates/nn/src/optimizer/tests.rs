//! What all optimizers promise: weight decay where it applies, updates that can be cut anywhere, moments as declared.
//!
//! Their formulas are held against PyTorch in `tests/optimizers.rs`.

use super::{Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd, Update};

const LEN: usize = 37;

fn numbers(seed: u64) -> Vec<f32> {
    let mut random = plywood_kernels::random::Random {
        seed,
        stream: 0,
        step: 0,
    }
    .sequence();
    (0..LEN).map(|_| random.normal::<f32>()).collect()
}

/// Parameters after three steps, updated in the parts that `cuts` makes.
fn after_three_steps(optimizer: &impl Optimizer, cuts: &[usize], decays: bool) -> Vec<f32> {
    let mut parameters = numbers(1);
    let mut moments = [0, 1].map(|i| vec![0.0; if i < optimizer.moments() { LEN } else { 0 }]);
    for step in 1..=3 {
        let mut gradient = numbers(1 + step);
        let at = Update {
            step,
            rate: optimizer.rate(),
            gradient_scale: 0.75,
            decays,
        };
        let ends = cuts.iter().copied().chain([LEN]);
        let mut start = 0;
        for end in ends {
            let [first, second] = &mut moments;
            let part = [first, second].map(|moment| moment.get_mut(start..end).unwrap_or_default());
            optimizer.update(
                at,
                &mut parameters[start..end],
                &mut gradient[start..end],
                part,
            );
            start = end;
        }
    }
    parameters
}

fn check(optimizer: &impl Optimizer, decaying: &impl Optimizer) {
    let whole = after_three_steps(optimizer, &[], true);
    assert_ne!(whole, numbers(1));
    assert_eq!(
        whole,
        after_three_steps(optimizer, &[1, 8, 20], true),
        "cutting changes nothing"
    );
    assert_ne!(whole, after_three_steps(decaying, &[], true), "decay acts");
    assert_eq!(
        whole,
        after_three_steps(decaying, &[], false),
        "but not on what it spares"
    );
}

#[test]
fn all_optimizers_keep_their_promises() {
    let momentum = Sgd::new(0.1).momentum(0.9);
    let nesterov = Sgd::new(0.1).nesterov(0.9);
    check(
        &Sgd::default().clip_norm(2.0),
        &Sgd::default().weight_decay(0.1),
    );
    check(&momentum, &momentum.weight_decay(0.1));
    check(&nesterov, &nesterov.weight_decay(0.1));
    check(&Adam::default(), &Adam::default().weight_decay(0.1));
    check(&AdamW::default().weight_decay(0.0), &AdamW::default());
    check(&RmsProp::default(), &RmsProp::default().weight_decay(0.1));
    check(
        &RmsProp::default().momentum(0.5),
        &RmsProp::default().momentum(0.5).weight_decay(0.1),
    );
    check(&Adagrad::default(), &Adagrad::default().weight_decay(0.1));
}

#[test]
fn clipping_by_value_reaches_the_update() {
    let (free, bounded) = (Sgd::new(1.0), Sgd::new(1.0).clip_value(0.5));
    let at = Update {
        step: 1,
        rate: 1.0,
        gradient_scale: 2.0,
        decays: false,
    };
    let mut parameters = [0.0_f32; 3];
    bounded.update(
        at,
        &mut parameters,
        &mut [0.1, -7.0, 9.0],
        [&mut [], &mut []],
    );
    assert_eq!(parameters, [-0.2, 0.5, -0.5]);
    let mut parameters = [0.0_f32; 3];
    free.update(
        at,
        &mut parameters,
        &mut [0.1, -7.0, 9.0],
        [&mut [], &mut []],
    );
    assert_eq!(parameters, [-0.2, 14.0, -18.0]);
}
