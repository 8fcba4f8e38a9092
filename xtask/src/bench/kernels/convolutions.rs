//! The convolutions of the chapter's network and of a VGG: forward, both gradients, and the passes with a max-pool.

use super::clock::Clock;
use super::{Amount, Row, filled};
use plywood::kernels::conv::{self, Dims, Pass};
use plywood::kernels::elementwise::Activation;
use plywood::kernels::gemm::Epilogue;
use plywood::kernels::{AlignedVec, pool};

/// Rows and columns in, channels in, channels out, padding before, images: those of the chapter's network over a block.
const CHAPTER: [[usize; 5]; 3] = [[28, 1, 32, 0, 8], [13, 32, 64, 0, 8], [5, 64, 64, 0, 8]];
/// How many of them have a max-pool behind.
const POOLED: usize = 2;
/// Those of the VGG.
const VGG: [[usize; 5]; 6] = [
    [32, 3, 64, 1, 4],
    [32, 64, 64, 1, 4],
    [16, 64, 128, 1, 4],
    [16, 128, 128, 1, 4],
    [8, 128, 256, 1, 4],
    [8, 256, 256, 1, 4],
];

pub(super) fn rows(clock: Clock) -> Vec<Row> {
    let mut rows = Vec::new();
    for sizes in CHAPTER.into_iter().chain(VGG) {
        let dims = dims(sizes);
        rows.push(forward(clock, &dims));
        rows.push(weight_gradient(clock, &dims));
        rows.push(input_gradient(clock, &dims));
    }
    for sizes in &CHAPTER[..POOLED] {
        let dims = dims(*sizes);
        let pool = pool_behind(&dims);
        rows.push(forward_pool(clock, &dims, &pool));
        rows.push(backward_pool(clock, &dims, &pool));
    }
    rows
}

fn dims([side, channels, filters, padding, samples]: [usize; 5]) -> Dims {
    let output = side + 2 * padding - 2;
    Dims {
        samples,
        input: [side, side, channels],
        output: [output, output, filters],
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        before: [padding, padding],
        groups: 1,
    }
}

/// A max-pool of 2×2 behind a convolution.
fn pool_behind(dims: &Dims) -> pool::Dims {
    let [rows, columns, _] = dims.output;
    pool::Dims {
        samples: dims.samples,
        input: dims.output,
        output: [rows / 2, columns / 2],
        kernel: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        before: [0, 0],
    }
}

fn name(dims: &Dims, pass: &str) -> String {
    let Dims {
        samples,
        input: [rows, columns, channels],
        output: [.., filters],
        ..
    } = dims;
    format!("convolution {samples}x{rows}x{columns}x{channels} to {filters}, {pass}")
}

/// Operations of a pass in which `places` numbers out are sums over a window of all channels.
fn flops(dims: &Dims, places: usize) -> Amount {
    let [kernel_rows, kernel_columns] = dims.kernel;
    let terms = kernel_rows * kernel_columns * dims.input[2] / dims.groups;
    Amount::Flops(2.0 * (places * terms) as f64)
}

/// What a pass reads of a weight, derived from it once a step.
fn prepared(dims: &Dims, pass: Pass, weight: &[f32]) -> AlignedVec<f32> {
    let mut prepared = AlignedVec::zeroed(conv::prepared_len::<f32>(dims, pass));
    conv::prepare(dims, pass, weight, &mut prepared);
    prepared
}

fn forward(clock: Clock, dims: &Dims) -> Row {
    let (x, weight) = (filled(dims.input_len()), filled(dims.weight_len()));
    let mut y = AlignedVec::zeroed(dims.output_len());
    let prepared = prepared(dims, Pass::Forward, &weight);
    let mut scratch = AlignedVec::zeroed(conv::forward_scratch_len(dims));
    let work = flops(dims, dims.output_len());
    Row::timed(clock, name(dims, "forward"), work, || {
        conv::forward(conv::Forward {
            dims,
            x: &x,
            weight: &weight,
            prepared: &prepared,
            epilogue: Epilogue::NONE,
            y: &mut y,
            scratch: &mut scratch,
        });
    })
}

