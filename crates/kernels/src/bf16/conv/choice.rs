//! Which way a pass goes: by the sizes, whatever the number of samples.
//!
//! Costs are in products of `f32` with 16 lanes; transforms and copies are counted as so many products a number.

use super::direct::{reach, reversed};
use crate::bf16::winograd;
use crate::conv::winograd::grid::Grid;
use crate::conv::{Dims, Pass, winograd as single};

/// Channels below which pairs and strips are mostly padding.
const FEW_CHANNELS: usize = 16;

/// A bf16 product takes this part of an `f32` one.
const RATE: usize = 2;

/// Rounding and pairing a number that is read straight from images, with what a tile of few rows waits for.
const COPY: usize = 6;

/// Transforming a number for Winograd's products: in `f32`, and where half as much is written.
const TRANSFORM: [usize; 2] = [8, 7];

/// Adding the sums of a chunk to a weight's gradient costs as much as this many tiles of `f32`.
const ADD_BACK: usize = 10;

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
    let mut best = direct(dims, pass);
    if single::supports(dims) {
        best = best.min(by_points(dims, pass));
    }
    best < in_singles(dims, pass)
}

/// Whether a pass that is taken goes by Winograd's way.
pub(in crate::bf16) fn is_by_winograd(dims: &Dims, pass: Pass) -> bool {
    takes(dims, pass) && single::supports(dims) && by_points(dims, pass) < direct(dims, pass)
}

/// Products with one of the channels in and one of the channels out.
fn pairs(dims: &Dims) -> usize {
    dims.input[2] * dims.output[2]
}

/// The best way in `f32`.
fn in_singles(dims: &Dims, pass: Pass) -> usize {
    if let Some(scheme) = single::choose::<f32>(dims, pass) {
        let grid = scheme.grid_of(dims, pass);
        let chunk = single::chunk_of(&grid);
        return points(dims, pass, &grid, [1, TRANSFORM[0]], chunk);
    }
    let taps = |axis: usize| -> usize {
        let places = |k| dims.axis(axis).places(k).len();
        (0..dims.kernel[axis]).map(places).sum()
    };
    taps(0) * taps(1) * pairs(dims)
}

/// Winograd's way in bf16.
fn by_points(dims: &Dims, pass: Pass) -> usize {
    let grid = single::grid_of(dims, pass);
    let chunk = winograd::chunk_of(&grid);
    points(dims, pass, &grid, [RATE, TRANSFORM[1]], chunk)
}

/// Winograd's way with products at some rate, transforms of some cost and chunks of some tiles.
fn points(
    dims: &Dims,
    pass: Pass,
    grid: &Grid,
    [rate, transform]: [usize; 2],
    chunk: usize,
) -> usize {
    let tiles = grid.points() * grid.per_sample();
    let mut cost = tiles * (pairs(dims) / rate + transform * (dims.input[2] + dims.output[2]));
    if pass == Pass::WeightGradient {
        cost += tiles * pairs(dims) * ADD_BACK / chunk;
    }
    cost
}

/// The way over padded images in bf16.
fn direct(dims: &Dims, pass: Pass) -> usize {
    let dims = match pass {
        Pass::InputGradient => &reversed(dims),
        Pass::Forward | Pass::WeightGradient => dims,
    };
    let places = dims.output[0] * dims.output[1];
    let products = places * dims.kernel[0] * dims.kernel[1] * pairs(dims) / RATE;
    let copied = reach(dims, 0) * reach(dims, 1) * dims.input[2];
    let copies = match pass {
        Pass::WeightGradient => 2 * copied + places * dims.output[2],
        Pass::Forward | Pass::InputGradient => copied,
    };
    products + COPY * copies
}
