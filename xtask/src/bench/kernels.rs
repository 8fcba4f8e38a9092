//! Single kernels on one thread: how fast, and which share of the best product measured in the same run.

use super::median;
use super::table::Table;
use plywood::kernels::conv::{self, Dims};
use plywood::kernels::gemm::{Epilogue, Gemm, MatrixMut, MatrixRef, Start};
use plywood::kernels::{AlignedVec, Isa};
use std::time::Instant;

/// Products m × k by k × n: squares, and the thin ones of the chapter's networks.
const PRODUCTS: [(usize, usize, usize); 8] = [
    (64, 64, 64),
    (128, 128, 128),
    (256, 256, 256),
    (512, 512, 512),
    (1024, 1024, 1024),
    (8, 576, 64),
    (16, 64, 192),
    (1600, 64, 192),
];

pub(super) fn run(quick: bool) {
    println!("kernels on one thread, level {:?}", Isa::active());
    let rounds = if quick { 5 } else { 15 };
    let mut rows = Vec::new();
    for (m, k, n) in PRODUCTS {
        rows.push((
            format!("product {m}x{k} by {k}x{n}"),
            product(m, k, n, rounds),
        ));
    }
    for (name, dims) in convolutions() {
        rows.extend(convolution(name, &dims, rounds));
    }
    let best = rows.iter().fold(0.0, |best: f64, row| best.max(row.1));
    let mut table = Table::new(&["kernel", "GFLOP/s", "of the best"]);
    for (name, rate) in rows {
        table.row([
            name,
            format!("{rate:.1}"),
            format!("{:.0} %", 100.0 * rate / best),
        ]);
    }
    print!("{table}");
}

/// The three convolutions of the chapter's network over a block of eight images.
fn convolutions() -> [(&'static str, Dims); 3] {
    let dims = |side: usize, inputs, outputs| Dims {
        samples: 8,
        input: [side, side, inputs],
        output: [side - 2, side - 2, outputs],
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        before: [0, 0],
        groups: 1,
    };
    [
        ("convolution 28x28x1 to 32", dims(28, 1, 32)),
        ("convolution 13x13x32 to 64", dims(13, 32, 64)),
        ("convolution 5x5x64 to 64", dims(5, 64, 64)),
    ]
}

fn product(m: usize, k: usize, n: usize, rounds: usize) -> f64 {
    let (a, b) = (filled(m * k), filled(k * n));
    let mut c = AlignedVec::zeroed(m * n);
    let gemm = || Gemm {
        m,
        n,
        k,
        a: MatrixRef::row_major(&a, k),
        b: MatrixRef::row_major(&b, n),
        start: Start::Zero,
        epilogue: Epilogue::NONE,
    };
    let mut scratch = AlignedVec::zeroed(gemm().scratch_len());
    let flops = 2.0 * (m * n * k) as f64;
    rate(flops, rounds, || {
        gemm().run(MatrixMut::row_major(&mut c, n), &mut scratch)
    })
}

fn convolution(name: &str, dims: &Dims, rounds: usize) -> Vec<(String, f64)> {
    let (x, weight, dy) = (
        filled(dims.input_len()),
        filled(dims.weight_len()),
        filled(dims.output_len()),
    );
    let mut y = AlignedVec::zeroed(dims.output_len());
    let mut dx = AlignedVec::zeroed(dims.input_len());
    let mut dweight = AlignedVec::zeroed(dims.weight_len());
    let lens = [
        conv::forward_scratch_len(dims),
        conv::weight_gradient_scratch_len(dims),
        conv::input_gradient_scratch_len(dims),
    ];
    let mut scratch = AlignedVec::zeroed(lens.into_iter().max().unwrap_or(0));
    let flops = 2.0 * (dims.places() * dims.output[2] * dims.terms()) as f64;
    let forward = rate(flops, rounds, || {
        conv::forward(conv::Forward {
            dims,
            x: &x,
            weight: &weight,
            epilogue: Epilogue::NONE,
            y: &mut y,
            scratch: &mut scratch,
        });
    });
    let weights = rate(flops, rounds, || {
        conv::weight_gradient(conv::WeightGradient {
            dims,
            x: &x,
            dy: &dy,
            dweight: &mut dweight,
            scratch: &mut scratch,
        });
    });
    let inputs = rate(flops, rounds, || {
        conv::input_gradient(conv::InputGradient {
            dims,
            weight: &weight,
            dy: &dy,
            dx: &mut dx,
            scratch: &mut scratch,
        });
    });
    vec![
        (format!("{name}, forward"), forward),
        (format!("{name}, weight gradient"), weights),
        (format!("{name}, input gradient"), inputs),
    ]
}

/// Numbers without pattern, none of them denormal.
fn filled(len: usize) -> AlignedVec<f32> {
    let mut values = AlignedVec::zeroed(len);
    for (i, value) in values.iter_mut().enumerate() {
        *value = ((i * 7919 + 13) % 1000) as f32 / 500.0 - 1.0;
    }
    values
}

/// GFLOP/s: the median over rounds of about two milliseconds.
fn rate(flops: f64, rounds: usize, mut work: impl FnMut()) -> f64 {
    work();
    let start = Instant::now();
    work();
    let once = start.elapsed().as_secs_f64().max(1e-9);
    let times = (2e-3 / once).ceil().max(1.0) as usize;
    let mut rates: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..times {
                work();
            }
            flops * times as f64 / start.elapsed().as_secs_f64() / 1e9
        })
        .collect();
    median(&mut rates)
}
