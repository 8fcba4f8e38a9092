//! The normalisations against their formulas in f64, element by element, and the promise about blocks.

use super::{BatchSums, Epilogue, LayerBackward, LayerForward, Moments, Norm};
use super::{
    gradient_sums, input_gradient, layer_backward, layer_forward, merge, normalise, statistics,
};
use crate::elementwise::{Activation, activation_backward, activation_forward};
use crate::float::Float;
use crate::pool::{self, MaxBackward, MaxForward, max_backward, max_forward};
use crate::random::Random;
use crate::simd::on_every_level;

const EPSILON: f64 = 1e-3;

/// Rows and channels: empty, single, around the vectors of every level.
const SIZES: [(usize, usize); 9] = [
    (0, 3),
    (1, 1),
    (5, 1),
    (1, 16),
    (7, 3),
    (6, 8),
    (9, 17),
    (33, 31),
    (4, 64),
];

fn reals<T: Float>(len: usize, stream: u32) -> Vec<T> {
    let mut words = Random {
        seed: 3,
        stream,
        step: 0,
    }
    .sequence();
    (0..len)
        .map(|_| T::from_f64(4.0 * words.uniform::<f64>() - 1.0))
        .collect()
}

fn assert_close<T: Float>(found: &[T], expected: &[f64], what: &str) {
    let tolerance = if T::BYTES == 4 { 2e-5 } else { 1e-12 };
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found.to_f64() - expected).abs();
        assert!(
            error <= tolerance * (1.0 + expected.abs()),
            "{what}[{i}] = {found}, not {expected}"
        );
    }
}

/// Mean and variance of every column.
fn moments_of(x: &[f64], channels: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = (x.len() / channels).max(1) as f64;
    let column = |c: usize| x.iter().skip(c).step_by(channels);
    let mean: Vec<f64> = (0..channels)
        .map(|c| column(c).sum::<f64>() / rows)
        .collect();
    let var = (0..channels)
        .map(|c| column(c).map(|x| (x - mean[c]).powi(2)).sum::<f64>() / rows)
        .collect();
    (mean, var)
}

fn to_f64<T: Float>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

fn batch_agrees<T: Float>() {
    for (rows, channels) in SIZES {
        let (x, dy) = (
            reals::<T>(rows * channels, 0),
            reals::<T>(rows * channels, 1),
        );
        let (weight, bias) = (reals::<T>(channels, 2), reals::<T>(channels, 3));
        let (mut mean, mut m2) = (vec![T::NAN; channels], vec![T::NAN; channels]);
        statistics(&x, &mut mean, &mut m2);
        let (expected_mean, expected_var) = moments_of(&to_f64(&x), channels);
        let var: Vec<T> = m2
            .iter()
            .map(|m2| *m2 / T::from_usize(rows.max(1)))
            .collect();
        assert_close(&mean, &expected_mean, "mean");
        assert_close(&var, &expected_var, "var");

        let norm = Norm {
            mean: &mean,
            m2: &m2,
            count: T::from_usize(rows.max(1)),
            epsilon: EPSILON,
            weight: &weight,
            bias: &bias,
        };
        let plain = &Epilogue::rows(rows, channels, Activation::Identity);
        let normal = |i: usize| {
            let c = i % channels;
            (x[i].to_f64() - expected_mean[c]) / (expected_var[c] + EPSILON).sqrt()
        };
        let mut y = vec![T::NAN; x.len()];
        normalise(norm, plain, &x, &mut y);
        let affine =
            |i: usize| normal(i) * weight[i % channels].to_f64() + bias[i % channels].to_f64();
        assert_close(&y, &(0..x.len()).map(affine).collect::<Vec<_>>(), "y");

        let (mut dbias, mut dweight) = (vec![T::NAN; channels], vec![T::NAN; channels]);
        gradient_sums(norm, plain, [&x, &dy], [&mut dbias, &mut dweight]);
        let sum_of = |c: usize, factor: &dyn Fn(usize) -> f64| {
            (c..x.len())
                .step_by(channels)
                .map(|i| dy[i].to_f64() * factor(i))
                .sum::<f64>()
        };
        let sums: Vec<f64> = (0..channels).map(|c| sum_of(c, &|_| 1.0)).collect();
        let sums_normal: Vec<f64> = (0..channels).map(|c| sum_of(c, &normal)).collect();
        assert_close(&dbias, &sums, "dbias");
        assert_close(&dweight, &sums_normal, "dweight");

        let batch = BatchSums {
            count: T::from_usize(rows.max(1)),
            dz: &dbias,
            dz_normal: &dweight,
        };
        let mut dx = vec![T::NAN; x.len()];
        input_gradient((norm, batch), plain, [&x, &dy], &mut dx);
        let expected = (0..x.len()).map(|i| {
            let (c, count) = (i % channels, rows as f64);
            let scale = weight[c].to_f64() / (expected_var[c] + EPSILON).sqrt();
            scale * (dy[i].to_f64() - sums[c] / count - normal(i) * sums_normal[c] / count)
        });
        assert_close(&dx, &expected.collect::<Vec<_>>(), "dx");
    }
}

