//! Operations in bf16 beside the same in `f32`: outputs and gradients differ by the rounding of operands.

use plywood_autograd::ops::conv_pool2d::{ConvPool2d, Pooled};
use plywood_autograd::ops::conv2d::Conv2d;
use plywood_autograd::ops::dense::Dense;
use plywood_autograd::ops::{WeightGradients, WeightedFlow, Weights};
use plywood_kernels::random::Random;
use plywood_kernels::{conv, pool};
use plywood_shape::{Activation, Precision};
use plywood_tensor::Tensor;

/// Of the largest number of a tensor: what rounding operands to 8 bits, or what Winograd's tiles of 4×4 make of them, may change in sums
/// of some dozens of products or more. The activation is the identity, since a derivative that jumps would make more of a difference near its jump.
const TOLERANCE: f32 = 0.03;

fn normal(stream: u32, len: usize) -> Vec<f32> {
    let random = Random {
        seed: 5,
        stream,
        step: 0,
    };
    Tensor::<f32>::normal([len], random).data().to_vec()
}

fn assert_near(what: &str, [full, bf16]: &[Vec<f32>; 2]) {
    let largest = full.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    assert_ne!(full, bf16, "{what} is not computed in bf16");
    for (index, (bf16, full)) in bf16.iter().zip(full).enumerate() {
        assert!(
            (bf16 - full).abs() <= TOLERANCE * largest,
            "{what}: number {index} is {bf16}, in f32 {full}, the largest {largest}"
        );
    }
}

/// Outputs, then gradients of weight, bias and input.
type Found = [Vec<f32>; 4];

/// Runs an operation in both precisions and compares what it finds.
fn compare(what: &str, run: impl Fn(Precision) -> Found) {
    let [full, bf16] = [Precision::Full, Precision::Bf16].map(run);
    for (name, pair) in ["y", "dw", "dx"]
        .iter()
        .zip([0, 1, 3].map(|i| [&full[i], &bf16[i]]))
    {
        assert_near(&format!("{what}: {name}"), &pair.map(Clone::clone));
    }
    assert_eq!(
        full[2], bf16[2],
        "{what}: the gradient of the bias stays in f32"
    );
}

#[test]
fn dense() {
    for (rows, inputs, outputs) in [(1, 64, 40), (13, 70, 33), (150, 128, 64)] {
        compare(&format!("{rows}×{inputs}×{outputs}"), |precision| {
            let dense = Dense {
                rows,
                inputs,
                outputs,
                activation: Activation::Identity,
                precision,
            };
            run_dense(&dense)
        });
    }
}

fn run_dense(dense: &Dense) -> Found {
    let (rows, inputs, outputs) = (dense.rows, dense.inputs, dense.outputs);
    let (x, weight, bias) = (
        normal(1, rows * inputs),
        normal(2, inputs * outputs),
        normal(3, outputs),
    );
    let mut prepared = vec![0.0; dense.prepared_len()];
    dense.prepare(&weight, &mut prepared);
    let mut scratch = vec![0.0; dense.scratch_len()];
    let weights = Weights {
        weight: &weight,
        bias: Some(&bias),
    };
    let mut y = vec![0.0; rows * outputs];
    dense.forward(&x, weights, &prepared, &mut y, &mut scratch);
    let (mut dw, mut db) = (vec![0.0; weight.len()], vec![0.0; outputs]);
    let mut dx = vec![0.0; x.len()];
    let mut dy = normal(4, y.len());
    let flow = WeightedFlow {
        x: &x,
        weight: &weight,
        y: &y,
        dy: &mut dy,
        dx: Some(&mut dx),
    };
    let gradients = WeightGradients {
        weight: &mut dw,
        bias: Some(&mut db),
    };
    dense.backward(flow, gradients, &prepared, &mut scratch);
    let late = late_gradient(dense, [&x, &weight, &y], &prepared);
    assert_near_or_same(dense, &late, &dw);
    [y, dw, db, dx]
}

/// The weight's gradient taken late, in two parts.
fn late_gradient(dense: &Dense, [x, weight, y]: [&[f32]; 3], prepared: &[f32]) -> Vec<f32> {
    let mut kept = vec![0.0; dense.rows * dense.kept_len()];
    let mut dy = normal(4, y.len());
    let flow = WeightedFlow {
        x,
        weight,
        y,
        dy: &mut dy,
        dx: None,
    };
    dense.keep(flow, None, &mut kept, prepared, &mut []);
    let mut scratch = vec![0.0; dense.kept_scratch_len()];
    let mut late = vec![0.0; weight.len()];
    let (first, second) = late.split_at_mut(dense.inputs / 3 * dense.outputs);
    dense.kept_weight_gradient(&kept, 0, first, &mut scratch);
    dense.kept_weight_gradient(&kept, dense.inputs / 3, second, &mut scratch);
    late
}

