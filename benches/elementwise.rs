//! Passes over memory on one thread: activations, softmax and Adam's update, at the active level.
//!
//! Each result is compared with the plain formula in `f64` before it is timed.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plywood::kernels::elementwise::{Activation, activation_forward};
use plywood::kernels::optimizer::{Adam, WeightDecay};
use plywood::kernels::softmax::softmax_forward;
use plywood_testing::oracle::{activation, softmax};
use plywood_testing::{assert_close, random};

/// Numbers a pass goes over: half of a second-level cache.
const LEN: usize = 64 << 10;
/// Columns of a row of softmax.
const CLASSES: usize = 10;

type Formula = fn(f64) -> f64;

fn activations(criterion: &mut Criterion) {
    let x: Vec<f32> = random::fill_f32(1, LEN).iter().map(|x| 8.0 * x).collect();
    let mut y = vec![0.0; LEN];
    let mut group = criterion.benchmark_group("activation");
    group.throughput(Throughput::Elements(LEN as u64));
    let formulas: [(Activation, Formula); 3] = [
        (Activation::Relu, activation::relu),
        (Activation::Sigmoid, activation::sigmoid),
        (Activation::Tanh, activation::tanh),
    ];
    for (kind, formula) in formulas {
        activation_forward(kind, &x, &mut y);
        let expected: Vec<f64> = x.iter().map(|&x| formula(x.into())).collect();
        assert_close(&y, &expected, 1e-6, 1e-7);
        group.bench_function(format!("{kind:?}"), |bencher| {
            bencher.iter(|| activation_forward(kind, &x, &mut y));
        });
    }
}

fn softmaxes(criterion: &mut Criterion) {
    let x = random::fill_f32(2, LEN / CLASSES * CLASSES);
    let mut y = vec![0.0; x.len()];
    softmax_forward(&x, &mut y, CLASSES);
    assert_close(&y, &softmax::softmax(&double(&x), CLASSES), 1e-5, 0.0);
    let mut group = criterion.benchmark_group("softmax");
    group.throughput(Throughput::Elements(x.len() as u64));
    group.bench_function("rows of 10", |bencher| {
        bencher.iter(|| softmax_forward(&x, &mut y, CLASSES));
    });
}

fn adam(criterion: &mut Criterion) {
    let rule = Adam {
        learning_rate: 1e-3,
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
        weight_decay: WeightDecay::None,
        gradient_scale: 1.0,
    };
    let gradient = random::fill_f32(3, LEN);
    let before = random::fill_f32(4, LEN);
    let mut parameters = before.clone();
    let (mut m, mut v) = (vec![0.0; LEN], vec![0.0; LEN]);
    rule.step(1, &mut parameters, &gradient, &mut m, &mut v);
    // In the first step, the corrected moments are the gradient and its square.
    let first = |(&p, &g): (&f32, &f32)| {
        let (p, g) = (f64::from(p), f64::from(g));
        p - 1e-3 * g / (g.abs() + 1e-7)
    };
    let expected: Vec<f64> = before.iter().zip(&gradient).map(first).collect();
    assert_close(&parameters, &expected, 1e-6, 1e-6);
    let mut group = criterion.benchmark_group("optimizer");
    group.throughput(Throughput::Elements(LEN as u64));
    let mut t = 1;
    group.bench_function("adam", |bencher| {
        bencher.iter(|| {
            t += 1;
            rule.step(t, &mut parameters, &gradient, &mut m, &mut v);
        });
    });
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

criterion_group!(benches, activations, softmaxes, adam);
criterion_main!(benches);
