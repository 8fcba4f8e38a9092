//! Convolution with a max-pool behind it, forward and backward, against the two operations one after the other.

use super::{CASES, Problem, bits, dims_of, fill, integer, largest, real, rounding};
use crate::conv::winners::is_sparse;
use crate::conv::{
    BackwardPool, Dims, Forward, ForwardPool, Implementation, InputGradient, Pass, WeightGradient,
    backward_pool_on, backward_pool_prepared_len, backward_pool_scratch_len, forward_pool_on,
    forward_pool_scratch_len, prepare_backward_pool_on,
};
use crate::elementwise::Activation;
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::pool::{self, MaxBackward, MaxForward, max_backward, max_forward_on};
use crate::simd::Isa;

/// Window, stride, padding above and left.
const POOLS: [([usize; 2], [usize; 2], [usize; 2]); 6] = [
    ([2, 2], [2, 2], [0, 0]),
    ([2, 2], [2, 2], [1, 1]),
    ([3, 3], [2, 2], [1, 1]),
    ([2, 2], [1, 1], [0, 0]),
    ([2, 3], [3, 2], [0, 0]),
    ([1, 1], [1, 1], [0, 0]),
];

/// Convolution and pool in one pass are the two passes, by the same kernel, to the bit, places included.
fn fused_pool_is_two_passes<T: Float>(value: fn(u32) -> f64, activation: Activation) {
    for (case, &(kernel, stride, before)) in CASES
        .iter()
        .flat_map(|case| POOLS.iter().map(move |p| (case, p)))
    {
        let problem = Problem::<T>::new(dims_of(case), value);
        let dims = &problem.dims;
        let fits = (0..2).all(|axis| dims.output[axis] + before[axis] >= kernel[axis]);
        if !fits {
            continue;
        }
        let output =
            [0, 1].map(|axis| (dims.output[axis] + before[axis] - kernel[axis]) / stride[axis] + 1);
        let dilation = [1, 1];
        let pool = &pool::Dims {
            samples: dims.samples,
            input: dims.output,
            output,
            kernel,
            stride,
            dilation,
            before,
        };
        let epilogue = Epilogue {
            bias: Some(&problem.bias[..]),
            activation,
        };
        let (x, weight) = (&problem.x[..], &problem.weight[..]);
        for isa in Isa::available() {
            let prepared = &problem.prepared_for_pool(isa, pool)[..];
            let mut conv = vec![T::NAN; dims.output_len()];
            let scratch = &mut vec![T::NAN; forward_pool_scratch_len(dims, pool)];
            Implementation::best_before_pool(isa, dims, pool).forward(Forward {
                dims,
                x,
                weight,
                prepared,
                epilogue,
                y: &mut conv,
                scratch,
            });
            let (mut expected, mut expected_places) =
                (vec![T::NAN; pool.output_len()], vec![77; pool.places_len()]);
            let places = Some(&mut expected_places[..]);
            max_forward_on(
                isa,
                MaxForward {
                    dims: pool,
                    x: &conv,
                    y: &mut expected,
                    places,
                },
            );
            let (mut y, mut found_places) =
                (vec![T::NAN; pool.output_len()], vec![78; pool.places_len()]);
            let places = Some(&mut found_places[..]);
            forward_pool_on(
                isa,
                ForwardPool {
                    dims,
                    pool,
                    x,
                    weight,
                    prepared,
                    epilogue,
                    y: &mut y,
                    places,
                    scratch,
                },
            );
            assert_eq!(bits(&y), bits(&expected), "{isa} {case:?} {kernel:?}");
            assert_eq!(found_places, expected_places, "{isa} {case:?} {kernel:?}");
            forward_pool_on(
                isa,
                ForwardPool {
                    dims,
                    pool,
                    x,
                    weight,
                    prepared,
                    epilogue,
                    y: &mut y,
                    places: None,
                    scratch,
                },
            );
            assert_eq!(
                bits(&y),
                bits(&expected),
                "{isa} {case:?} {kernel:?} without places"
            );
        }
    }
}

#[test]
fn a_fused_pool_is_two_passes() {
    fused_pool_is_two_passes::<f32>(real, Activation::Relu);
    fused_pool_is_two_passes::<f32>(integer, Activation::Identity);
    fused_pool_is_two_passes::<f32>(integer, Activation::Sigmoid);
    fused_pool_is_two_passes::<f64>(real, Activation::Relu);
}

