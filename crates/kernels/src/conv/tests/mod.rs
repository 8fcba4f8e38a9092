//! Every implementation against the reference, and the promises about bits.

mod pooled;
mod rows;
mod winograd;

use super::{Dims, Forward, Implementation, InputGradient, Pass, WeightGradient};
use super::{forward_on, forward_scratch_len, prepare_on, prepared_len};
use super::{forward_pool_prepared_len, prepare_forward_pool_on};
use crate::elementwise::Activation;
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::pool;
use crate::random::Random;
use crate::simd::Isa;

/// samples, input, channels out, kernel, stride, dilation, padding [top, left, bottom, right], groups.
type Case = (
    usize,
    [usize; 3],
    usize,
    [usize; 2],
    [usize; 2],
    [usize; 2],
    [usize; 4],
    usize,
);

/// The listing's convolutions, sizes around the tiles, and everything odd.
#[rustfmt::skip]
const CASES: [Case; 34] = [
    (0, [5, 5, 2], 3, [3, 3], [1, 1], [1, 1], [0; 4], 1),
    (1, [1, 1, 1], 1, [1, 1], [1, 1], [1, 1], [0; 4], 1),
    (3, [1, 1, 7], 9, [1, 1], [1, 1], [1, 1], [0; 4], 1),
    (2, [28, 28, 1], 32, [3, 3], [1, 1], [1, 1], [0; 4], 1),
    (2, [13, 13, 32], 64, [3, 3], [1, 1], [1, 1], [0; 4], 1),
    (5, [5, 5, 64], 64, [3, 3], [1, 1], [1, 1], [0; 4], 1),
    (2, [7, 9, 3], 17, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 1),
    (2, [8, 8, 3], 8, [3, 3], [2, 2], [1, 1], [0, 0, 1, 1], 1),
    (2, [9, 8, 17], 16, [3, 2], [2, 3], [1, 1], [1, 0, 1, 1], 1),
    (1, [6, 7, 5], 3, [5, 5], [1, 1], [1, 1], [2, 2, 2, 2], 1),
    (2, [11, 10, 4], 6, [3, 3], [1, 1], [2, 3], [0; 4], 1),
    (2, [8, 8, 4], 6, [3, 3], [2, 1], [2, 3], [2, 3, 2, 3], 1),
    (1, [4, 4, 2], 15, [4, 4], [1, 1], [1, 1], [3, 3, 3, 3], 1),
    (2, [5, 6, 8], 33, [1, 1], [1, 1], [1, 1], [0; 4], 1),
    (2, [5, 6, 8], 31, [1, 1], [3, 2], [1, 1], [0; 4], 1),
    (2, [6, 6, 8], 12, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 4),
    (1, [6, 6, 6], 51, [3, 3], [2, 2], [1, 1], [1, 0, 1, 1], 3),
    (2, [6, 6, 8], 16, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 8),
    (2, [6, 7, 1], 1, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 1),
    (2, [6, 7, 4], 4, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1], 4),
    (2, [6, 7, 37], 37, [3, 3], [2, 1], [1, 2], [1, 1, 1, 1], 37),
    (1, [5, 5, 64], 64, [3, 3], [1, 1], [1, 1], [0; 4], 64),
    (1, [5, 5, 80], 80, [5, 1], [1, 2], [1, 1], [0; 4], 80),
    (2, [3, 3, 2], 130, [3, 3], [1, 1], [1, 1], [0; 4], 1),
    (7, [3, 3, 130], 2, [3, 3], [1, 1], [1, 1], [0; 4], 1),
    (1, [2, 1, 3], 4, [4, 3], [1, 1], [1, 1], [3, 2, 3, 2], 1),
    (1, [3, 40, 2], 24, [2, 7], [1, 1], [1, 1], [1, 3, 0, 3], 1),
    (1, [40, 3, 2], 24, [7, 2], [4, 1], [1, 1], [3, 1, 3, 0], 1),
    (3, [2, 2, 16], 48, [2, 2], [1, 1], [1, 1], [0; 4], 1),
    (2, [2, 2, 16], 48, [2, 2], [1, 1], [1, 1], [0; 4], 1),
    (1, [5, 5, 2], 64, [2, 2], [5, 5], [1, 1], [0; 4], 1),
    (1, [1, 9, 2], 3, [2, 2], [1, 1], [3, 1], [3, 0, 3, 0], 1),
    (1, [0, 3, 2], 3, [2, 2], [1, 1], [1, 1], [1, 1, 1, 1], 1),
    (1, [4, 4, 0], 3, [2, 2], [1, 1], [1, 1], [0; 4], 1),
];

