//! Every implementation against the reference, and the promises about bits.

use super::{
    Epilogue, Gemm, Implementation, MatrixMut, MatrixRef, Start, scratch_len, second_opinion,
};
use crate::elementwise::{Activation, Forward, MapInPlace};
use crate::float::Float;
use crate::random::Random;
use crate::simd::Isa;

/// (m, n, k): empty, single, around the tiles of every level, around the blocks of both paths, and large enough to ask
/// ahead on both.
const SIZES: [(usize, usize, usize); 32] = [
    (0, 3, 2),
    (3, 0, 2),
    (3, 5, 0),
    (1, 1, 1),
    (1, 130, 3),
    (2, 67, 9),
    (3, 16, 17),
    (3, 49, 5),
    (4, 8, 2),
    (5, 7, 31),
    (6, 16, 8),
    (7, 17, 33),
    (8, 48, 4),
    (9, 96, 3),
    (11, 31, 5),
    (13, 33, 6),
    (14, 32, 7),
    (15, 15, 64),
    (16, 64, 65),
    (28, 63, 10),
    (29, 65, 11),
    (113, 9, 2),
    (3, 257, 5),
    (115, 259, 3),
    (7, 33, 257),
    (15, 9, 600),
    (3, 511, 127),
    (16, 513, 128),
    (17, 529, 129),
    (9, 1025, 64),
    (51, 480, 210),
    (26, 1061, 131),
];

fn fill<T: Float>(len: usize, stream: u32, value: fn(u32) -> f64) -> Vec<T> {
    let mut words = Random {
        seed: 7,
        stream,
        step: 0,
    }
    .sequence();
    (0..len)
        .map(|_| T::from_f64(value(words.next_u32())))
        .collect()
}

/// Small integers, whose sums of products are exact in every order.
fn integer(word: u32) -> f64 {
    f64::from(word % 9) - 4.0
}

fn real(word: u32) -> f64 {
    f64::from(word) / f64::from(u32::MAX) * 2.0 - 1.0
}

/// How an operand lies in memory.
#[derive(Clone, Copy, Debug)]
enum Lie {
    RowMajor,
    Transposed,
    Padded,
}

fn strides(rows: usize, columns: usize, lie: Lie) -> (usize, usize) {
    match lie {
        Lie::RowMajor => (columns, 1),
        Lie::Transposed => (1, rows),
        Lie::Padded => (2 * columns + 3, 2),
    }
}

/// A problem with its data.
struct Problem<T> {
    size: (usize, usize, usize),
    a: Vec<T>,
    b: Vec<T>,
    c: Vec<T>,
    bias: Vec<T>,
    lies: (Lie, Lie),
    c_row: usize,
}

impl<T: Float> Problem<T> {
    fn new(size: (usize, usize, usize), lies: (Lie, Lie), value: fn(u32) -> f64) -> Self {
        let (m, n, k) = size;
        let len = |rows, columns| 2 * (rows + 1) * (columns + 2);
        let c_row = n + 3;
        Self {
            size,
            a: fill(len(m, k), 0, value),
            b: fill(len(k, n), 1, value),
            c: fill(m * c_row, 2, value),
            bias: fill(n, 3, value),
            lies,
            c_row,
        }
    }

    fn gemm(&self, start: Start, epilogue: Epilogue<'static, T>) -> Gemm<'_, T> {
        let (m, n, k) = self.size;
        let matrix = |data, (row_stride, column_stride)| MatrixRef {
            data,
            row_stride,
            column_stride,
        };
        let a = matrix(&self.a[..], strides(m, k, self.lies.0));
        let b = matrix(&self.b[..], strides(k, n, self.lies.1));
        Gemm {
            m,
            n,
            k,
            a,
            b,
            start,
            epilogue,
        }
    }

    fn run(&self, implementation: &Implementation<T>, gemm: Gemm<'_, T>) -> Vec<T> {
        let mut c = self.c.clone();
        let (_, n, k) = self.size;
        let mut scratch = vec![T::NAN; scratch_len(n, k)];
        implementation.run(
            gemm,
            MatrixMut {
                data: &mut c,
                row_stride: self.c_row,
            },
            &mut scratch,
        );
        c
    }
}

/// Those that run here, but for the reference.
fn kernels<T: Float>() -> impl Iterator<Item = &'static Implementation<T>> {
    let (_, kernels) = Implementation::ALL.split_last().unwrap();
    kernels.iter().filter(|implementation| {
        if !implementation.isa.is_available() {
            println!(
                "skipped: this machine lacks {} for {}",
                implementation.isa, implementation.name
            );
        }
        implementation.isa.is_available()
    })
}

