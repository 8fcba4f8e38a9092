//! Every level against loops over single elements, and the rules about ties, padding and NaN.

use super::{Dims, MaxBackward, MaxForward};
use super::{average_backward_on, average_forward_on, max_backward, max_forward, max_forward_on};
use crate::float::Float;
use crate::random::Random;
use crate::simd::Isa;

/// samples, input, kernel, stride, dilation, padding [top, left, bottom, right].
type Case = (
    usize,
    [usize; 3],
    [usize; 2],
    [usize; 2],
    [usize; 2],
    [usize; 4],
);

#[rustfmt::skip]
const CASES: [Case; 15] = [
    (0, [4, 4, 3], [2, 2], [2, 2], [1, 1], [0; 4]),
    (1, [1, 1, 1], [1, 1], [1, 1], [1, 1], [0; 4]),
    (2, [26, 26, 32], [2, 2], [2, 2], [1, 1], [0; 4]),
    (2, [11, 11, 64], [2, 2], [2, 2], [1, 1], [0; 4]),
    (2, [7, 6, 5], [3, 3], [2, 2], [1, 1], [1, 1, 1, 1]),
    (2, [5, 5, 17], [2, 2], [1, 1], [1, 1], [0; 4]),
    (1, [5, 5, 7], [3, 2], [1, 3], [1, 1], [2, 1, 2, 1]),
    (2, [5, 5, 9], [2, 2], [3, 3], [1, 1], [0; 4]),
    (1, [9, 9, 8], [2, 3], [1, 2], [3, 2], [1, 1, 1, 1]),
    (1, [1, 1, 3], [2, 2], [1, 1], [3, 3], [3, 3, 3, 3]),
    (2, [17, 16, 3], [17, 16], [1, 1], [1, 1], [0; 4]),
    (1, [20, 18, 4], [17, 16], [2, 1], [1, 1], [0; 4]),
    (2, [16, 16, 3], [16, 16], [1, 1], [1, 1], [0; 4]),
    (1, [3, 3, 0], [2, 2], [1, 1], [1, 1], [0; 4]),
    (3, [2, 3, 31], [2, 3], [1, 1], [1, 1], [0; 4]),
];

fn dims_of(case: &Case) -> Dims {
    let &(samples, input, kernel, stride, dilation, padding) = case;
    let size = |axis: usize| {
        let padded = input[axis] + padding[axis] + padding[axis + 2];
        (padded - (kernel[axis] - 1) * dilation[axis] - 1) / stride[axis] + 1
    };
    let before = [padding[0], padding[1]];
    Dims {
        samples,
        input,
        output: [size(0), size(1)],
        kernel,
        stride,
        dilation,
        before,
    }
}

fn integers<T: Float>(len: usize, stream: u32) -> Vec<T> {
    let mut words = Random {
        seed: 5,
        stream,
        step: 0,
    }
    .sequence();
    (0..len)
        .map(|_| T::from_f64(f64::from(words.next_u32() % 9) - 4.0))
        .collect()
}

/// Every element of x under the window of an element of y, with its place in the window.
fn window(dims: &Dims, y: usize) -> Vec<(usize, usize)> {
    let [height, width, channels] = dims.input;
    let (place, c) = (y / channels, y % channels);
    let (row, ow) = (place / dims.output[1], place % dims.output[1]);
    let (n, oh) = (row / dims.output[0], row % dims.output[0]);
    let mut found = Vec::new();
    for kh in 0..dims.kernel[0] {
        for kw in 0..dims.kernel[1] {
            let h = (oh * dims.stride[0] + kh * dims.dilation[0]).checked_sub(dims.before[0]);
            let w = (ow * dims.stride[1] + kw * dims.dilation[1]).checked_sub(dims.before[1]);
            if let (Some(h), Some(w)) = (h.filter(|&h| h < height), w.filter(|&w| w < width)) {
                found.push((
                    ((n * height + h) * width + w) * channels + c,
                    kh * dims.kernel[1] + kw,
                ));
            }
        }
    }
    found
}

fn place_of(dims: &Dims, places: &[u8], y: usize) -> usize {
    match dims.place_bytes() {
        1 => usize::from(places[y]),
        _ => u32::from_le_bytes(places[4 * y..][..4].try_into().unwrap()) as usize,
    }
}

