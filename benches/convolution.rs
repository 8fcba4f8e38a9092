//! The convolutions of the chapter's network on one thread: forward, weight gradient and input gradient, at the active level.
//!
//! Each result is compared with the naive sums before it is timed.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plywood::kernels::conv::{self, Dims, Pass};
use plywood::kernels::gemm::Epilogue;
use plywood_testing::oracle::{Window, conv2d::Conv2d};
use plywood_testing::{assert_close, random};

/// Images in a block.
const SAMPLES: usize = 8;

/// Rows and columns in, channels in, channels out; the kernels are 3×3.
const CONVOLUTIONS: [[usize; 3]; 3] = [[28, 1, 32], [13, 32, 64], [5, 64, 64]];

fn convolutions(criterion: &mut Criterion) {
    for sizes in CONVOLUTIONS {
        convolution(criterion, sizes);
    }
}

fn convolution(criterion: &mut Criterion, [side, channels, filters]: [usize; 3]) {
    let dims = Dims {
        samples: SAMPLES,
        input: [side, side, channels],
        output: [side - 2, side - 2, filters],
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        before: [0, 0],
        groups: 1,
    };
    let naive = Conv2d {
        samples: SAMPLES,
        window: Window::new([side, side], [3, 3]),
        channels,
        filters,
        groups: 1,
    };
    let x = random::fill_f32(1, dims.input_len());
    let weight = random::fill_f32(2, dims.weight_len());
    let dy = random::fill_f32(3, dims.output_len());
    let [x64, weight64, dy64] = [&x, &weight, &dy].map(|values| double(values));

    let name = format!("convolution {side}x{side}x{channels} to {filters}");
    let mut group = criterion.benchmark_group(name);
    let flops = 2 * dims.output_len() * dims.weight_len() / filters;
    group.throughput(Throughput::Elements(flops as u64));
    let mut time = |name: &str, expected: &[f64], run: &mut dyn FnMut(&mut [f32])| {
        // The weight gradient is added to what is there.
        let mut result = vec![0.0; expected.len()];
        run(&mut result);
        assert_close(&result, expected, 1e-4, 1e-3);
        group.bench_function(name, |bencher| bencher.iter(|| run(&mut result)));
    };

    let mut scratch = vec![0.0; conv::forward_scratch_len(&dims)];
    let expected = naive.forward(&x64, &weight64, &vec![0.0; filters]);
    let forward = prepared(&dims, Pass::Forward, &weight);
    time("forward", &expected, &mut |y| {
        conv::forward(conv::Forward {
            dims: &dims,
            x: &x,
            weight: &weight,
            prepared: &forward,
            epilogue: Epilogue::NONE,
            y,
            scratch: &mut scratch,
        });
    });
    let mut scratch = vec![0.0; conv::weight_gradient_scratch_len(&dims)];
    let expected = naive.weight_gradient(&x64, &dy64);
    time("weight gradient", &expected, &mut |dweight| {
        conv::weight_gradient(conv::WeightGradient {
            dims: &dims,
            x: &x,
            dy: &dy,
            dweight,
            scratch: &mut scratch,
        });
    });
    let mut scratch = vec![0.0; conv::input_gradient_scratch_len(&dims)];
    let expected = naive.input_gradient(&weight64, &dy64);
    let backward = prepared(&dims, Pass::InputGradient, &weight);
    time("input gradient", &expected, &mut |dx| {
        conv::input_gradient(conv::InputGradient {
            dims: &dims,
            weight: &weight,
            prepared: &backward,
            dy: &dy,
            dx,
            scratch: &mut scratch,
        });
    });
}

fn prepared(dims: &Dims, pass: Pass, weight: &[f32]) -> Vec<f32> {
    let mut prepared = vec![0.0; conv::prepared_len::<f32>(dims, pass)];
    conv::prepare(dims, pass, weight, &mut prepared);
    prepared
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

criterion_group!(benches, convolutions);
criterion_main!(benches);
