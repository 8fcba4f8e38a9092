//! Every pass against the same formula in `f64`, at every length around a vector, on every level of this machine.

use super::{
    Activation, Dropout, activation_backward, activation_backward_in_place, activation_forward,
    activation_forward_in_place, add, add_assign, add_bias, axpy, column_sums, gelu_backward,
    gelu_forward, multiply, multiply_assign, scale, silu_backward, silu_forward, subtract,
};
use crate::float::Float;
use crate::gemm::Start;
use crate::math::erf_f64;
use crate::random::Random;
use crate::simd::on_every_level;

const LENGTHS: [usize; 12] = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 100];

fn values<T: Float>(len: usize, stream: u32) -> Vec<T> {
    let mut words = Random {
        seed: 11,
        stream,
        step: 0,
    }
    .sequence();
    (0..len)
        .map(|_| T::from_f64(words.uniform::<f64>() * 8.0 - 4.0))
        .collect()
}

/// Compares with a formula in `f64`, within a few units in the last place.
fn assert_close<T: Float>(got: &[T], what: &str, expected: impl Fn(usize) -> f64) {
    for (i, &got) in got.iter().enumerate() {
        let expected = expected(i);
        let tolerance = 16.0 * T::EPSILON.to_f64() * (1.0 + expected.abs());
        assert!(
            (got.to_f64() - expected).abs() <= tolerance,
            "{what}: element {i} is {got}, expected {expected}"
        );
    }
}

fn check_arithmetic<T: Float>() {
    for len in LENGTHS {
        let (a, b) = (values::<T>(len, 0), values::<T>(len, 1));
        let at = |i: usize| (a[i].to_f64(), b[i].to_f64());
        let mut out = vec![T::NAN; len];
        add(&a, &b, &mut out);
        assert_close(&out, "add", |i| at(i).0 + at(i).1);
        subtract(&a, &b, &mut out);
        assert_close(&out, "subtract", |i| at(i).0 - at(i).1);
        multiply(&a, &b, &mut out);
        assert_close(&out, "multiply", |i| at(i).0 * at(i).1);
        out.clone_from(&a);
        add_assign(&mut out, &b);
        assert_close(&out, "add_assign", |i| at(i).0 + at(i).1);
        out.clone_from(&a);
        multiply_assign(&mut out, &b);
        assert_close(&out, "multiply_assign", |i| at(i).0 * at(i).1);
        out.clone_from(&a);
        scale(T::from_f64(2.5), &mut out);
        assert_close(&out, "scale", |i| at(i).0 * 2.5);
        out.clone_from(&a);
        axpy(T::from_f64(-1.5), &b, &mut out);
        assert_close(&out, "axpy", |i| at(i).0 - 1.5 * at(i).1);
    }
}

#[test]
fn arithmetic_is_that_of_its_formulas() {
    on_every_level(check_arithmetic::<f32>);
    check_arithmetic::<f64>();
}

/// A function and its derivative, from x.
type Formula = (fn(f64) -> f64, fn(f64) -> f64);

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn normal(x: f64) -> f64 {
    0.5 * (1.0 + erf_f64(x / 2.0_f64.sqrt()))
}

const ACTIVATIONS: [(Activation, Formula); 5] = [
    (Activation::Identity, (|x| x, |_| 1.0)),
    (
        Activation::Relu,
        (|x| x.max(0.0), |x| if x > 0.0 { 1.0 } else { 0.0 }),
    ),
    (
        Activation::LeakyRelu(0.125),
        (|x| x.max(0.125 * x), |x| if x > 0.0 { 1.0 } else { 0.125 }),
    ),
    (
        Activation::Sigmoid,
        (sigmoid, |x| sigmoid(x) * (1.0 - sigmoid(x))),
    ),
    (Activation::Tanh, (f64::tanh, |x| 1.0 - x.tanh().powi(2))),
];

fn check_activations<T: Float>() {
    for (activation, (function, derivative)) in ACTIVATIONS {
        for len in LENGTHS {
            let (mut x, dy) = (values::<T>(len, 2), values::<T>(len, 3));
            if let Some(first) = x.first_mut() {
                *first = T::ZERO;
            }
            let (mut y, mut dx) = (vec![T::NAN; len], vec![T::NAN; len]);
            activation_forward(activation, &x, &mut y);
            assert_close(&y, &format!("{activation:?}"), |i| function(x[i].to_f64()));
            activation_backward(activation, &y, &dy, &mut dx);
            let expected = |i: usize| dy[i].to_f64() * derivative(x[i].to_f64());
            assert_close(&dx, &format!("{activation:?} backward"), expected);
            let mut gradient = dy.clone();
            activation_backward_in_place(activation, &y, &mut gradient);
            assert!(gradient == dx, "{activation:?} backward in place");
            activation_forward_in_place(activation, &mut x);
            assert!(x == y, "{activation:?} in place");
        }
    }
}