/// Small integers, most of them 0, as activations leave gradients.
fn sparse_integer(word: u32) -> f64 {
    f64::from(word % 5 / 2) - f64::from(word % 3 / 2)
}

/// Convolutions that go through the winners alone and others that do not, with pools.
fn backward_cases() -> impl Iterator<Item = (Dims, pool::Dims)> {
    #[rustfmt::skip]
    let more = [
        (3, [13, 13, 32], 70, [3, 3], [1, 1], [1, 1], [0; 4], 1),
        (2, [12, 11, 17], 5, [2, 3], [1, 2], [2, 1], [0; 4], 1),
        (2, [9, 9, 24], 130, [1, 1], [1, 1], [1, 1], [0; 4], 1),
        (1, [17, 17, 100], 3, [2, 2], [1, 1], [1, 1], [0; 4], 1),
        (80, [4, 4, 16], 3, [1, 1], [1, 1], [1, 1], [0; 4], 1),
        // Patches in registers: whole and partial vectors, many channels out, more windows than go together, whole samples.
        (2, [9, 8, 30], 65, [3, 3], [1, 1], [1, 1], [0; 4], 1),
        (2, [20, 23, 16], 17, [3, 3], [1, 1], [1, 1], [0; 4], 1),
        (9, [6, 7, 48], 130, [3, 3], [1, 1], [1, 1], [0; 4], 1),
        (1, [4, 4, 15], 1, [3, 3], [1, 1], [1, 1], [0; 4], 1),
        // One channel in, of which all that a window reaches fits a vector or does not.
        (3, [10, 9, 1], 33, [3, 3], [1, 1], [1, 1], [0; 4], 1),
        (2, [7, 8, 1], 65, [2, 2], [1, 1], [1, 1], [0; 4], 1),
        (2, [4, 4, 1], 16, [3, 3], [1, 1], [1, 1], [0; 4], 1),
        (1, [8, 9, 1], 3, [2, 3], [1, 1], [1, 1], [0; 4], 1),
        (1, [6, 9, 1], 17, [1, 4], [1, 1], [1, 1], [0; 4], 1),
        (1, [7, 7, 1], 1, [2, 2], [1, 1], [2, 2], [0; 4], 1),
    ];
    let pools = [
        ([2, 2], [2, 2]),
        ([3, 3], [2, 2]),
        ([4, 4], [4, 4]),
        ([2, 1], [2, 1]),
        ([2, 2], [1, 1]),
    ];
    let cases = CASES.into_iter().chain(more).map(|case| dims_of(&case));
    cases.flat_map(move |dims| {
        pools.into_iter().filter_map(move |(kernel, stride)| {
            let fits = (0..2).all(|axis| dims.output[axis] >= kernel[axis]);
            let output = |axis: usize| (dims.output[axis] - kernel[axis]) / stride[axis] + 1;
            fits.then(|| {
                let (samples, input, dilation) = (dims.samples, dims.output, [1, 1]);
                let output = [output(0), output(1)];
                (
                    dims,
                    pool::Dims {
                        samples,
                        input,
                        output,
                        kernel,
                        stride,
                        dilation,
                        before: [0, 0],
                    },
                )
            })
        })
    })
}

/// dw (added to ones) and dx through convolution and pool.
fn backward<T: Float>(
    isa: Isa,
    problem: &Problem<T>,
    pool: &pool::Dims,
    dy: &[T],
    places: &[u8],
) -> [Vec<T>; 2] {
    let dims = &problem.dims;
    let (mut dweight, mut dx) = (
        vec![T::ONE; dims.weight_len()],
        vec![T::NAN; dims.input_len()],
    );
    let mut prepared = vec![T::NAN; backward_pool_prepared_len::<T>(dims, pool)];
    prepare_backward_pool_on(isa, dims, pool, &problem.weight, &mut prepared);
    backward_pool_on(
        isa,
        BackwardPool {
            dims,
            pool,
            x: &problem.x,
            weight: &problem.weight,
            prepared: &prepared,
            dy,
            places,
            dweight: &mut dweight,
            dx: Some(&mut dx),
            scratch: &mut vec![T::NAN; backward_pool_scratch_len(dims, pool)],
        },
    );
    [dweight, dx]
}

