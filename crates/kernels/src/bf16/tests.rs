//! Products and convolutions of rounded operands against the definition in `f64`, on every level.

use super::level::{Bf16Level, Body, Level};
use super::{Product, conv, pack, pack_matrix, product, product_scratch_len, round, strips_len};
use crate::conv::winograd::Scheme;
use crate::conv::{Dims, Forward, Implementation, InputGradient, Pass, WeightGradient};
use crate::gemm::{Epilogue, MatrixRef, Start};
use crate::random::Random;
use crate::simd::on_every_level;

fn numbers(len: usize, stream: u32) -> Vec<f32> {
    let mut words = Random {
        seed: 5,
        stream,
        step: 0,
    }
    .sequence();
    let real = |word: u32| (f64::from(word) / f64::from(u32::MAX) * 2.0 - 1.0) as f32;
    (0..len).map(|_| real(words.next_u32())).collect()
}

fn rounded(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(round(x))).collect()
}

fn assert_near(found: &[f32], expected: &[f64], terms: usize, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let tolerance = 1e-6 * (terms as f64).sqrt().max(1.0) * 4.0;
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        assert!(
            error <= tolerance,
            "{what}: element {i} is {found}, expected {expected}"
        );
    }
}

#[test]
fn rounding_is_to_nearest_even() {
    let cases = [
        (1.0_f32, 1.0_f32),
        (-0.0, -0.0),
        (1.0 + 1.0 / 256.0, 1.0),
        (1.0 + 3.0 / 256.0, 1.0 + 4.0 / 256.0),
        (1.0 + 1.001 / 256.0, 1.0 + 2.0 / 256.0),
        (-5.437, -5.437_5),
        (f32::MAX, f32::INFINITY),
        (f32::NEG_INFINITY, f32::NEG_INFINITY),
        (f32::from_bits(1), 0.0),
    ];
    for (x, expected) in cases {
        assert_eq!(round(x).to_bits(), expected.to_bits(), "{x}");
    }
    for bits in [0x7f80_0001_u32, 0x7fff_ffff, 0xff80_0001] {
        assert!(round(f32::from_bits(bits)).is_nan(), "{bits:x}");
    }
}

#[test]
fn products_match_the_definition() {
    on_every_level(|| {
        for (m, n, k) in [
            (1, 1, 1),
            (3, 5, 2),
            (12, 32, 64),
            (13, 33, 7),
            (25, 65, 129),
            (4, 0, 3),
            (0, 4, 3),
            (5, 8, 0),
        ] {
            let (a, b) = (numbers(m * k, 0), numbers(k * n, 1));
            for a_transposed in [false, true] {
                for b_transposed in [false, true] {
                    let of = |values, rows, columns, transposed| {
                        if transposed {
                            MatrixRef::row_major(values, rows).transposed()
                        } else {
                            MatrixRef::row_major(values, columns)
                        }
                    };
                    let a = of(&a[..], m, k, a_transposed);
                    let b = of(&b[..], k, n, b_transposed);
                    check_product([m, n, k], a, b);
                }
            }
        }
    });
}

fn check_product([m, n, k]: [usize; 3], a: MatrixRef<'_, f32>, b: MatrixRef<'_, f32>) {
    for start in [Start::Zero, Start::Accumulate] {
        let mut strips = vec![f32::NAN; strips_len(k, n)];
        pack_matrix(k, n, b, &mut strips);
        let mut c = vec![0.5; m * n];
        let mut scratch = vec![f32::NAN; product_scratch_len(m, k)];
        let strips = &strips;
        product(
            Product {
                m,
                n,
                k,
                a,
                b: strips,
                start,
                epilogue: Epilogue::NONE,
            },
            &mut c,
            &mut scratch,
        );
        let element = |i: usize, j: usize| {
            let first = if start == Start::Zero { 0.0 } else { 0.5 };
            let factor = |x: f32| f64::from(round(x));
            (0..k).fold(first, |sum, p| {
                sum + factor(a.at(i, p)) * factor(b.at(p, j))
            })
        };
        let expected: Vec<f64> = (0..m * n).map(|at| element(at / n, at % n)).collect();
        assert_near(&c, &expected, k, &format!("{m}×{n}×{k} {start:?}"));
    }
}

/// samples, input, channels out, kernel, stride, padding before, padding after
type Case = (
    usize,
    [usize; 3],
    usize,
    [usize; 2],
    [usize; 2],
    usize,
    usize,
);

#[rustfmt::skip]
const CASES: [Case; 13] = [
    (1, [1, 1, 1], 1, [1, 1], [1, 1], 0, 0),
    (2, [6, 7, 3], 5, [3, 3], [1, 1], 1, 1),
    (3, [8, 8, 16], 33, [3, 3], [1, 1], 1, 1),
    (2, [5, 5, 64], 64, [3, 3], [1, 1], 0, 0),
    (2, [9, 8, 17], 16, [5, 2], [1, 1], 2, 1),
    (1, [7, 10, 4], 70, [1, 4], [1, 1], 0, 3),
    (2, [9, 9, 6], 12, [3, 3], [2, 2], 1, 1),
    (2, [8, 6, 5], 9, [1, 1], [3, 2], 0, 0),
    (0, [5, 5, 2], 3, [3, 3], [1, 1], 1, 1),
    (3, [4, 4, 64], 96, [3, 3], [1, 1], 1, 1),
    (2, [11, 9, 65], 50, [3, 3], [1, 1], 0, 0),
    (1, [30, 31, 64], 64, [3, 3], [1, 1], 1, 1),
    (0, [8, 8, 64], 64, [3, 3], [1, 1], 1, 1),
];