#[test]
fn batch_norm_agrees() {
    on_every_level(|| {
        batch_agrees::<f32>();
        batch_agrees::<f64>();
    });
}

/// Samples, image, window.
type Case = (usize, [usize; 3], [usize; 2]);

/// Empty, single, with rows and columns that no window reaches, around the strips and groups of channels.
const FUSED: [Case; 11] = [
    (0, [4, 4, 3], [2, 2]),
    (1, [1, 1, 1], [1, 1]),
    (2, [4, 4, 16], [2, 2]),
    (2, [5, 7, 32], [2, 2]),
    (1, [6, 6, 33], [2, 2]),
    (3, [4, 2, 15], [2, 2]),
    (2, [7, 8, 17], [3, 3]),
    (1, [3, 9, 40], [1, 4]),
    (2, [1, 5, 64], [1, 1]),
    (1, [2, 2, 257], [2, 2]),
    (2, [64, 65, 32], [2, 2]),
];

fn tiles(&(samples, input, kernel): &Case) -> pool::Dims {
    pool::Dims {
        samples,
        input,
        output: [input[0] / kernel[0], input[1] / kernel[1]],
        kernel,
        stride: kernel,
        dilation: [1, 1],
        before: [0, 0],
    }
}

/// Normalisation, activation and pool one after the other, forward and backward.
fn fused_agrees<T: Float>(case: &Case, activation: Activation) {
    let dims = &tiles(case);
    let channels = dims.input[2];
    let rows = dims.samples * dims.input[0] * dims.input[1];
    let x = reals::<T>(dims.input_len(), 0);
    let dy = reals::<T>(dims.output_len(), 1);
    let (weight, bias) = (reals::<T>(channels, 2), reals::<T>(channels, 3));
    let (mut mean, mut m2) = (vec![T::NAN; channels], vec![T::NAN; channels]);
    statistics(&x, &mut mean, &mut m2);
    let norm = Norm {
        mean: &mean,
        m2: &m2,
        count: T::from_usize(rows.max(1)),
        epsilon: EPSILON,
        weight: &weight,
        bias: &bias,
    };
    let plain = &Epilogue::rows(rows, channels, Activation::Identity);
    let fused = &Epilogue {
        activation,
        pool: *dims,
    };

    let (mut z, mut activated) = (vec![T::NAN; x.len()], vec![T::NAN; x.len()]);
    normalise(norm, plain, &x, &mut z);
    activation_forward(activation, &z, &mut activated);
    let (mut expected, mut places) = (vec![T::NAN; dy.len()], vec![0; dims.places_len()]);
    max_forward(MaxForward {
        dims,
        x: &activated,
        y: &mut expected,
        places: Some(&mut places),
    });
    let mut y = vec![T::NAN; dy.len()];
    normalise(norm, fused, &x, &mut y);
    assert_eq!(y, expected, "{case:?}, {activation:?}: y");

    let (mut dactivated, mut dz) = (vec![T::NAN; x.len()], vec![T::NAN; x.len()]);
    max_backward(MaxBackward {
        dims,
        dy: &dy,
        places: &places,
        dx: &mut dactivated,
    });
    activation_backward(activation, &activated, &dactivated, &mut dz);
    let mut sums = [(); 2].map(|()| vec![T::NAN; channels]);
    let [dbias, dweight] = &mut sums;
    gradient_sums(norm, plain, [&x, &dz], [dbias, dweight]);
    let expected_sums = sums.each_ref().map(|sums| to_f64(sums));
    let [dbias, dweight] = &mut sums;
    gradient_sums(norm, fused, [&x, &dy], [dbias, dweight]);
    assert_close(dbias, &expected_sums[0], "dbias");
    assert_close(dweight, &expected_sums[1], "dweight");

    let batch = BatchSums {
        count: norm.count,
        dz: &sums[0],
        dz_normal: &sums[1],
    };
    let (mut dx, mut expected_dx) = (vec![T::NAN; x.len()], vec![T::NAN; x.len()]);
    input_gradient((norm, batch), plain, [&x, &dz], &mut expected_dx);
    input_gradient((norm, batch), fused, [&x, &dy], &mut dx);
    assert_eq!(dx, expected_dx, "{case:?}, {activation:?}: dx");
}

#[test]
fn what_follows_a_batch_norm_is_fused_to_the_bit() {
    let activations = [
        Activation::Relu,
        Activation::Tanh,
        Activation::Identity,
        Activation::LeakyRelu(0.1),
    ];
    on_every_level(|| {
        for case in &FUSED {
            for activation in activations {
                fused_agrees::<f32>(case, activation);
                fused_agrees::<f64>(case, activation);
            }
        }
    });
}