fn dims_of(case: &Case) -> Dims {
    let &(samples, input, outputs, kernel, stride, dilation, padding, groups) = case;
    let size = |axis: usize| {
        let padded = input[axis] + padding[axis] + padding[axis + 2];
        (padded - (kernel[axis] - 1) * dilation[axis] - 1) / stride[axis] + 1
    };
    let output = [size(0), size(1), outputs];
    Dims {
        samples,
        input,
        output,
        kernel,
        stride,
        dilation,
        before: [padding[0], padding[1]],
        groups,
    }
}

fn fill<T: Float>(len: usize, stream: u32, value: fn(u32) -> f64) -> Vec<T> {
    let mut words = Random {
        seed: 11,
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

/// The operands of all passes of a case.
struct Problem<T> {
    dims: Dims,
    x: Vec<T>,
    weight: Vec<T>,
    bias: Vec<T>,
    dy: Vec<T>,
}

impl<T: Float> Problem<T> {
    fn new(dims: Dims, value: fn(u32) -> f64) -> Self {
        Self {
            x: fill(dims.input_len(), 0, value),
            weight: fill(dims.weight_len(), 1, value),
            bias: fill(dims.bias_len(), 2, value),
            dy: fill(dims.output_len(), 3, value),
            dims,
        }
    }

    /// What the forward pass reads of the weight.
    fn prepared(&self, isa: Isa) -> Vec<T> {
        let mut prepared = vec![T::NAN; prepared_len::<T>(&self.dims, Pass::Forward)];
        prepare_on(isa, &self.dims, Pass::Forward, &self.weight, &mut prepared);
        prepared
    }

    /// What the forward pass with a pool behind it reads of the weight.
    fn prepared_for_pool(&self, isa: Isa, pool: &pool::Dims) -> Vec<T> {
        let mut prepared = vec![T::NAN; forward_pool_prepared_len::<T>(&self.dims, pool)];
        prepare_forward_pool_on(isa, &self.dims, pool, &self.weight, &mut prepared);
        prepared
    }

    /// y, dw (added to ones) and dx.
    fn run(&self, by: &Implementation<T>, activation: Activation) -> [Vec<T>; 3] {
        let dims = &self.dims;
        let scratch = |pass| vec![T::NAN; (by.scratch_len)(dims, pass)];
        let prepared = |pass| {
            let mut prepared = vec![T::NAN; (by.prepared_len)(dims, pass)];
            by.prepare(dims, pass, &self.weight, &mut prepared);
            prepared
        };
        let mut y = vec![T::NAN; dims.output_len()];
        by.forward(Forward {
            dims,
            x: &self.x,
            weight: &self.weight,
            prepared: &prepared(Pass::Forward),
            epilogue: Epilogue {
                bias: Some(&self.bias),
                activation,
            },
            y: &mut y,
            scratch: &mut scratch(Pass::Forward),
        });
        let mut dweight = vec![T::ONE; dims.weight_len()];
        by.weight_gradient(WeightGradient {
            dims,
            x: &self.x,
            dy: &self.dy,
            dweight: &mut dweight,
            scratch: &mut scratch(Pass::WeightGradient),
        });
        let mut dx = vec![T::NAN; dims.input_len()];
        by.input_gradient(InputGradient {
            dims,
            weight: &self.weight,
            prepared: &prepared(Pass::InputGradient),
            dy: &self.dy,
            dx: &mut dx,
            scratch: &mut scratch(Pass::InputGradient),
        });
        [y, dweight, dx]
    }
}

fn reference<T: Float>() -> &'static Implementation<T> {
    Implementation::all().last().expect("the reference is last")
}

/// The implementations that this machine can run, the reference aside.
fn candidates<T: Float>() -> impl Iterator<Item = &'static Implementation<T>> {
    let all = Implementation::<T>::all();
    all[..all.len() - 1].iter().filter(|it| {
        let has_it = it.isa.is_available();
        if !has_it {
            println!("{}: not run, this machine lacks {}", it.name, it.isa);
        }
        has_it
    })
}