fn max_agrees<T: Float>() {
    for case in &CASES {
        let dims = &dims_of(case);
        let x = integers::<T>(dims.input_len(), 0);
        let dy = integers::<T>(dims.output_len(), 1);
        for isa in Isa::available() {
            let (mut y, mut places) =
                (vec![T::NAN; dims.output_len()], vec![99; dims.places_len()]);
            max_forward_on(
                isa,
                MaxForward {
                    dims,
                    x: &x,
                    y: &mut y,
                    places: Some(&mut places),
                },
            );
            let mut expected_dx = vec![T::ZERO; dims.input_len()];
            for i in 0..y.len() {
                let candidates = window(dims, i);
                let largest = candidates
                    .iter()
                    .fold(T::NEG_INFINITY, |largest, &(at, _)| largest.max(x[at]));
                assert_eq!(y[i].to_f64(), largest.to_f64(), "{isa} {case:?}: y[{i}]");
                if let Some(&(at, place)) = candidates.iter().find(|&&(at, _)| x[at] == largest) {
                    assert_eq!(
                        place_of(dims, &places, i),
                        place,
                        "{isa} {case:?}: place {i}"
                    );
                    expected_dx[at] += dy[i];
                }
            }
            let mut dx = vec![T::NAN; dims.input_len()];
            max_backward(MaxBackward {
                dims,
                dy: &dy,
                places: &places,
                dx: &mut dx,
            });
            assert_eq!(dx, expected_dx, "{isa} {case:?}");
            let mut again = vec![T::NAN; dims.output_len()];
            max_forward_on(
                isa,
                MaxForward {
                    dims,
                    x: &x,
                    y: &mut again,
                    places: None,
                },
            );
            assert_eq!(again, y, "{isa} {case:?} without places");
        }
    }
}

#[test]
fn maxima_agree() {
    max_agrees::<f32>();
    max_agrees::<f64>();
}

fn average_agrees<T: Float>() {
    for case in &CASES {
        let dims = &dims_of(case);
        let x = integers::<T>(dims.input_len(), 0);
        let dy = integers::<T>(dims.output_len(), 1);
        for isa in Isa::available() {
            let mut y = vec![T::NAN; dims.output_len()];
            average_forward_on(isa, dims, &x, &mut y);
            let mut expected_dx = vec![T::ZERO; dims.input_len()];
            for i in 0..y.len() {
                let candidates = window(dims, i);
                let share = T::ONE / T::from_usize(candidates.len().max(1));
                let sum: T = candidates.iter().map(|&(at, _)| x[at]).sum();
                assert_eq!(
                    y[i].to_f64(),
                    (sum * share).to_f64(),
                    "{isa} {case:?}: y[{i}]"
                );
                candidates
                    .iter()
                    .for_each(|&(at, _)| expected_dx[at] += dy[i] * share);
            }
            let mut dx = vec![T::NAN; dims.input_len()];
            average_backward_on(isa, dims, &dy, &mut dx);
            assert_eq!(dx, expected_dx, "{isa} {case:?}");
        }
    }
}

#[test]
fn averages_agree() {
    average_agrees::<f32>();
    average_agrees::<f64>();
}

#[test]
fn a_global_pool_is_one_window() {
    let dims = Dims::global(2, [2, 1, 3]);
    let x = [
        1.0_f32, 2.0, 3.0, 3.0, 4.0, 5.0, 0.0, 0.0, 8.0, 2.0, 4.0, 8.0,
    ];
    let mut y = [0.0; 6];
    super::average_forward(&dims, &x, &mut y);
    assert_eq!(y, [2.0, 3.0, 4.0, 1.0, 2.0, 8.0]);
}

#[test]
fn a_nan_wins_wherever_it_stands() {
    let dims = &Dims::global(1, [2, 2, 1]);
    for at in 0..4 {
        let mut x = [1.0_f32, 4.0, 2.0, 3.0];
        x[at] = f32::NAN;
        let (mut y, mut places) = ([0.0], [9]);
        max_forward(MaxForward {
            dims,
            x: &x,
            y: &mut y,
            places: Some(&mut places),
        });
        assert!(y[0].is_nan());
        assert_eq!(usize::from(places[0]), at);
    }
}

#[test]
#[should_panic(expected = "place 7 lies outside of the image")]
fn a_place_outside_of_the_window_is_refused() {
    let dims = &Dims::global(1, [2, 2, 1]);
    max_backward(MaxBackward {
        dims,
        dy: &[1.0_f32],
        places: &[7],
        dx: &mut [0.0; 4],
    });
}
