//! Matrix products on one thread, every implementation that this machine can run, beside the crate `matrixmultiply`.
//!
//! Each result is compared with the naive product before it is timed.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use plywood::kernels::gemm::{
    Epilogue, Gemm, Implementation, MatrixMut, MatrixRef, Start, scratch_len, second_opinion,
};
use plywood_testing::oracle::matmul;
use plywood_testing::{assert_close, random};

/// m, k, n: squares, a dense layer over a block of images, the inputs of a GRU for one step and for a hundred.
const PRODUCTS: [[usize; 3]; 5] = [
    [64, 64, 64],
    [256, 256, 256],
    [8, 576, 64],
    [16, 64, 192],
    [1600, 64, 192],
];

fn products(criterion: &mut Criterion) {
    for sizes in PRODUCTS {
        product(criterion, sizes);
    }
}

fn product(criterion: &mut Criterion, [m, k, n]: [usize; 3]) {
    let (a, b) = (random::fill_f32(1, m * k), random::fill_f32(2, k * n));
    let expected = matmul(&double(&a), &double(&b), [m, k, n]);
    let gemm = Gemm {
        m,
        n,
        k,
        a: MatrixRef::row_major(&a, k),
        b: MatrixRef::row_major(&b, n),
        start: Start::Zero,
        epilogue: Epilogue::NONE,
    };
    let mut c = vec![0.0; m * n];
    let mut scratch = vec![0.0; scratch_len(n, k)];
    let mut group = criterion.benchmark_group(format!("gemm {m}x{k}x{n}"));
    group.throughput(Throughput::Elements((2 * m * k * n) as u64));
    let mut time = |name: &str, run: &mut dyn FnMut(&mut [f32])| {
        c.fill(f32::NAN);
        run(&mut c);
        assert_close(&c, &expected, 1e-5, 1e-6 * k as f64);
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| run(&mut c));
        });
    };
    for implementation in Implementation::<f32>::ALL {
        if implementation.isa.is_available() && (implementation.supports)(&gemm) {
            time(implementation.name, &mut |c| {
                implementation.run(gemm, MatrixMut::row_major(c, n), &mut scratch);
            });
        }
    }
    time("matrixmultiply", &mut |c| {
        second_opinion(gemm, MatrixMut::row_major(c, n));
    });
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

criterion_group!(benches, products);
criterion_main!(benches);
