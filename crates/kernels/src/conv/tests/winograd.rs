//! Winograd's convolution: its error, its choice, and sizes that the case table lacks.

use super::{
    Case, Problem, bits, candidates, dims_of, integer, largest, real, reference, rounding,
};
use crate::conv::winograd::{Scheme, choose, choose_in_windows};
use crate::conv::{Dims, Implementation, Pass, WeightGradient};
use crate::elementwise::Activation;
use crate::float::Float;
use crate::pool;

/// Lopsided and wide padding, tiles that stick out on every side, several strips and slabs, no place in the middle of the image.
#[rustfmt::skip]
const CASES: [Case; 13] = [
    (3, [4, 4, 5], 7, [3, 3], [1, 1], [1, 1], [2, 1, 0, 3], 1),
    (3, [5, 4, 3], 2, [3, 3], [1, 1], [1, 1], [0, 2, 5, 1], 1),
    (2, [1, 1, 4], 3, [3, 3], [1, 1], [1, 1], [2, 2, 2, 2], 1),
    (2, [1, 6, 9], 8, [3, 3], [1, 1], [1, 1], [1, 0, 1, 0], 1),
    (2, [0, 3, 2], 3, [3, 3], [1, 1], [1, 1], [2, 1, 2, 1], 1),
    (1, [4, 4, 33], 65, [3, 3], [1, 1], [1, 1], [1; 4], 1),
    (1, [4, 5, 65], 31, [3, 3], [1, 1], [1, 1], [1; 4], 1),
    (5, [19, 18, 16], 17, [3, 3], [1, 1], [1, 1], [1; 4], 1),
    (9, [8, 8, 16], 16, [3, 3], [1, 1], [1, 1], [1; 4], 1),
    (2, [7, 8, 5], 18, [3, 3], [1, 1], [1, 1], [1, 0, 0, 1], 1),
    (2, [8, 11, 17], 65, [3, 3], [1, 1], [1, 1], [0; 4], 1),
    (3, [4, 9, 65], 3, [3, 3], [1, 1], [1, 1], [0, 2, 1, 0], 1),
    (9, [5, 5, 64], 17, [3, 3], [1, 1], [1, 1], [0; 4], 1),
];

/// The implementations of this kind that this machine can run.
fn ways<T: Float>() -> impl Iterator<Item = &'static Implementation<T>> {
    candidates().filter(|by| by.name.contains("winograd"))
}

/// Exact by F(2×2, 3×3), which halves and quarters.
fn small_integers_agree<T: Float>() {
    for case in &CASES {
        let problem = Problem::<T>::new(dims_of(case), integer);
        let expected = problem.run(reference(), Activation::Relu);
        for by in ways::<T>() {
            let found = problem.run(by, Activation::Relu);
            for (found, expected) in found.iter().zip(&expected) {
                let bound = rounding(by) * largest(expected);
                for (found, expected) in found.iter().zip(expected) {
                    let error = (found.to_f64() - expected.to_f64()).abs();
                    assert!(
                        error <= bound,
                        "{} {case:?}: {found}, not {expected}",
                        by.name
                    );
                }
            }
        }
    }
}

#[test]
fn small_integers_agree_at_every_edge() {
    small_integers_agree::<f32>();
    small_integers_agree::<f64>();
}

/// All passes stay within 1e-5 of the largest result, for the sizes of real layers.
#[test]
fn the_error_is_small() {
    let sizes = [
        (2, [13, 13, 32], 64, 0),
        (1, [32, 32, 64], 64, 1),
        (1, [8, 8, 256], 128, 1),
        (8, [5, 5, 64], 64, 0),
    ];
    for (samples, input, outputs, padding) in sizes {
        let case = (
            samples,
            input,
            outputs,
            [3, 3],
            [1, 1],
            [1, 1],
            [padding; 4],
            1,
        );
        let problem = Problem::<f32>::new(dims_of(&case), real);
        let exact = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect();
        let doubled = Problem::<f64> {
            dims: problem.dims,
            x: exact(&problem.x),
            weight: exact(&problem.weight),
            bias: exact(&problem.bias),
            dy: exact(&problem.dy),
        };
        let expected = doubled.run(reference(), Activation::Identity);
        for by in ways() {
            let found = problem.run(by, Activation::Identity);
            for (found, expected) in found.iter().zip(&expected) {
                let largest = largest(expected);
                let errors = found.iter().zip(expected);
                let errors = errors.map(|(a, b)| (f64::from(*a) - b).abs());
                let error = errors.fold(0.0_f64, f64::max);
                assert!(error <= 1e-5 * largest, "{} {case:?}: {error}", by.name);
            }
        }
    }
}

