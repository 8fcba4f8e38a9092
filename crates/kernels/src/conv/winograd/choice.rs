//! Which way a pass goes: by a count of products and transforms, from the sizes alone, whatever the number of samples.
//!
//! Costs are in products of one channel in with one out, for one sample, as a machine of sixteen lanes has them: a vector that is partly
//! filled costs as much as a full one.

use super::grid::Grid;
use super::weight_gradient::chunk_of;
use super::{Scheme, pools, supports};
use crate::conv::{Dims, Pass};
use crate::float::Float;
use crate::pool;
use crate::simd::MAX_LANES;

/// Transforming a channel to or from a point costs as much as this many products, measured over sizes from 3 to 256 channels. Tiles of
/// 4×4 have more numbers under way than there are registers.
pub(crate) const fn transform(scheme: Scheme) -> usize {
    match scheme {
        Scheme::Two | Scheme::Three => 5,
        Scheme::Four => 7,
    }
}

/// Adding the sums of a chunk to a weight's gradient costs as much as this many products.
const ADD_BACK: usize = 64;

/// Blocks have so many samples or more, where they are as large as they should be; chunks get no longer than they are.
const BLOCK: usize = 8;

/// The cheapest way of a pass, if it is not the direct one. `f64` is there to check gradients and keeps to the definition's
/// products.
pub(crate) fn choose<T: Float>(dims: &Dims, pass: Pass) -> Option<Scheme> {
    if T::BYTES > 4 || !supports(dims) {
        return None;
    }
    cheapest(Scheme::ALL, direct(dims, pass), |scheme| {
        cost(dims, pass, scheme)
    })
}

/// The scheme of the least cost, the first of several, if it costs less than another way.
pub(crate) fn cheapest<const N: usize>(
    schemes: [Scheme; N],
    other: usize,
    cost: impl Fn(Scheme) -> usize,
) -> Option<Scheme> {
    let mut best = (other, None);
    for scheme in schemes {
        let cost = cost(scheme);
        if cost < best.0 {
            best = (cost, Some(scheme));
        }
    }
    best.1
}

/// The tiles of the forward pass with a max-pool behind it, if windows are taken as tiles.
pub(crate) fn choose_in_windows<T: Float>(dims: &Dims, pool: &pool::Dims) -> Option<Scheme> {
    if T::BYTES > 4 || !supports(dims) || !pools(dims, pool) {
        return None;
    }
    let pass = Pass::Forward;
    cheapest([Scheme::Two, Scheme::Four], direct(dims, pass), |scheme| {
        let grid = Grid::of_windows(dims, pool, scheme.tile());
        of_singles(scheme, &grid).of(dims, pass, &grid)
    })
}

/// Products of a point: of channels that are broadcast with vectors of others.
const fn pairs(dims: &Dims, pass: Pass) -> usize {
    let [inputs, outputs] = [dims.input[2], dims.output[2]];
    match pass {
        Pass::Forward | Pass::WeightGradient => inputs * outputs.next_multiple_of(MAX_LANES),
        Pass::InputGradient => outputs * inputs.next_multiple_of(MAX_LANES),
    }
}

/// The cost of the direct way, for kernels of any size.
fn direct(dims: &Dims, pass: Pass) -> usize {
    let taps = |axis: usize| -> usize {
        let places = |k| dims.axis(axis).places(k).len();
        (0..dims.kernel[axis]).map(places).sum()
    };
    taps(0) * taps(1) * pairs(dims, pass)
}

fn cost(dims: &Dims, pass: Pass, scheme: Scheme) -> usize {
    let grid = scheme.grid_of(dims, pass);
    of_singles(scheme, &grid).of(dims, pass, &grid)
}

fn of_singles(scheme: Scheme, grid: &Grid) -> Cost {
    Cost {
        rate: 1,
        transform: transform(scheme),
        chunk: chunk_of(grid),
    }
}

/// What a pass by points costs.
pub(crate) struct Cost {
    /// Products that take as long as one of `f32`.
    pub(crate) rate: usize,
    /// Products that transforming a channel to or from a point costs as much as.
    pub(crate) transform: usize,
    /// Tiles of a chunk of the weight gradient.
    pub(crate) chunk: usize,
}

impl Cost {
    pub(crate) fn of(&self, dims: &Dims, pass: Pass, grid: &Grid) -> usize {
        let (pairs, tiles) = (pairs(dims, pass), grid.per_sample());
        let channels = |image: [usize; 3]| image[2].next_multiple_of(MAX_LANES);
        let transformed = channels(dims.input) + channels(dims.output);
        let mut cost = tiles * grid.points() * (pairs / self.rate + self.transform * transformed);
        if pass == Pass::WeightGradient {
            cost += ADD_BACK * pairs * tiles / self.chunk.min(BLOCK * tiles);
        }
        cost
    }
}

/// The cost of the cheapest way of all.
pub(crate) fn least_cost(dims: &Dims, pass: Pass) -> usize {
    match choose::<f32>(dims, pass) {
        Some(scheme) => cost(dims, pass, scheme),
        None => direct(dims, pass),
    }
}
