//! Matrix products: squares, and the thin ones of the networks' dense and recurrent layers, forward and backward.

use super::clock::Clock;
use super::{Amount, Row, filled};
use plywood::kernels::AlignedVec;
use plywood::kernels::gemm::{Epilogue, Gemm, MatrixMut, MatrixRef, Start, second_opinion};

/// Sides of the squares.
pub(in crate::bench) const SQUARES: [usize; 6] = [64, 128, 256, 512, 1024, 2048];

/// m, k, n: a dense layer over a block of images, the inputs of a GRU for one step and for a hundred, the layers of an MLP.
pub(in crate::bench) const THIN: [[usize; 3]; 5] = [
    [8, 576, 64],
    [16, 64, 192],
    [1600, 64, 192],
    [128, 784, 512],
    [128, 512, 512],
];

/// Which operand lies transposed in memory.
#[derive(Clone, Copy)]
enum Form {
    /// None: the forward pass.
    Plain,
    /// B: the gradient of the inputs, dy · wᵀ.
    BackToInputs,
    /// A, and the sums go on from what is there: the gradient of the weight, xᵀ · dy.
    BackToWeight,
}

pub(super) fn rows(clock: Clock) -> Vec<Row> {
    let mut rows = Vec::new();
    for side in SQUARES {
        rows.extend(pair(clock, [side; 3], Form::Plain));
    }
    for [m, k, n] in THIN {
        rows.extend(pair(clock, [m, k, n], Form::Plain));
        rows.extend(pair(clock, [m, n, k], Form::BackToInputs));
        rows.extend(pair(clock, [k, m, n], Form::BackToWeight));
    }
    rows
}

/// A product, and the same one by the crate `matrixmultiply`.
fn pair(clock: Clock, sizes: [usize; 3], form: Form) -> [Row; 2] {
    let [m, k, n] = sizes;
    let (a, b) = (filled(m * k), filled(k * n));
    let mut c = AlignedVec::zeroed(m * n);
    let (name, a, b, start) = match form {
        Form::Plain => (
            format!("product {m}x{k} by {k}x{n}"),
            MatrixRef::row_major(&a, k),
            MatrixRef::row_major(&b, n),
            Start::Zero,
        ),
        Form::BackToInputs => (
            format!("product {m}x{k} by {k}x{n} transposed"),
            MatrixRef::row_major(&a, k),
            MatrixRef::row_major(&b, k).transposed(),
            Start::Zero,
        ),
        Form::BackToWeight => (
            format!("product {m}x{k} transposed by {k}x{n}, added"),
            MatrixRef::row_major(&a, m).transposed(),
            MatrixRef::row_major(&b, n),
            Start::Accumulate,
        ),
    };
    let gemm = Gemm {
        m,
        n,
        k,
        a,
        b,
        start,
        epilogue: Epilogue::NONE,
    };
    let mut scratch = AlignedVec::zeroed(gemm.scratch_len());
    let flops = || Amount::Flops(2.0 * (m * n * k) as f64);
    let theirs = format!("{name}, matrixmultiply");
    [
        Row::timed(clock, name, flops(), || {
            gemm.run(MatrixMut::row_major(&mut c, n), &mut scratch);
        }),
        Row::timed(clock, theirs, flops(), || {
            second_opinion(gemm, MatrixMut::row_major(&mut c, n));
        }),
    ]
}
