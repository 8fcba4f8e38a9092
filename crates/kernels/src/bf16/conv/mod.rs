//! Convolution in bf16: forward pass, input gradient, weight gradient.
//!
//! Kernels of 3×3 that move by one go by Winograd's way (`winograd`) where a count of products, transforms
//! and copies says so (`choice`), others straight over padded images (`direct`, `correlate`).
//!
//! A pass has weights of its own, packed once for as many passes as they stay the same; the number of samples does not matter
//! for them.

mod choice;
mod correlate;
mod direct;

pub use choice::{pays, takes};

pub(super) use self::choice::is_by_winograd;

use self::correlate::{Correlate, images_len};
use self::direct::{Convolve, PackWeights, reversed};
use super::dispatch;
use super::pack::{as_words, as_words_mut};
use super::tile::Finish;
use super::winograd;
use crate::conv::winograd::target::{Pixels, Windows};
use crate::conv::winograd::{grid_of, pools};
use crate::conv::{Dims, ForwardPool, Pass};
use crate::elementwise::activation_forward_in_place;
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::pool::{self, MaxForward};

const OTHER_SIZES: &str = "bf16: a convolution of other sizes";

/// Elements that hold the packed weights of a pass.
pub fn weights_len(dims: &Dims, pass: Pass) -> usize {
    let [inputs, outputs] = [dims.input[2], dims.output[2]];
    match (pass, is_by_winograd(dims, pass)) {
        (Pass::WeightGradient, _) => 0,
        (Pass::Forward, true) => winograd::panels_len(inputs, outputs),
        (Pass::InputGradient, true) => winograd::panels_len(outputs, inputs),
        (Pass::Forward, false) => direct::weights_len(dims),
        (Pass::InputGradient, false) => direct::weights_len(&reversed(dims)),
    }
}

/// Elements of scratch space of a pass.
pub fn scratch_len(dims: &Dims, pass: Pass) -> usize {
    match (pass, is_by_winograd(dims, pass)) {
        (Pass::WeightGradient, true) => winograd::weight_gradient_scratch_len(&grid_of(dims, pass)),
        (Pass::WeightGradient, false) => correlate::scratch_len(dims),
        (_, true) => winograd::scratch_len(&grid_of(dims, pass)),
        (Pass::Forward, false) => direct::scratch_len(dims),
        (Pass::InputGradient, false) => direct::scratch_len(&reversed(dims)),
    }
}

/// Elements of scratch space of [`forward_pool`].
pub fn forward_pool_scratch_len(dims: &Dims, pool: &pool::Dims) -> usize {
    let between = if pools_in_registers(dims, pool) {
        0
    } else {
        dims.output_len()
    };
    between + scratch_len(dims, Pass::Forward)
}

/// Rounds and packs the weights of a pass: `[kernel rows][kernel columns][channels in][channels out]`.
///
/// # Panics
/// If the sizes are not taken, an operand is too short, or `T` is not `f32`.
pub fn pack_weights<T: Float>(dims: &Dims, pass: Pass, weight: &[T], packed: &mut [T]) {
    assert!(takes(dims, pass), "{OTHER_SIZES}");
    let weight = T::singles(weight);
    let panels = as_words_mut(T::singles_mut(packed));
    let by_winograd = is_by_winograd(dims, pass);
    match pass {
        Pass::WeightGradient => {}
        Pass::Forward if by_winograd => dispatch(winograd::PackForward {
            dims,
            weight,
            panels,
        }),
        Pass::InputGradient if by_winograd => dispatch(winograd::PackInputGradient {
            dims,
            weight,
            panels,
        }),
        Pass::Forward | Pass::InputGradient => {
            let flipped = pass == Pass::InputGradient;
            let [inputs, outputs] = [dims.input[2], dims.output[2]];
            dispatch(PackWeights {
                taps: dims.kernel[0] * dims.kernel[1],
                channels: if flipped {
                    [outputs, inputs]
                } else {
                    [inputs, outputs]
                },
                flipped,
                weight,
                words: panels,
            });
        }
    }
}

/// y = activation(x ∗ weight + bias), with weights of [`pack_weights`] and [`scratch_len`] elements of scratch space.
///
/// # Panics
/// If the sizes are not taken, an operand is too short, or `T` is not `f32`.
pub fn forward<T: Float>(
    dims: &Dims,
    x: &[T],
    weights: &[T],
    epilogue: Epilogue<'_, T>,
    y: &mut [T],
    scratch: &mut [T],
) {
    assert!(takes(dims, Pass::Forward), "{OTHER_SIZES}");
    if is_by_winograd(dims, Pass::Forward) {
        let target = Pixels {
            output: dims.output,
            y: T::singles_mut(y),
        };
        return dispatch(winograd::Convolve {
            grid: grid_of(dims, Pass::Forward),
            x: T::singles(x),
            panels: as_words(T::singles(weights)),
            epilogue: singles(epilogue),
            target,
            scratch: T::singles_mut(scratch),
        });
    }
    convolve(dims, x, weights, epilogue, y, scratch);
}