#[test]
fn a_nan_wins_its_window() {
    let dims = tiles(&(1, [2, 2, 1], [2, 2]));
    let one = [1.0_f32];
    let norm = Norm {
        mean: &[0.0],
        m2: &one,
        count: 1.0,
        epsilon: EPSILON,
        weight: &one,
        bias: &[0.0],
    };
    for activation in [Activation::Relu, Activation::Identity] {
        let epilogue = Epilogue {
            activation,
            pool: dims,
        };
        for at in 0..4 {
            let mut x = [1.0, 4.0, 2.0, 3.0];
            x[at] = f32::NAN;
            let mut y = [0.0];
            normalise(norm, &epilogue, &x, &mut y);
            assert!(y[0].is_nan(), "{activation:?}, {at}");
        }
    }
}

#[test]
#[should_panic(expected = "do not tile the image")]
fn windows_that_overlap_are_refused() {
    let mut dims = tiles(&(1, [3, 3, 1], [2, 2]));
    (dims.stride, dims.output) = ([1, 1], [2, 2]);
    Epilogue {
        activation: Activation::Relu,
        pool: dims,
    }
    .check(1, 9, 4);
}

#[test]
fn merged_statistics_are_those_of_all_rows() {
    let channels = 19;
    let x = reals::<f64>(23 * channels, 0);
    let (mut mean, mut m2) = (vec![0.0; channels], vec![0.0; channels]);
    let mut all = Moments {
        count: 0.0,
        mean: &mut mean[..],
        m2: &mut m2[..],
    };
    for block in [
        &x[..0],
        &x[..channels],
        &x[channels..9 * channels],
        &x[9 * channels..],
    ] {
        let (mut mean, mut m2) = (vec![0.0; channels], vec![0.0; channels]);
        statistics(block, &mut mean, &mut m2);
        merge(
            &mut all,
            &Moments {
                count: (block.len() / channels) as f64,
                mean: &mean,
                m2: &m2,
            },
        );
    }
    assert_eq!(all.count, 23.0);
    let (expected_mean, expected_var) = moments_of(&x, channels);
    assert_close(&mean, &expected_mean, "mean");
    let var: Vec<f64> = m2.iter().map(|m2| m2 / 23.0).collect();
    assert_close(&var, &expected_var, "var");
}

fn layer_agrees<T: Float>() {
    for (rows, features) in SIZES {
        let (x, dy) = (
            reals::<T>(rows * features, 0),
            reals::<T>(rows * features, 1),
        );
        let (weight, bias) = (reals::<T>(features, 2), reals::<T>(features, 3));
        let (mut y, mut saved) = (vec![T::NAN; x.len()], vec![T::NAN; 2 * rows]);
        let (x_ref, y_ref, saved_ref) = (&x[..], &mut y[..], Some(&mut saved[..]));
        let (w, b) = (&weight[..], &bias[..]);
        layer_forward(LayerForward {
            x: x_ref,
            weight: w,
            bias: b,
            epsilon: EPSILON,
            y: y_ref,
            saved: saved_ref,
        });
        let (mut dx, mut dweight, mut dbias) = (
            vec![T::NAN; x.len()],
            vec![T::ONE; features],
            vec![T::ONE; features],
        );
        layer_backward(LayerBackward {
            x: &x,
            weight: &weight,
            saved: &saved,
            dy: &dy,
            dx: Some(&mut dx),
            dweight: &mut dweight,
            dbias: &mut dbias,
        });
        let (mut expected_y, mut expected_dx) = (Vec::new(), Vec::new());
        let (mut expected_dweight, mut expected_dbias) = (vec![1.0; features], vec![1.0; features]);
        let weight = to_f64(&weight);
        for (x, dy) in to_f64(&x)
            .chunks(features)
            .zip(to_f64(&dy).chunks(features))
        {
            let n = features as f64;
            let mean = x.iter().sum::<f64>() / n;
            let rstd =
                1.0 / (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n + EPSILON).sqrt();
            let normal: Vec<f64> = x.iter().map(|x| (x - mean) * rstd).collect();
            let scaled: Vec<f64> = dy
                .iter()
                .zip(&weight)
                .map(|(dy, weight)| dy * weight)
                .collect();
            let mean_normal = scaled.iter().zip(&normal).map(|(a, b)| a * b).sum::<f64>() / n;
            let mean_scaled = scaled.iter().sum::<f64>() / n;
            for c in 0..features {
                expected_y.push(normal[c] * weight[c] + bias[c].to_f64());
                expected_dx.push(rstd * (scaled[c] - mean_scaled - normal[c] * mean_normal));
                expected_dweight[c] += dy[c] * normal[c];
                expected_dbias[c] += dy[c];
            }
        }
        assert_close(&y, &expected_y, "y");
        assert_close(&dx, &expected_dx, "dx");
        assert_close(&dweight, &expected_dweight, "dweight");
        assert_close(&dbias, &expected_dbias, "dbias");
    }
}

#[test]
fn layer_norm_agrees() {
    on_every_level(|| {
        layer_agrees::<f32>();
        layer_agrees::<f64>();
    });
}