/// What larger tiles than those of F(2×2, 3×3), whose factors are no powers of two, lose of the largest number that they sum up to.
fn rounding<T: Float>(by: &Implementation<T>) -> f64 {
    let is_rounded = by.name.contains("winograd") && !by.name.contains("winograd2x2");
    match (is_rounded, T::BYTES) {
        (true, 4) => 1e-5,
        (true, _) => 1e-13,
        (false, _) => 0.0,
    }
}

fn largest<'a, T: Float>(values: impl IntoIterator<Item = &'a T>) -> f64 {
    let sizes = values.into_iter().map(|value| value.to_f64().abs());
    sizes.fold(0.0, f64::max)
}

fn agrees<T: Float>(value: fn(u32) -> f64, activation: Activation, tolerance: f64) {
    for case in &CASES {
        let problem = Problem::<T>::new(dims_of(case), value);
        let expected = problem.run(reference(), activation);
        for by in candidates::<T>().filter(|by| (by.supports)(&problem.dims)) {
            let found = problem.run(by, activation);
            // Activations squeeze y; the gradients are sums as large as it was.
            let lost = rounding(by) * largest(expected.iter().flatten());
            for (what, (found, expected)) in ["y", "dweight", "dx"]
                .iter()
                .zip(found.iter().zip(&expected))
            {
                for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
                    let error = (found.to_f64() - expected.to_f64()).abs();
                    let bound = tolerance * (1.0 + expected.to_f64().abs()) + lost;
                    assert!(
                        error <= bound,
                        "{} {case:?}: {what}[{i}] = {found}, not {expected}",
                        by.name
                    );
                }
            }
        }
    }
}

#[test]
fn small_integers_are_exact() {
    agrees::<f32>(integer, Activation::Relu, 0.0);
    agrees::<f64>(integer, Activation::LeakyRelu(0.5), 0.0);
}

#[test]
fn real_numbers_agree() {
    agrees::<f32>(real, Activation::Tanh, 3e-5);
    agrees::<f64>(real, Activation::Sigmoid, 1e-13);
}

/// Whatever the tiles and chunks, a sample's results are those it has alone.
fn alone_as_in_a_batch<T: Float>() {
    for case in &CASES {
        let mut dims = dims_of(case);
        dims.samples = 5;
        let batch = Problem::<T>::new(dims, real);
        for by in candidates::<T>().filter(|by| (by.supports)(&dims)) {
            let [y, _, dx] = batch.run(by, Activation::Identity);
            let (input, output) = (dims.input_len() / 5, dims.output_len() / 5);
            for n in 0..5 {
                let alone = Problem {
                    dims: Dims { samples: 1, ..dims },
                    x: batch.x[n * input..][..input].to_vec(),
                    weight: batch.weight.clone(),
                    bias: batch.bias.clone(),
                    dy: batch.dy[n * output..][..output].to_vec(),
                };
                let [y_alone, _, dx_alone] = alone.run(by, Activation::Identity);
                assert_eq!(
                    bits(&y[n * output..][..output]),
                    bits(&y_alone),
                    "{} {case:?}: y of {n}",
                    by.name
                );
                assert_eq!(
                    bits(&dx[n * input..][..input]),
                    bits(&dx_alone),
                    "{} {case:?}: dx of {n}",
                    by.name
                );
            }
        }
    }
}