fn dims_of(&(samples, input, outputs, kernel, stride, before, after): &Case) -> Dims {
    let reach = |axis: usize| kernel[axis] - 1;
    let padding = |axis: usize| before.min(reach(axis)) + after.min(reach(axis));
    let size = |axis: usize| (input[axis] + padding(axis) - kernel[axis]) / stride[axis] + 1;
    Dims {
        samples,
        input,
        output: [size(0), size(1), outputs],
        kernel,
        stride,
        dilation: [1, 1],
        before: [before.min(reach(0)), before.min(reach(1))],
        groups: 1,
    }
}

#[test]
fn convolutions_match_the_reference() {
    on_every_level(|| {
        CASES
            .iter()
            .for_each(|case| check_convolution(&dims_of(case)))
    });
}

fn check_convolution(dims: &Dims) {
    let (x, weight, dy) = (
        numbers(dims.input_len(), 0),
        numbers(dims.weight_len(), 1),
        numbers(dims.output_len(), 2),
    );
    let operands = [&x, &weight, &dy];
    let exact = reference(dims, operands.map(|values| of_doubles(values)));
    let expected = reference(dims, operands.map(|values| rounded(values)));
    for (i, pass) in [Pass::Forward, Pass::WeightGradient, Pass::InputGradient]
        .into_iter()
        .enumerate()
    {
        assert_eq!(
            conv::takes(dims, pass),
            i == 0 || dims.stride == [1, 1],
            "{pass:?}"
        );
        if !conv::takes(dims, pass) {
            continue;
        }
        let mut packed = vec![f32::NAN; conv::weights_len(dims, pass)];
        conv::pack_weights(dims, pass, &weight, &mut packed);
        let mut scratch = vec![f32::NAN; conv::scratch_len(dims, pass)];
        let (packed, scratch) = (&packed, &mut scratch);
        let mut found = vec![f32::NAN; exact[i].len()];
        match pass {
            Pass::Forward => {
                conv::forward(dims, &x, packed, Epilogue::NONE, &mut found, scratch);
            }
            Pass::WeightGradient => {
                found.fill(1.0);
                conv::weight_gradient(dims, &x, &dy, &mut found, scratch);
            }
            Pass::InputGradient => conv::input_gradient(dims, &dy, packed, &mut found, scratch),
        }
        let taps = dims.kernel[0] * dims.kernel[1];
        let terms = [dims.terms(), dims.places(), taps * dims.output[2]][i];
        let what = format!("{pass:?} of {dims:?}");
        match conv::choose(dims, pass) {
            Some(scheme) => assert_within_rounding(&found, &exact[i], terms, scheme, &what),
            None => assert_near(&found, &expected[i], terms, &what),
        }
    }
}

/// Winograd's way rounds what the transforms yield: bounds for operands within ±1, for every number and for all of them together.
fn assert_within_rounding(found: &[f32], exact: &[f64], terms: usize, scheme: Scheme, what: &str) {
    let (most, together) = match scheme {
        Scheme::Two => (0.01, 0.0015),
        Scheme::Three => (0.03, 0.0035),
        Scheme::Four => (0.04, 0.0045),
    };
    let size = (terms as f64).sqrt().max(1.0);
    let mut squares = 0.0;
    for (i, (found, exact)) in found.iter().zip(exact).enumerate() {
        let error = (f64::from(*found) - exact).abs();
        squares += error * error;
        assert!(
            error <= most * size,
            "{what}: element {i} is {found}, expected {exact}"
        );
    }
    let deviation = (squares / found.len().max(1) as f64).sqrt() / size;
    assert!(
        deviation <= together,
        "{what}: errors of {deviation} a term, expected {together}"
    );
}

fn of_doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

/// y, dweight added to ones, dx.
fn reference(dims: &Dims, [x, weight, dy]: [Vec<f64>; 3]) -> [Vec<f64>; 3] {
    let by = Implementation::<f64>::all().last().expect("the reference");
    let mut y = vec![0.0; dims.output_len()];
    by.forward(Forward {
        dims,
        x: &x,
        weight: &weight,
        prepared: &[],
        epilogue: Epilogue::NONE,
        y: &mut y,
        scratch: &mut [],
    });
    let mut dweight = vec![1.0; dims.weight_len()];
    by.weight_gradient(WeightGradient {
        dims,
        x: &x,
        dy: &dy,
        dweight: &mut dweight,
        scratch: &mut [],
    });
    let mut dx = vec![0.0; dims.input_len()];
    by.input_gradient(InputGradient {
        dims,
        weight: &weight,
        prepared: &[],
        dy: &dy,
        dx: &mut dx,
        scratch: &mut [],
    });
    [y, dweight, dx]
}

/// The instruction itself, where there is one, and what stands in for it.
#[test]
fn every_level_adds_up_pairs() {
    struct Dot;
    impl Body for Dot {
        type Output = f32;
        fn run<L: Level>(self, level: L) -> f32 {
            use crate::simd::Simd as _;
            let simd = level.floats();
            let word =
                |first: f32, second: f32| pack::rounded(first) | (pack::rounded(second) << 16);
            let a = level.splat_pair(word(2.0, 3.0));
            let b = level.splat_pair(word(5.0, -7.0));
            simd.first(level.dot(simd.splat(0.25), a, b))
        }
    }
    for level in Bf16Level::ALL {
        if level.is_available() {
            println!("level: {level:?}");
            assert_eq!(level.run(Dot), 0.25 + 10.0 - 21.0);
        } else {
            println!("skipped: this machine lacks {level:?}");
        }
    }
}