fn reference<T: Float>() -> &'static Implementation<T> {
    Implementation::ALL.last().unwrap()
}

/// Every kernel on every size and layout; `exact` or within rounding of sums of up to 600 products.
fn check_all<T: Float>(value: fn(u32) -> f64, exact: bool) {
    for implementation in kernels::<T>() {
        for size in SIZES {
            for lies in [
                (Lie::RowMajor, Lie::RowMajor),
                (Lie::Transposed, Lie::RowMajor),
                (Lie::RowMajor, Lie::Transposed),
                (Lie::Padded, Lie::Padded),
            ] {
                let problem = Problem::<T>::new(size, lies, value);
                for start in [Start::Zero, Start::Accumulate] {
                    let gemm = problem.gemm(start, Epilogue::NONE);
                    if !(implementation.supports)(&gemm) {
                        continue;
                    }
                    let got = problem.run(implementation, gemm);
                    let expected = problem.run(reference(), gemm);
                    let tolerance = if exact {
                        0.0
                    } else {
                        1e2 * T::EPSILON.to_f64()
                    };
                    for (i, (&got, &expected)) in got.iter().zip(&expected).enumerate() {
                        assert!(
                            (got.to_f64() - expected.to_f64()).abs() <= tolerance,
                            "{} {size:?} {lies:?} {start:?}: element {i} is {got}, expected {expected}",
                            implementation.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn kernels_equal_the_reference_on_integers() {
    check_all::<f32>(integer, true);
    check_all::<f64>(integer, true);
}

#[test]
fn kernels_agree_with_the_reference_on_reals() {
    check_all::<f32>(real, false);
    check_all::<f64>(real, false);
}

#[test]
fn the_second_opinion_agrees() {
    for size in SIZES {
        for lies in [
            (Lie::RowMajor, Lie::RowMajor),
            (Lie::Transposed, Lie::Padded),
        ] {
            let problem = Problem::<f64>::new(size, lies, real);
            for start in [Start::Zero, Start::Accumulate] {
                let gemm = problem.gemm(start, Epilogue::NONE);
                let expected = problem.run(reference(), gemm);
                let mut c = problem.c.clone();
                second_opinion(
                    gemm,
                    MatrixMut {
                        data: &mut c,
                        row_stride: problem.c_row,
                    },
                );
                assert!(
                    c.iter().zip(&expected).all(|(c, e)| (c - e).abs() < 1e-13),
                    "{size:?} {lies:?} {start:?}"
                );
            }
        }
    }
}

#[test]
fn both_paths_of_a_level_give_the_same_bits() {
    for isa in Isa::available() {
        for size in SIZES {
            let problem = Problem::<f32>::new(size, (Lie::RowMajor, Lie::RowMajor), real);
            let gemm = problem.gemm(Start::Accumulate, Epilogue::NONE);
            let mut results = kernels()
                .filter(|kernel| kernel.isa == isa)
                .map(|kernel| problem.run(kernel, gemm));
            let (direct, packed) = (results.next().unwrap(), results.next().unwrap());
            assert_bits(&direct, &packed, &format!("{isa} {size:?}"));
        }
    }
}

/// A row's bits do not depend on the rows beside it: each row computed alone, and each in batches of every size.
#[test]
fn a_row_alone_equals_the_row_in_a_batch() {
    for (n, k) in [(77, 300), (530, 130)] {
        check_rows_alone(n, k);
    }
}

fn check_rows_alone(n: usize, k: usize) {
    let (a, b) = (fill::<f32>(40 * k, 0, real), fill::<f32>(k * n, 1, real));
    for isa in Isa::available() {
        for lie in [Lie::RowMajor, Lie::Transposed] {
            let (row_stride, column_stride) = strides(k, n, lie);
            let product = |first: usize, m: usize| {
                let gemm = Gemm {
                    m,
                    n,
                    k,
                    a: MatrixRef::row_major(&a[first * k..], k),
                    b: MatrixRef {
                        data: &b,
                        row_stride,
                        column_stride,
                    },
                    start: Start::Zero,
                    epilogue: Epilogue::NONE,
                };
                let mut c = vec![0.0; m * n];
                gemm.run_on(
                    isa,
                    MatrixMut::row_major(&mut c, n),
                    &mut vec![0.0; gemm.scratch_len()],
                );
                c
            };
            let whole = product(0, 40);
            for m in [1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 17] {
                for first in 0..40 - m {
                    assert_bits(
                        &product(first, m),
                        &whole[first * n..][..m * n],
                        &format!("{isa} {lie:?} {m} {first}"),
                    );
                }
            }
        }
    }
}

/// The fused epilogue against the plain product, then + bias, then the activation in a pass of its own.
fn check_epilogue<T: Float>(isa: Isa) {
    const ACTIVATIONS: [Activation; 5] = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu(0.25),
        Activation::Sigmoid,
        Activation::Tanh,
    ];
    for size in SIZES {
        let (m, n, _) = size;
        for lies in [
            (Lie::RowMajor, Lie::RowMajor),
            (Lie::RowMajor, Lie::Transposed),
        ] {
            let problem = Problem::<T>::new(size, lies, real);
            let run = |gemm: Gemm<'_, T>| {
                let mut c = problem.c.clone();
                let mut scratch = vec![T::NAN; gemm.scratch_len()];
                gemm.run_on(
                    isa,
                    MatrixMut {
                        data: &mut c,
                        row_stride: problem.c_row,
                    },
                    &mut scratch,
                );
                c
            };
            let plain = problem.gemm(Start::Accumulate, Epilogue::NONE);
            let sums = run(plain);
            for activation in ACTIVATIONS {
                let bias = Some(&problem.bias[..]);
                let fused = run(Gemm {
                    epilogue: Epilogue { bias, activation },
                    ..plain
                });
                let mut expected = sums.clone();
                for row in 0..m {
                    let row = &mut expected[row * problem.c_row..][..n];
                    row.iter_mut()
                        .zip(&problem.bias)
                        .for_each(|(x, &b)| *x += b);
                    T::dispatch_on(
                        isa,
                        MapInPlace {
                            function: Forward(activation),
                            values: row,
                        },
                    );
                }
                assert_bits(
                    &fused,
                    &expected,
                    &format!("{isa} {size:?} {lies:?} {activation:?}"),
                );
            }
        }
    }
}

#[test]
fn the_epilogue_equals_passes_of_its_own() {
    for isa in Isa::available() {
        check_epilogue::<f32>(isa);
    }
    check_epilogue::<f64>(Isa::Scalar);
}

fn assert_bits<T: Float>(got: &[T], expected: &[T], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(
            got.to_bits_u64(),
            expected.to_bits_u64(),
            "{what}: element {i} is {got}, expected {expected}"
        );
    }
}

#[test]
#[should_panic(expected = "gemm: B of 3×2 with strides 2, 1 needs 6 elements, got 5")]
fn a_short_operand_is_refused() {
    let (a, b, mut c) = ([0.0_f32; 3], [0.0; 5], [0.0; 2]);
    let gemm = Gemm {
        m: 1,
        n: 2,
        k: 3,
        a: MatrixRef::row_major(&a, 3),
        b: MatrixRef::row_major(&b, 2),
        start: Start::Zero,
        epilogue: Epilogue::NONE,
    };
    gemm.run(MatrixMut::row_major(&mut c, 2), &mut []);
}
