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

pub(super) use self::choice::choose;

use self::correlate::{Correlate, images_len};
use self::direct::{Convolve, PackWeights, reversed};
use super::dispatch;
use super::pack::{as_words, as_words_mut};
use super::tile::Finish;
use super::winograd;
use crate::conv::winograd::{Scheme, pools};
use crate::conv::{Dims, ForwardPool, Pass};
use crate::elementwise::activation_forward_in_place;
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::pool::{self, MaxForward};

const OTHER_SIZES: &str = "bf16: a convolution of other sizes";

/// Elements that hold the packed weights of a pass.
pub fn weights_len(dims: &Dims, pass: Pass) -> usize {
    match (choose(dims, pass), pass) {
        (Some(scheme), _) => winograd::weights_len(scheme, dims, pass),
        (None, Pass::Forward) => direct::weights_len(dims),
        (None, Pass::InputGradient) => direct::weights_len(&reversed(dims)),
        (None, Pass::WeightGradient) => 0,
    }
}

/// Elements of scratch space of a pass.
pub fn scratch_len(dims: &Dims, pass: Pass) -> usize {
    match (choose(dims, pass), pass) {
        (Some(scheme), _) => winograd::scratch_len(scheme, dims, pass),
        (None, Pass::Forward) => direct::scratch_len(dims),
        (None, Pass::InputGradient) => direct::scratch_len(&reversed(dims)),
        (None, Pass::WeightGradient) => correlate::scratch_len(dims),
    }
}

/// Elements of scratch space of [`forward_pool`].
pub fn forward_pool_scratch_len(dims: &Dims, pool: &pool::Dims) -> usize {
    let between = match choose_in_windows(dims, pool) {
        Some(_) => 0,
        None => dims.output_len(),
    };
    between + scratch_len(dims, Pass::Forward)
}

/// Rounds and packs the weights of a pass: `[kernel rows][kernel columns][channels in][channels out]`.
///
/// # Panics
/// If the sizes are not taken, an operand is too short, or `T` is not `f32`.
pub fn pack_weights<T: Float>(dims: &Dims, pass: Pass, weight: &[T], packed: &mut [T]) {
    assert!(takes(dims, pass), "{OTHER_SIZES}");
    let (weight, packed) = (T::singles(weight), T::singles_mut(packed));
    if let Some(scheme) = choose(dims, pass) {
        return winograd::pack_weights(scheme, dims, pass, weight, packed);
    }
    let [inputs, outputs] = [dims.input[2], dims.output[2]];
    let (channels, flipped) = match pass {
        Pass::Forward => ([inputs, outputs], false),
        Pass::InputGradient => ([outputs, inputs], true),
        Pass::WeightGradient => return,
    };
    dispatch(PackWeights {
        taps: dims.kernel[0] * dims.kernel[1],
        channels,
        flipped,
        weight,
        words: as_words_mut(packed),
    });
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
    let (x, weights, epilogue) = (T::singles(x), T::singles(weights), epilogue.singles());
    let (y, scratch) = (T::singles_mut(y), T::singles_mut(scratch));
    match choose(dims, Pass::Forward) {
        Some(scheme) => winograd::forward(scheme, dims, x, weights, epilogue, y, scratch),
        None => convolve(dims, x, weights, epilogue, y, scratch),
    }
}

/// The same with a max-pool behind it and [`forward_pool_scratch_len`] elements of scratch space; what is prepared are the
/// weights of [`pack_weights`].
///
/// # Panics
/// As [`forward`].
pub fn forward_pool<T: Float>(pass: ForwardPool<'_, T>) {
    let (dims, pool) = (pass.dims, pass.pool);
    assert!(takes(dims, Pass::Forward), "{OTHER_SIZES}");
    if let Some(scheme) = choose_in_windows(dims, pool) {
        return winograd::forward_pool(scheme, pass);
    }
    let (between, scratch) = pass.scratch.split_at_mut(dims.output_len());
    forward(dims, pass.x, pass.prepared, pass.epilogue, between, scratch);
    pool::max_forward(MaxForward {
        dims: pool,
        x: between,
        y: pass.y,
        places: pass.places,
    });
}

/// The tiles of a forward pass whose windows are taken as tiles; the weights are those of any forward pass.
fn choose_in_windows(dims: &Dims, pool: &pool::Dims) -> Option<Scheme> {
    let scheme = choose(dims, Pass::Forward)?;
    (scheme != Scheme::Three && pools(dims, pool)).then_some(scheme)
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
    let (dy, weights) = (T::singles(dy), T::singles(weights));
    let (dx, scratch) = (T::singles_mut(dx), T::singles_mut(scratch));
    match choose(dims, pass) {
        Some(scheme) => winograd::input_gradient(scheme, dims, dy, weights, dx, scratch),
        None => convolve(&reversed(dims), dy, weights, Epilogue::NONE, dx, scratch),
    }
}

/// The forward pass over padded images.
fn convolve(
    dims: &Dims,
    x: &[f32],
    weights: &[f32],
    epilogue: Epilogue<'_, f32>,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let (finish, activation) = Finish::of(epilogue);
    dispatch(Convolve {
        dims,
        x: &x[..dims.input_len()],
        weights: as_words(weights),
        finish,
        y,
        words: &mut as_words_mut(scratch)[..direct::scratch_len(dims)],
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
    if let Some(scheme) = choose(dims, pass) {
        return winograd::weight_gradient(scheme, dims, x, dy, dweight, scratch);
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