#[test]
fn activations_are_those_of_their_formulas() {
    on_every_level(check_activations::<f32>);
    check_activations::<f64>();
}

fn check_gated<T: Float>() {
    for len in LENGTHS {
        let (x, dy) = (values::<T>(len, 4), values::<T>(len, 5));
        let at = |i: usize| (x[i].to_f64(), dy[i].to_f64());
        let (mut y, mut dx) = (vec![T::NAN; len], vec![T::NAN; len]);
        gelu_forward(&x, &mut y);
        assert_close(&y, "gelu", |i| at(i).0 * normal(at(i).0));
        gelu_backward(&x, &dy, &mut dx);
        assert_close(&dx, "gelu backward", |i| {
            let (x, dy) = at(i);
            dy * (normal(x) + x * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt())
        });
        silu_forward(&x, &mut y);
        assert_close(&y, "silu", |i| at(i).0 * sigmoid(at(i).0));
        silu_backward(&x, &dy, &mut dx);
        assert_close(&dx, "silu backward", |i| {
            let (x, dy) = at(i);
            dy * sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)))
        });
    }
}

#[test]
fn gelu_and_silu_are_those_of_their_formulas() {
    on_every_level(check_gated::<f32>);
    check_gated::<f64>();
}

fn check_bias<T: Float>() {
    for columns in LENGTHS {
        for rows in [0, 1, 2, 7] {
            let (x, bias) = (values::<T>(rows * columns, 6), values::<T>(columns, 7));
            let mut y = x.clone();
            add_bias(&mut y, &bias);
            assert_close(&y, "add_bias", |i| {
                x[i].to_f64() + bias[i % columns].to_f64()
            });
            for start in [Start::Zero, Start::Accumulate] {
                let mut sums = bias.clone();
                column_sums(&x, &mut sums, start);
                // Exactly the sums in ascending rows.
                for j in 0..columns {
                    let first = if start == Start::Zero {
                        T::ZERO
                    } else {
                        bias[j]
                    };
                    let sum = (0..rows).fold(first, |sum, i| sum + x[i * columns + j]);
                    assert_eq!(
                        sums[j].to_bits_u64(),
                        sum.to_bits_u64(),
                        "{rows}×{columns} {start:?}, column {j}"
                    );
                }
            }
        }
    }
}

#[test]
fn bias_and_its_gradient_are_those_of_their_formulas() {
    on_every_level(check_bias::<f32>);
    check_bias::<f64>();
}

#[test]
fn dropout_does_not_depend_on_where_a_slice_is_cut() {
    on_every_level(check_dropout_cuts);
}

fn check_dropout_cuts() {
    let random = Random {
        seed: 5,
        stream: 2,
        step: 9,
    };
    let x = values::<f32>(333, 8);
    for keep in [1.0, 0.9, 0.25] {
        let dropout = Dropout {
            random,
            first_element: 1,
            keep,
        };
        let mut whole = x.clone();
        dropout.apply(&mut whole);
        for (i, (&x, &y)) in x.iter().zip(&whole).enumerate() {
            assert_eq!(
                y.to_bits(),
                (x * dropout.factor::<f32>(i)).to_bits(),
                "keep {keep}, element {i}"
            );
        }
        for cut in [1, 2, 3, 64, 100] {
            let mut parts = x.clone();
            for (i, part) in parts.chunks_mut(cut).enumerate() {
                let first_element = 1 + (i * cut) as u64;
                Dropout {
                    first_element,
                    ..dropout
                }
                .apply(part);
            }
            assert!(parts == whole, "keep {keep}, cut into {cut}");
        }
    }
}

#[test]
fn dropout_keeps_its_share() {
    let random = Random {
        seed: 1,
        stream: 0,
        step: 0,
    };
    for keep in [0.1, 0.5, 0.9] {
        let mut ones = vec![1.0_f64; 100_000];
        Dropout {
            random,
            first_element: 0,
            keep,
        }
        .apply(&mut ones);
        let kept = ones.iter().filter(|&&x| x == 1.0 / keep).count();
        let dropped = ones.iter().filter(|&&x| x == 0.0).count();
        assert_eq!(kept + dropped, ones.len());
        assert!(
            (kept as f64 / 1e5 - keep).abs() < 0.005,
            "keep {keep}: {kept}"
        );
    }
}