/// A pass's weight gradient is that of sixteen images of 8×8 after the other, whose tiles make one chunk or some.
#[test]
fn weight_gradients_add_up_by_chunks() {
    let dims = dims_of(&(33, [8, 8, 20], 24, [3, 3], [1, 1], [1, 1], [1; 4], 1));
    let problem = Problem::<f32>::new(dims, real);
    let (input, output) = (dims.input_len() / 33, dims.output_len() / 33);
    for by in ways() {
        let [_, expected, _] = problem.run(by, Activation::Identity);
        let mut dweight = vec![1.0; dims.weight_len()];
        for samples in [0..16, 16..32, 32..33] {
            let dims = &Dims {
                samples: samples.len(),
                ..dims
            };
            by.weight_gradient(WeightGradient {
                dims,
                x: &problem.x[samples.start * input..samples.end * input],
                dy: &problem.dy[samples.start * output..samples.end * output],
                dweight: &mut dweight,
                scratch: &mut vec![f32::NAN; (by.scratch_len)(dims, Pass::WeightGradient)],
            });
        }
        assert_eq!(bits(&dweight), bits(&expected), "{}", by.name);
    }
}

/// The sizes alone decide, pass by pass.
#[test]
fn it_is_chosen_where_it_pays() {
    const DIRECT: Option<Scheme> = None;
    const TWO: Option<Scheme> = Some(Scheme::Two);
    const THREE: Option<Scheme> = Some(Scheme::Three);
    const FOUR: Option<Scheme> = Some(Scheme::Four);
    let sizes = [
        ([13, 13, 32], 64, 0, [FOUR; 3]),
        ([32, 32, 64], 64, 1, [FOUR; 3]),
        ([8, 8, 256], 256, 1, [FOUR; 3]),
        ([9, 9, 64], 64, 1, [THREE; 3]),
        ([5, 5, 64], 64, 0, [THREE; 3]),
        // The input gradient goes by tiles of y, of which there is one.
        ([4, 4, 64], 64, 0, [TWO, THREE, TWO]),
        ([4, 4, 64], 64, 1, [FOUR; 3]),
        ([6, 6, 64], 64, 0, [FOUR; 3]),
        ([32, 32, 3], 64, 1, [DIRECT, FOUR, DIRECT]),
        ([3, 3, 4], 8, 1, [DIRECT; 3]),
    ];
    for (input, outputs, padding, expected) in sizes {
        for samples in [1, 50] {
            let case = (
                samples,
                input,
                outputs,
                [3, 3],
                [1, 1],
                [1, 1],
                [padding; 4],
                1,
            );
            let dims = dims_of(&case);
            let passes = [Pass::Forward, Pass::InputGradient, Pass::WeightGradient];
            let found = passes.map(|pass| choose::<f32>(&dims, pass));
            assert_eq!(found, expected, "{case:?}");
            let of_doubles = passes.map(|pass| choose::<f64>(&dims, pass));
            assert_eq!(of_doubles, [DIRECT; 3]);
        }
    }
}

/// A pool of 2×2 has one window or four in a tile, so never tiles of 3×3.
#[test]
fn windows_are_tiles_where_that_pays() {
    let dims = dims_of(&(1, [13, 13, 32], 64, [3, 3], [1, 1], [1, 1], [0; 4], 1));
    let mut pool = pool::Dims {
        samples: 1,
        input: dims.output,
        output: [5, 5],
        kernel: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        before: [0, 0],
    };
    assert_eq!(choose_in_windows::<f32>(&dims, &pool), Some(Scheme::Four));
    assert_eq!(choose_in_windows::<f64>(&dims, &pool), None);
    pool.output = [3, 3];
    assert_eq!(choose_in_windows::<f32>(&dims, &pool), Some(Scheme::Two));
    pool.kernel = [3, 3];
    assert_eq!(choose_in_windows::<f32>(&dims, &pool), None);
}
