//! GRU and LSTM over a block of sequences on one thread, forward and backward, at the active level.
//!
//! Before they are timed, the states are compared with the naive cells, and the gradients with the slope of the naive loss
//! along one direction.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plywood::kernels::rnn::{
    Backward, Forward, Gru, Lstm, Sequence, StateGradient, WeightGradients, Weights,
};
use plywood::shape::layers::Returns;
use plywood_testing::oracle::{numeric::dot, rnn};
use plywood_testing::{assert_close, random};

const BLOCK: Sequence = Sequence {
    samples: 16,
    steps: 100,
    features: 64,
    units: 64,
    reverse: false,
};

/// A cell with what the two have in common.
trait Cell: Copy {
    const NAME: &'static str;
    const GATES: usize;
    const BIASES: usize;
    fn lens(self) -> [usize; 2];
    fn prepared_len(self) -> usize;
    fn prepare(self, weights: &Weights<'_, f32>, prepared: &mut [f32]);
    fn forward(self, pass: Forward<'_, f32>);
    fn backward(self, pass: Backward<'_, f32>);
    fn naive(x: &[f64], weights: &rnn::Weights<'_>) -> Vec<f64>;
}

impl Cell for Gru {
    const NAME: &'static str = "gru";
    const GATES: usize = 3;
    const BIASES: usize = 2;
    fn lens(self) -> [usize; 2] {
        [self.saved_len(), self.scratch_len()]
    }
    fn prepared_len(self) -> usize {
        Gru::prepared_len(&self)
    }
    fn prepare(self, weights: &Weights<'_, f32>, prepared: &mut [f32]) {
        Gru::prepare(&self, weights, prepared);
    }
    fn forward(self, pass: Forward<'_, f32>) {
        Gru::forward(&self, pass);
    }
    fn backward(self, pass: Backward<'_, f32>) {
        Gru::backward(&self, pass);
    }
    fn naive(x: &[f64], weights: &rnn::Weights<'_>) -> Vec<f64> {
        rnn::gru(x, BLOCK.features, weights, true)
    }
}

impl Cell for Lstm {
    const NAME: &'static str = "lstm";
    const GATES: usize = 4;
    const BIASES: usize = 1;
    fn lens(self) -> [usize; 2] {
        [self.saved_len(), self.scratch_len()]
    }
    fn prepared_len(self) -> usize {
        Lstm::prepared_len(&self)
    }
    fn prepare(self, weights: &Weights<'_, f32>, prepared: &mut [f32]) {
        Lstm::prepare(&self, weights, prepared);
    }
    fn forward(self, pass: Forward<'_, f32>) {
        Lstm::forward(&self, pass);
    }
    fn backward(self, pass: Backward<'_, f32>) {
        Lstm::backward(&self, pass);
    }
    fn naive(x: &[f64], weights: &rnn::Weights<'_>) -> Vec<f64> {
        rnn::lstm(x, BLOCK.features, weights)
    }
}

/// Inputs, weight, recurrent weight and bias; also their gradients, and a direction.
#[derive(Clone)]
struct Values([Vec<f32>; 4]);

impl Values {
    fn random<C: Cell>(seed: u64, scale: f32) -> Self {
        let columns = C::GATES * BLOCK.units;
        let lens = [
            BLOCK.rows() * BLOCK.features,
            BLOCK.features * columns,
            BLOCK.units * columns,
            C::BIASES * columns,
        ];
        let mut seed = seed;
        Self(lens.map(|len| {
            seed += 1;
            let values = random::fill_f32(seed, len);
            values.into_iter().map(|value| scale * value).collect()
        }))
    }

    fn weights(&self) -> Weights<'_, f32> {
        let [_, weight, recurrent, bias] = &self.0;
        Weights {
            weight,
            recurrent,
            bias,
        }
    }

    /// In double precision, `step` times `direction` further.
    fn moved(&self, direction: &Self, step: f64) -> [Vec<f64>; 4] {
        let moved = |at: usize| {
            let both = self.0[at].iter().zip(&direction.0[at]);
            both.map(|(&value, &d)| f64::from(value) + step * f64::from(d))
                .collect()
        };
        [0, 1, 2, 3].map(moved)
    }
}

/// The naive states, `[T·N][U]`.
fn naive<C: Cell>([x, weight, recurrent, bias]: &[Vec<f64>; 4]) -> Vec<f64> {
    let weights = rnn::Weights {
        weight,
        recurrent,
        bias,
        units: BLOCK.units,
    };
    let mut states = vec![0.0; BLOCK.rows() * BLOCK.units];
    for sample in 0..BLOCK.samples {
        let row = |step: usize| step * BLOCK.samples + sample;
        let of_sample = |step| &x[row(step) * BLOCK.features..][..BLOCK.features];
        let x: Vec<f64> = (0..BLOCK.steps).flat_map(of_sample).copied().collect();
        let computed = C::naive(&x, &weights);
        for (step, state) in computed.chunks_exact(BLOCK.units).enumerate() {
            states[row(step) * BLOCK.units..][..BLOCK.units].copy_from_slice(state);
        }
    }
    states
}

fn cell<C: Cell>(criterion: &mut Criterion, cell: C) {
    let values = Values::random::<C>(1, 0.2);
    let dstates = random::fill_f32(11, BLOCK.rows() * BLOCK.units);
    let mut prepared = vec![0.0; cell.prepared_len()];
    cell.prepare(&values.weights(), &mut prepared);
    let [mut saved, mut scratch] = cell.lens().map(|len| vec![0.0; len]);
    let forward = |saved: &mut [f32], scratch: &mut [f32]| {
        cell.forward(Forward {
            x: &values.0[0],
            weights: values.weights(),
            prepared: &prepared,
            lengths: &[],
            saved,
            scratch,
        });
    };
    let backward = |saved: &mut [f32], scratch: &mut [f32], gradients: &mut Values| {
        let [dx, weight, recurrent, bias] = &mut gradients.0;
        cell.backward(Backward {
            x: &values.0[0],
            weights: values.weights(),
            lengths: &[],
            saved,
            dstates: StateGradient::new(Returns::Sequence, &dstates, BLOCK.units),
            dx: Some(dx),
            gradients: WeightGradients {
                weight,
                recurrent,
                bias,
            },
            scratch,
        });
    };

    let direction = Values::random::<C>(21, 1.0);
    let mut gradients = Values::random::<C>(31, 0.0);
    forward(&mut saved, &mut scratch);
    let expected = naive::<C>(&values.moved(&direction, 0.0));
    assert_close(BLOCK.states(&saved), &expected, 1e-4, 1e-5);
    backward(&mut saved, &mut scratch, &mut gradients);
    check_slope::<C>(&values, &direction, &gradients, &dstates);

    let mut group = criterion.benchmark_group(format!("{} 16x100x64 to 64", C::NAME));
    group.throughput(Throughput::Elements(BLOCK.rows() as u64));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| forward(&mut saved, &mut scratch));
    });
    group.bench_function("forward and backward", |bencher| {
        bencher.iter(|| {
            forward(&mut saved, &mut scratch);
            backward(&mut saved, &mut scratch, &mut gradients);
        });
    });
}

/// The loss Σ dstates · states rises along `direction` as the gradients say, for each operand by itself.
fn check_slope<C: Cell>(values: &Values, direction: &Values, gradients: &Values, dstates: &[f32]) {
    let dstates = double(dstates);
    for at in 0..4 {
        let mut along = Values::random::<C>(0, 0.0);
        along.0[at].clone_from(&direction.0[at]);
        let loss = |step| dot(&dstates, &naive::<C>(&values.moved(&along, step)));
        let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
        let along = dot(&double(&gradients.0[at]), &double(&along.0[at]));
        assert_close(&[along], &[slope], 1e-3, 1e-2);
    }
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

fn cells(criterion: &mut Criterion) {
    let gru = Gru {
        sequence: BLOCK,
        reset_after: true,
    };
    cell(criterion, gru);
    cell(criterion, Lstm { sequence: BLOCK });
}

criterion_group!(benches, cells);
criterion_main!(benches);