fn places_of(pool: &pool::Dims) -> Vec<u8> {
    let most = (pool.kernel[0] * pool.kernel[1]) as f64;
    let random: Vec<f64> = fill(pool.places_len(), 9, |word| {
        f64::from(word) / f64::from(u32::MAX)
    });
    random
        .into_iter()
        .map(|share| (share * most).min(most - 1.0) as u8)
        .collect()
}

fn backward_is_two_passes<T: Float>() {
    let reference = Implementation::<T>::all()
        .last()
        .expect("the reference is last");
    for (dims, pool) in backward_cases() {
        let problem = Problem::<T>::new(dims, integer);
        let (dims, pool) = (&problem.dims, &pool);
        let (dy, places) = (
            fill::<T>(pool.output_len(), 5, sparse_integer),
            places_of(pool),
        );
        let mut between = vec![T::NAN; dims.output_len()];
        max_backward(MaxBackward {
            dims: pool,
            dy: &dy,
            places: &places,
            dx: &mut between,
        });
        let (mut dweight, mut dx) = (
            vec![T::ONE; dims.weight_len()],
            vec![T::NAN; dims.input_len()],
        );
        let (x, weight, dy_conv) = (&problem.x[..], &problem.weight[..], &between[..]);
        reference.weight_gradient(WeightGradient {
            dims,
            x,
            dy: dy_conv,
            dweight: &mut dweight,
            scratch: &mut [],
        });
        reference.input_gradient(InputGradient {
            dims,
            weight,
            prepared: &[],
            dy: dy_conv,
            dx: &mut dx,
            scratch: &mut [],
        });
        for isa in Isa::available() {
            let found = backward(isa, &problem, pool, &dy, &places);
            let passes = [Pass::WeightGradient, Pass::InputGradient];
            for ((found, expected), pass) in found.iter().zip([&dweight, &dx]).zip(passes) {
                // Winners are followed exactly; the plain gradients may go by F(3×3, 3×3).
                let by = Implementation::<T>::best(isa, dims, pass);
                let is_exact = is_sparse(dims, pool);
                let bound = if is_exact {
                    0.0
                } else {
                    rounding(by) * largest(expected)
                };
                for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
                    let error = (found.to_f64() - expected.to_f64()).abs();
                    assert!(
                        error <= bound,
                        "{isa} {dims:?} {pool:?} {pass:?}: {found} at {i}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_way_back_is_two_passes() {
    backward_is_two_passes::<f32>();
    backward_is_two_passes::<f64>();
}

/// A sample's input gradient does not depend on the others.
#[test]
fn the_way_back_of_a_sample_is_its_own() {
    for (dims, pool) in backward_cases().filter(|(dims, _)| dims.samples > 1) {
        let batch = Problem::<f32>::new(dims, real);
        let (dy, places) = (fill::<f32>(pool.output_len(), 5, real), places_of(&pool));
        for isa in Isa::available() {
            let [_, dx] = backward(isa, &batch, &pool, &dy, &places);
            let one = pool::Dims { samples: 1, ..pool };
            let (input, output) = (dims.input_len() / dims.samples, one.output_len());
            for n in 0..dims.samples {
                let alone = Problem {
                    dims: Dims { samples: 1, ..dims },
                    x: batch.x[n * input..][..input].to_vec(),
                    weight: batch.weight.clone(),
                    bias: Vec::new(),
                    dy: Vec::new(),
                };
                let part = n * output..(n + 1) * output;
                let [_, dx_alone] = backward(isa, &alone, &one, &dy[part.clone()], &places[part]);
                assert_eq!(
                    bits(&dx[n * input..][..input]),
                    bits(&dx_alone),
                    "{isa} {dims:?} {pool:?}: {n}"
                );
            }
        }
    }
}

#[test]
#[should_panic(expected = "a place lies outside of its window")]
fn a_place_outside_of_its_window_is_refused() {
    let dims = dims_of(&(1, [4, 4, 16], 1, [1, 1], [1, 1], [1, 1], [0; 4], 1));
    let (samples, kernel, dilation) = (1, [2, 2], [1, 1]);
    let pool = pool::Dims {
        samples,
        input: dims.output,
        output: [2, 2],
        kernel,
        stride: [2, 2],
        dilation,
        before: [0, 0],
    };
    backward(
        Isa::Scalar,
        &Problem::<f32>::new(dims, real),
        &pool,
        &[1.0; 4],
        &[0, 1, 2, 4],
    );
}