/// A late gradient is the other one but for the order of sums.
fn assert_near_or_same(dense: &Dense, late: &[f32], dw: &[f32]) {
    for (late, dw) in late.iter().zip(dw) {
        assert!(
            (late - dw).abs() <= 1e-4,
            "{dense:?}: late {late}, else {dw}"
        );
    }
}

/// Samples, rows and columns, channels in and out, kernel: by Winograd's way and straight.
const CONVOLUTIONS: [(usize, usize, usize, usize, usize); 4] = [
    (2, 11, 64, 64, 3),
    (1, 8, 32, 48, 3),
    (2, 7, 32, 32, 5),
    (3, 6, 64, 32, 1),
];

fn dims(
    (samples, side, inputs, outputs, kernel): (usize, usize, usize, usize, usize),
) -> conv::Dims {
    conv::Dims {
        samples,
        input: [side, side, inputs],
        output: [side, side, outputs],
        kernel: [kernel; 2],
        stride: [1, 1],
        dilation: [1, 1],
        before: [kernel / 2; 2],
        groups: 1,
    }
}

#[test]
fn conv2d() {
    for sizes in CONVOLUTIONS {
        compare(&format!("{sizes:?}"), |precision| {
            let conv = Conv2d {
                dims: dims(sizes),
                activation: Activation::Identity,
                precision,
            };
            run_conv(&conv)
        });
    }
}

fn run_conv(conv: &Conv2d) -> Found {
    let dims = &conv.dims;
    let x = normal(1, dims.input_len());
    let (weight, bias) = (normal(2, dims.weight_len()), normal(3, dims.output[2]));
    let mut prepared = vec![0.0; conv.prepared_len::<f32>()];
    conv.prepare(&weight, &mut prepared);
    let mut scratch = vec![0.0; conv.scratch_len()];
    let weights = Weights {
        weight: &weight,
        bias: Some(&bias),
    };
    let mut y = vec![0.0; dims.output_len()];
    conv.forward(&x, weights, &prepared, &mut y, &mut scratch);
    let (mut dw, mut db) = (vec![0.0; weight.len()], vec![0.0; bias.len()]);
    let mut dx = vec![0.0; x.len()];
    let mut dy = normal(4, y.len());
    let flow = WeightedFlow {
        x: &x,
        weight: &weight,
        y: &y,
        dy: &mut dy,
        dx: Some(&mut dx),
    };
    let gradients = WeightGradients {
        weight: &mut dw,
        bias: Some(&mut db),
    };
    conv.backward(flow, gradients, &prepared, &mut scratch);
    [y, dw, db, dx]
}

/// The pool takes the largest of what the convolution makes, and both compute it alike.
#[test]
fn conv_pool2d_is_conv2d_and_the_pool() {
    for sizes in CONVOLUTIONS {
        let dims = dims(sizes);
        let [rows, columns, _] = dims.output;
        let pool = pool::Dims {
            samples: dims.samples,
            input: dims.output,
            output: [rows / 2, columns / 2],
            kernel: [2, 2],
            stride: [2, 2],
            dilation: [1, 1],
            before: [0, 0],
        };
        let apart = Conv2d {
            dims,
            activation: Activation::Relu,
            precision: Precision::Bf16,
        };
        let fused = ConvPool2d {
            dims,
            activation: Activation::Relu,
            pool,
            precision: Precision::Bf16,
        };
        let between = run_conv(&apart)
            .into_iter()
            .next()
            .expect("outputs come first");
        let mut expected = vec![0.0; pooled_len(&pool)];
        pool::max_forward(pool::MaxForward {
            dims: &pool,
            x: &between,
            y: &mut expected,
            places: None,
        });
        assert_eq!(run_pooled(&fused), expected, "{sizes:?}");
    }
}

fn pooled_len(pool: &pool::Dims) -> usize {
    pool.samples * pool.output[0] * pool.output[1] * pool.input[2]
}

fn run_pooled(conv: &ConvPool2d) -> Vec<f32> {
    let x = normal(1, conv.dims.input_len());
    let (weight, bias) = (
        normal(2, conv.dims.weight_len()),
        normal(3, conv.dims.output[2]),
    );
    let mut prepared = vec![0.0; conv.prepared_len::<f32>()];
    conv.prepare(&weight, &mut prepared);
    let weights = Weights {
        weight: &weight,
        bias: Some(&bias),
    };
    let mut y = vec![0.0; pooled_len(&conv.pool)];
    let mut places = vec![0; conv.pool.places_len()];
    let pooled = Pooled {
        y: &mut y,
        places: &mut places,
    };
    let scratch = &mut vec![0.0; conv.scratch_len()];
    conv.forward(&x, weights, &prepared, pooled, scratch);
    y
}