fn weight_gradient(clock: Clock, dims: &Dims) -> Row {
    let (x, dy) = (filled(dims.input_len()), filled(dims.output_len()));
    let mut dweight = AlignedVec::zeroed(dims.weight_len());
    let mut scratch = AlignedVec::zeroed(conv::weight_gradient_scratch_len(dims));
    let work = flops(dims, dims.output_len());
    Row::timed(clock, name(dims, "weight gradient"), work, || {
        conv::weight_gradient(conv::WeightGradient {
            dims,
            x: &x,
            dy: &dy,
            dweight: &mut dweight,
            scratch: &mut scratch,
        });
    })
}

fn input_gradient(clock: Clock, dims: &Dims) -> Row {
    let (weight, dy) = (filled(dims.weight_len()), filled(dims.output_len()));
    let mut dx = AlignedVec::zeroed(dims.input_len());
    let prepared = prepared(dims, Pass::InputGradient, &weight);
    let mut scratch = AlignedVec::zeroed(conv::input_gradient_scratch_len(dims));
    let work = flops(dims, dims.output_len());
    Row::timed(clock, name(dims, "input gradient"), work, || {
        conv::input_gradient(conv::InputGradient {
            dims,
            weight: &weight,
            prepared: &prepared,
            dy: &dy,
            dx: &mut dx,
            scratch: &mut scratch,
        });
    })
}

fn forward_pool(clock: Clock, dims: &Dims, pool: &pool::Dims) -> Row {
    let (x, weight) = (filled(dims.input_len()), filled(dims.weight_len()));
    let bias = filled(dims.output[2]);
    let mut y = AlignedVec::zeroed(pool.output_len());
    let mut places = vec![0; pool.places_len()];
    let mut prepared = AlignedVec::zeroed(conv::forward_pool_prepared_len::<f32>(dims, pool));
    conv::prepare_forward_pool(dims, pool, &weight, &mut prepared);
    let mut scratch = AlignedVec::zeroed(conv::forward_pool_scratch_len(dims, pool));
    // What the pool drops need not be computed.
    let work = flops(dims, 4 * pool.output_len());
    Row::timed(clock, name(dims, "ReLU, max-pool, forward"), work, || {
        conv::forward_pool(conv::ForwardPool {
            dims,
            pool,
            x: &x,
            weight: &weight,
            prepared: &prepared,
            epilogue: Epilogue {
                bias: Some(&bias),
                activation: Activation::Relu,
            },
            y: &mut y,
            places: Some(&mut places),
            scratch: &mut scratch,
        });
    })
}

/// Both gradients; of the weight alone where the convolution is a network's first.
fn backward_pool(clock: Clock, dims: &Dims, pool: &pool::Dims) -> Row {
    let (x, weight) = (filled(dims.input_len()), filled(dims.weight_len()));
    let dy = filled(pool.output_len());
    let places: Vec<u8> = (0..pool.places_len()).map(|i| (i * 7 % 4) as u8).collect();
    let is_first = dims.input[2] == 1;
    let mut dx = (!is_first).then(|| AlignedVec::zeroed(dims.input_len()));
    let mut dweight = AlignedVec::zeroed(dims.weight_len());
    let mut prepared = AlignedVec::zeroed(conv::backward_pool_prepared_len::<f32>(dims, pool));
    conv::prepare_backward_pool(dims, pool, &weight, &mut prepared);
    let mut scratch = AlignedVec::zeroed(conv::backward_pool_scratch_len(dims, pool));
    // One pixel of a window has a gradient.
    let gradients = if is_first { 1 } else { 2 };
    let work = flops(dims, gradients * pool.output_len());
    Row::timed(clock, name(dims, "max-pool, backward"), work, || {
        conv::backward_pool(conv::BackwardPool {
            dims,
            pool,
            x: &x,
            weight: &weight,
            prepared: &prepared,
            dy: &dy,
            places: &places,
            dweight: &mut dweight,
            dx: dx.as_deref_mut(),
            scratch: &mut scratch,
        });
    })
}