#[test]
fn a_sample_alone_is_the_sample_in_a_batch() {
    alone_as_in_a_batch::<f32>();
    alone_as_in_a_batch::<f64>();
}

/// The weight gradient of a batch is that of its samples, added one after the other; by Winograd's way, that of some samples
/// at a time.
#[test]
fn weight_gradients_add_up_in_order() {
    for case in &CASES {
        let mut dims = dims_of(case);
        dims.samples = 40;
        let batch = Problem::<f32>::new(dims, real);
        let by_sample = |by: &&Implementation<f32>| !by.name.contains("winograd");
        for by in candidates().filter(|by| (by.supports)(&dims) && by_sample(by)) {
            let [_, expected, _] = batch.run(by, Activation::Identity);
            let (input, output) = (dims.input_len() / 40, dims.output_len() / 40);
            let mut dweight = vec![1.0; dims.weight_len()];
            let dims = &Dims { samples: 1, ..dims };
            for n in 0..40 {
                by.weight_gradient(WeightGradient {
                    dims,
                    x: &batch.x[n * input..][..input],
                    dy: &batch.dy[n * output..][..output],
                    dweight: &mut dweight,
                    scratch: &mut vec![0.0; (by.scratch_len)(dims, Pass::WeightGradient)],
                });
            }
            assert_eq!(bits(&dweight), bits(&expected), "{} {case:?}", by.name);
        }
    }
}

fn bits<T: Float>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits_u64()).collect()
}

/// The epilogue in the kernel is the epilogue after it.
#[test]
fn bias_and_activation_are_passes_of_their_own() {
    let activations = [
        Activation::Relu,
        Activation::LeakyRelu(0.1),
        Activation::Sigmoid,
        Activation::Tanh,
    ];
    for (case, activation) in CASES
        .iter()
        .flat_map(|case| activations.map(|activation| (case, activation)))
    {
        let problem = Problem::<f32>::new(dims_of(case), real);
        let dims = &problem.dims;
        for isa in Isa::available() {
            let run = |epilogue| {
                let mut y = vec![f32::NAN; dims.output_len()];
                let scratch = &mut vec![f32::NAN; forward_scratch_len(dims)];
                forward_on(
                    isa,
                    Forward {
                        dims,
                        x: &problem.x,
                        weight: &problem.weight,
                        prepared: &problem.prepared(isa),
                        epilogue,
                        y: &mut y,
                        scratch,
                    },
                );
                y
            };
            let fused = run(Epilogue {
                bias: Some(&problem.bias),
                activation,
            });
            let mut plain = run(Epilogue::NONE);
            for row in plain.chunks_mut(dims.output[2]) {
                row.iter_mut()
                    .zip(&problem.bias)
                    .for_each(|(y, bias)| *y += bias);
            }
            f32::dispatch_on(
                isa,
                super::activate::Activate {
                    activation,
                    values: &mut plain,
                },
            );
            assert_eq!(bits(&fused), bits(&plain), "{isa} {case:?} {activation:?}");
        }
    }
}

#[test]
#[should_panic(expected = "conv: x has 7 elements, the sizes ask for 8")]
fn a_short_operand_is_refused() {
    let dims = dims_of(&(1, [2, 2, 2], 1, [1, 1], [1, 1], [1, 1], [0; 4], 1));
    let (x, weight, epilogue) = (&[0.0_f32; 7][..], &[0.0; 2][..], Epilogue::NONE);
    let scratch = &mut vec![0.0; forward_scratch_len(&dims)];
    super::forward(Forward {
        dims: &dims,
        x,
        weight,
        prepared: &vec![0.0; prepared_len::<f32>(&dims, Pass::Forward)],
        epilogue,
        y: &mut [0.0; 4],
        scratch,
    });
}
