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

/// Transforming a channel to or from a point costs as much as this many products, measured over sizes from 4 to 256 channels.
const TRANSFORM: usize = 5;

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
    let [two, three] = [Scheme::Two, Scheme::Three].map(|scheme| cost(dims, pass, scheme));
    let (best, least) = if three < two {
        (Scheme::Three, three)
    } else {
        (Scheme::Two, two)
    };
    (least < direct(dims, pass)).then_some(best)
}

/// Whether the forward pass goes by tiles that are windows of the pool behind it.
pub(crate) fn pays_in_windows<T: Float>(dims: &Dims, pool: &pool::Dims) -> bool {
    T::BYTES == 4
        && supports(dims)
        && pools(dims, pool)
        && cost(dims, Pass::Forward, Scheme::Two) < direct(dims, Pass::Forward)
}

/// Products of a point: of channels that are broadcast with vectors of others.
const fn pairs(dims: &Dims, pass: Pass) -> usize {
    let [inputs, outputs] = [dims.input[2], dims.output[2]];
    match pass {
        Pass::Forward | Pass::WeightGradient => inputs * outputs.next_multiple_of(MAX_LANES),
        Pass::InputGradient => outputs * inputs.next_multiple_of(MAX_LANES),
    }
}

/// The cost of the direct way.
fn direct(dims: &Dims, pass: Pass) -> usize {
    let taps = |axis| -> usize { (0..3).map(|k| dims.axis(axis).places(k).len()).sum() };
    taps(0) * taps(1) * pairs(dims, pass)
}

fn cost(dims: &Dims, pass: Pass, scheme: Scheme) -> usize {
    let grid = scheme.grid_of(dims, pass);
    let cost = Cost {
        rate: 1,
        transform: TRANSFORM,
        chunk: chunk_of(&grid),
    };
    cost.of(dims, pass, &grid)
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
