//! Which way a pass goes: by the sizes, whatever the number of samples.
//!
//! Costs are those of `conv::winograd`, in products of `f32`.

use super::direct::{reach, reversed};
use crate::bf16::winograd::chunk_of;
use crate::conv::winograd::{Cost, Scheme, cheapest, least_cost, supports, transform};
use crate::conv::{Dims, Pass};

/// Channels below which pairs and strips are mostly padding.
const FEW_CHANNELS: usize = 16;

/// A bf16 product takes this part of an `f32` one.
const RATE: usize = 2;

/// Rounding and pairing a number that is read straight from images, with what a tile of few rows waits for.
const COPY: usize = 6;

/// Whether a pass in bf16 takes these sizes.
pub const fn takes(dims: &Dims, pass: Pass) -> bool {
    let is_plain = dims.groups == 1 && dims.dilation[0] == 1 && dims.dilation[1] == 1;
    let is_forward = matches!(pass, Pass::Forward);
    is_plain && (is_forward || (is_dense(dims, 0) && is_dense(dims, 1)))
}

/// Whether windows move by one along an axis, and each holds a place of the input.
const fn is_dense(dims: &Dims, axis: usize) -> bool {
    let reach = dims.kernel[axis] - 1;
    let end = dims.output[axis] + reach;
    dims.stride[axis] == 1
        && dims.before[axis] <= reach
        && end <= dims.input[axis] + dims.before[axis] + reach
}

/// Whether a pass of these sizes is faster in bf16 than in `f32`.
pub fn pays(dims: &Dims, pass: Pass) -> bool {
    if !takes(dims, pass) || dims.input[2] < FEW_CHANNELS || dims.output[2] < FEW_CHANNELS {
        return false;
    }
    let by_points = choose(dims, pass).map(|scheme| cost(dims, pass, scheme));
    by_points.unwrap_or_else(|| direct(dims, pass)) < least_cost(dims, pass)
}

/// Which of Winograd's ways a pass that is taken goes, if any.
pub(in crate::bf16) fn choose(dims: &Dims, pass: Pass) -> Option<Scheme> {
    if !takes(dims, pass) || !supports(dims) {
        return None;
    }
    cheapest(Scheme::ALL, direct(dims, pass), |scheme| {
        cost(dims, pass, scheme)
    })
}

/// Winograd's way in bf16.
fn cost(dims: &Dims, pass: Pass, scheme: Scheme) -> usize {
    let grid = scheme.grid_of(dims, pass);
    let cost = Cost {
        rate: RATE,
        transform: transform(scheme),
        chunk: chunk_of(&grid),
    };
    cost.of(dims, pass, &grid)
}

/// The way over padded images in bf16.
fn direct(dims: &Dims, pass: Pass) -> usize {
    let dims = match pass {
        Pass::InputGradient => &reversed(dims),
        Pass::Forward | Pass::WeightGradient => dims,
    };
    let places = dims.output[0] * dims.output[1];
    let products = places * dims.kernel[0] * dims.kernel[1] * dims.input[2] * dims.output[2] / RATE;
    let copied = reach(dims, 0) * reach(dims, 1) * dims.input[2];
    let copies = match pass {
        Pass::WeightGradient => 2 * copied + places * dims.output[2],
        Pass::Forward | Pass::InputGradient => copied,
    };
    products + COPY * copies
}