/// The same with a max-pool behind it and [`forward_pool_scratch_len`] elements of scratch space; what is prepared are the
/// weights of [`pack_weights`].
///
/// # Panics
/// As [`forward`].
pub fn forward_pool<T: Float>(pass: ForwardPool<'_, T>) {
    let (dims, pool) = (pass.dims, pass.pool);
    assert!(takes(dims, Pass::Forward), "{OTHER_SIZES}");
    if !pools_in_registers(dims, pool) {
        let (between, scratch) = pass.scratch.split_at_mut(dims.output_len());
        forward(dims, pass.x, pass.prepared, pass.epilogue, between, scratch);
        return pool::max_forward(MaxForward {
            dims: pool,
            x: between,
            y: pass.y,
            places: pass.places,
        });
    }
    let [rows, columns] = pool.output;
    let mut grid = grid_of(dims, Pass::Forward);
    grid.tiles = [rows, columns];
    dispatch(winograd::Convolve {
        grid,
        x: T::singles(pass.x),
        panels: as_words(T::singles(pass.prepared)),
        epilogue: singles(pass.epilogue),
        target: Windows {
            output: [rows, columns, dims.output[2]],
            y: T::singles_mut(pass.y),
            places: pass.places,
        },
        scratch: T::singles_mut(pass.scratch),
    });
}

fn pools_in_registers(dims: &Dims, pool: &pool::Dims) -> bool {
    is_by_winograd(dims, Pass::Forward) && pools(dims, pool)
}

/// dx from dy, with weights of [`pack_weights`] and [`scratch_len`] elements of scratch space.
///
/// # Panics
/// As [`forward`].
pub fn input_gradient<T: Float>(
    dims: &Dims,
    dy: &[T],
    weights: &[T],
    dx: &mut [T],
    scratch: &mut [T],
) {
    let pass = Pass::InputGradient;
    assert!(takes(dims, pass), "{OTHER_SIZES}");
    if is_by_winograd(dims, pass) {
        let target = Pixels {
            output: dims.input,
            y: T::singles_mut(dx),
        };
        return dispatch(winograd::Convolve {
            grid: grid_of(dims, pass),
            x: T::singles(dy),
            panels: as_words(T::singles(weights)),
            epilogue: Epilogue::NONE,
            target,
            scratch: T::singles_mut(scratch),
        });
    }
    convolve(&reversed(dims), dy, weights, Epilogue::NONE, dx, scratch);
}

/// The forward pass over padded images.
fn convolve<T: Float>(
    dims: &Dims,
    x: &[T],
    weights: &[T],
    epilogue: Epilogue<'_, T>,
    y: &mut [T],
    scratch: &mut [T],
) {
    let (finish, activation) = Finish::of(epilogue);
    let words = as_words_mut(T::singles_mut(scratch));
    dispatch(Convolve {
        dims,
        x: &T::singles(x)[..dims.input_len()],
        weights: as_words(T::singles(weights)),
        finish,
        y: T::singles_mut(y),
        words: &mut words[..direct::scratch_len(dims)],
    });
    activation_forward_in_place(activation, y);
}

/// dweight += x ∗ dy, with [`scratch_len`] elements of scratch space.
///
/// # Panics
/// As [`forward`].
pub fn weight_gradient<T: Float>(
    dims: &Dims,
    x: &[T],
    dy: &[T],
    dweight: &mut [T],
    scratch: &mut [T],
) {
    let pass = Pass::WeightGradient;
    assert!(takes(dims, pass), "{OTHER_SIZES}");
    let (x, dy, dweight) = (T::singles(x), T::singles(dy), T::singles_mut(dweight));
    let scratch = T::singles_mut(scratch);
    if is_by_winograd(dims, pass) {
        let grid = grid_of(dims, pass);
        if grid.count() > 0 {
            dispatch(winograd::Accumulate {
                grid,
                x,
                dy,
                dweight,
                scratch,
            });
        }
        return;
    }
    let words = &mut as_words_mut(scratch)[..correlate::scratch_len(dims)];
    let (images, gradients) = words.split_at_mut(images_len(dims));
    dispatch(Correlate {
        dims,
        x,
        dy,
        dweight,
        images,
        gradients,
    });
}

/// An epilogue of numbers that are `f32`.
fn singles<T: Float>(epilogue: Epilogue<'_, T>) -> Epilogue<'_, f32> {
    Epilogue {
        bias: epilogue.bias.map(T::singles),
        activation: epilogue.activation,
    }
}
