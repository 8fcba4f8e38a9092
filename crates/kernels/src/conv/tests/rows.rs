//! Rows of an image by themselves: the bits of the whole.

use super::{CASES, Problem, bits, dims_of, real};
use crate::conv::{
    Dims, Forward, ForwardPool, POOL_ROWS_TOGETHER, forward, forward_pool, forward_pool_rows,
    forward_pool_scratch_len, forward_rows, forward_scratch_len, has_pool_rows, rows_together,
};
use crate::elementwise::Activation;
use crate::gemm::Epilogue;
use crate::pool;
use crate::simd::{Isa, on_every_level};

/// One image of every case.
fn problems() -> impl Iterator<Item = Problem<f32>> {
    let one = |case| Dims {
        samples: 1,
        ..dims_of(case)
    };
    CASES.iter().map(move |case| Problem::new(one(case), real))
}

#[test]
fn rows_by_themselves_are_those_of_the_whole() {
    on_every_level(|| {
        for problem in problems() {
            let dims = &problem.dims;
            let prepared = problem.prepared(Isa::active());
            let mut scratch = vec![f32::NAN; forward_scratch_len(dims)];
            let [height, width, channels] = dims.output;
            let mut pass = |y: &mut [f32], rows: Option<std::ops::Range<usize>>| {
                let pass = Forward {
                    dims,
                    x: &problem.x,
                    weight: &problem.weight,
                    prepared: &prepared,
                    epilogue: Epilogue {
                        bias: Some(&problem.bias[..]),
                        activation: Activation::Tanh,
                    },
                    y,
                    scratch: &mut scratch,
                };
                match rows {
                    Some(rows) => forward_rows(pass, rows),
                    None => forward(pass),
                }
            };
            let mut whole = vec![f32::NAN; dims.output_len()];
            pass(&mut whole, None);
            let together = rows_together::<f32>(dims);
            for step in [together, 2 * together] {
                let mut parts = vec![f32::NAN; dims.output_len()];
                let row = width * channels;
                for first in (0..height).step_by(step) {
                    let rows = first..height.min(first + step);
                    pass(&mut parts[first * row..rows.end * row], Some(rows));
                }
                assert_eq!(bits(&parts), bits(&whole), "{dims:?} by {step}");
            }
        }
    });
}

/// Tiles are two to four rows high.
#[test]
fn parts_begin_where_tiles_do() {
    let together = |problem: Problem<f32>| rows_together::<f32>(&problem.dims);
    let mut found: Vec<usize> = problems().map(together).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, [2, 3, 4]);
}

#[test]
fn pooled_rows_by_themselves_are_those_of_the_whole() {
    let mut taken = 0;
    for problem in problems() {
        let dims = &problem.dims;
        let pool = &pool::Dims {
            samples: 1,
            input: dims.output,
            output: [dims.output[0] / 2, dims.output[1] / 2],
            kernel: [2, 2],
            stride: [2, 2],
            dilation: [1, 1],
            before: [0, 0],
        };
        if pool.output_len() == 0 || !has_pool_rows::<f32>(dims, pool) {
            continue;
        }
        taken += 1;
        on_every_level(|| {
            let prepared = problem.prepared_for_pool(Isa::active(), pool);
            let mut scratch = vec![f32::NAN; forward_pool_scratch_len(dims, pool)];
            let [height, width] = pool.output;
            let row = width * dims.output[2];
            let mut pass =
                |y: &mut [f32], places: &mut [u8], rows: Option<std::ops::Range<usize>>| {
                    let pass = ForwardPool {
                        dims,
                        pool,
                        x: &problem.x,
                        weight: &problem.weight,
                        prepared: &prepared,
                        epilogue: Epilogue {
                            bias: Some(&problem.bias[..]),
                            activation: Activation::Relu,
                        },
                        y,
                        places: Some(places),
                        scratch: &mut scratch,
                    };
                    match rows {
                        Some(rows) => forward_pool_rows(pass, rows),
                        None => forward_pool(pass),
                    }
                };
            let (mut whole, mut whole_places) =
                (vec![f32::NAN; height * row], vec![9; height * row]);
            pass(&mut whole, &mut whole_places, None);
            let (mut parts, mut places) = (vec![f32::NAN; height * row], vec![8; height * row]);
            for first in (0..height).step_by(POOL_ROWS_TOGETHER) {
                let rows = first..height.min(first + POOL_ROWS_TOGETHER);
                let part = first * row..rows.end * row;
                pass(&mut parts[part.clone()], &mut places[part], Some(rows));
            }
            assert_eq!(bits(&parts), bits(&whole), "{dims:?}");
            assert_eq!(places, whole_places, "{dims:?}");
        });
    }
    assert!(taken > 5, "only {taken} cases have rows of their own");
}

#[test]
#[should_panic(expected = "begin at multiples of 2")]
fn odd_rows_are_refused() {
    let problem = problems().next().expect("there are cases");
    let problem = Problem::<f32>::new(
        Dims {
            samples: 1,
            input: [5, 5, 2],
            output: [3, 3, 3],
            ..problem.dims
        },
        real,
    );
    forward_rows(
        Forward {
            dims: &problem.dims,
            x: &problem.x,
            weight: &problem.weight,
            prepared: &problem.prepared(Isa::active()),
            epilogue: Epilogue::NONE,
            y: &mut [0.0; 18],
            scratch: &mut [],
        },
        1..3,
    );
}
