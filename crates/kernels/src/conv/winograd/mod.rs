//! Winograd's convolution F(2×2, 3×3): a 2×2 tile of outputs from sixteen products instead of thirty-six.
//!
//! ```text
//! Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A        for a 4×4 patch d, a 3×3 kernel g, a 2×2 tile Y; ⊙ summed over channels in
//! ```
//!
//! Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015; `transform` has the matrices. At each of the
//! sixteen points the sum over channels is a matrix product of tiles by channels; all else is additions. The input gradient
//! is such a convolution of dy, and the weight gradient has a form of its own.
//!
//! It takes kernels of 3×3 that move by one, and pays where the products outweigh the transforms, which [`pays`] decides from
//! the sizes. The result differs from that of the direct kernels by rounding. A tile's bits depend on its own patch alone, so
//! a sample's are the same in any batch; within a tile, a number that is not finite spoils its neighbours.

pub(crate) mod forward;
pub(crate) mod grid;
mod products;
pub(crate) mod target;
pub(crate) mod transform;
mod weight_gradient;
pub(crate) mod weights;

use self::forward::Convolve;
pub(crate) use self::grid::POINTS;
pub(crate) use self::weight_gradient::chunk_of;

use self::grid::Grid;
use self::target::{Pixels, Windows};
use self::weight_gradient::Accumulate;
use self::weights::{PackForward, PackInputGradient};
use super::pack::Prepare;
use super::{Dims, Forward, ForwardPool, InputGradient, Pass, WeightGradient};
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::pool;
use crate::simd::{Kernel, Simd};

/// A pass whose operands are checked, done by this kernel.
pub(super) struct Winograd<P>(pub(super) P);

/// Transforming a channel costs as much as this many products with it, measured over sizes from 8 to 256 channels.
const TRANSFORM: usize = 8;

/// Adding the sums of a chunk to a weight's gradient costs as much as this many tiles.
const ADD_BACK: usize = 10;

/// Whether these sizes can be computed this way.
pub(crate) fn supports(dims: &Dims) -> bool {
    dims.kernel == [3, 3]
        && dims.stride == [1, 1]
        && dims.dilation == [1, 1]
        && dims.groups == 1
        && dims.before.iter().all(|before| *before <= 2)
        && dims.input[2] > 0
        && dims.output[2] > 0
}

/// Whether a pass of these sizes is faster this way than directly, whatever the number of samples. `f64` is there to check
/// gradients and keeps to the definition's products.
pub(crate) fn pays<T: Float>(dims: &Dims, pass: Pass) -> bool {
    if T::BYTES > 4 || !supports(dims) {
        return false;
    }
    let [inputs, outputs] = [dims.input[2], dims.output[2]];
    let grid = grid_of(dims, pass);
    let (pairs, tiles) = (inputs * outputs, POINTS * grid.per_sample());
    let mut cost = tiles * (pairs + TRANSFORM * (inputs + outputs));
    if pass == Pass::WeightGradient {
        cost += tiles * pairs * ADD_BACK / weight_gradient::chunk_of(&grid);
    }
    let taps = |axis| -> usize { (0..3).map(|k| dims.axis(axis).places(k).len()).sum() };
    cost < taps(0) * taps(1) * pairs
}

/// Elements of scratch space that a pass needs.
pub(super) fn scratch_len(dims: &Dims, pass: Pass) -> usize {
    let grid = grid_of(dims, pass);
    match pass {
        Pass::Forward | Pass::InputGradient => forward::scratch_len(&grid),
        Pass::WeightGradient => weight_gradient::scratch_len(&grid),
    }
}

/// Elements that are derived from the weight for a pass.
pub(super) fn prepared_len(dims: &Dims, pass: Pass) -> usize {
    let [inputs, outputs] = [dims.input[2], dims.output[2]];
    match pass {
        Pass::Forward => weights::panels_len(inputs, outputs),
        Pass::InputGradient => weights::panels_len(outputs, inputs),
        Pass::WeightGradient => 0,
    }
}

/// Whether a pool's windows are tiles, so that it can be taken in registers.
pub(crate) fn pools(dims: &Dims, pool: &pool::Dims) -> bool {
    let is_two_by_two = pool.kernel == [2, 2] && pool.stride == [2, 2] && pool.dilation == [1, 1];
    let is_inside = (0..2).all(|axis| 2 * pool.output[axis] <= dims.output[axis]);
    is_two_by_two && pool.before == [0, 0] && is_inside
}

pub(crate) fn grid_of(dims: &Dims, pass: Pass) -> Grid {
    match pass {
        Pass::Forward | Pass::WeightGradient => Grid::forward(dims),
        Pass::InputGradient => Grid::input_gradient(dims),
    }
}

impl<T: Float> Kernel<T> for Winograd<Prepare<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Prepare {
            dims,
            pass,
            weight,
            prepared: panels,
        } = self.0;
        match pass {
            Pass::Forward => simd.enter(PackForward {
                dims,
                weight,
                panels,
            }),
            Pass::InputGradient => simd.enter(PackInputGradient {
                dims,
                weight,
                panels,
            }),
            Pass::WeightGradient => {}
        }
    }
}

impl<T: Float> Kernel<T> for Winograd<Forward<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let pass = self.0;
        simd.enter(Convolve {
            grid: Grid::forward(pass.dims),
            x: pass.x,
            panels: pass.prepared,
            epilogue: pass.epilogue,
            target: Pixels {
                output: pass.dims.output,
                y: pass.y,
            },
            scratch: pass.scratch,
        });
    }
}

impl<T: Float> Kernel<T> for Winograd<InputGradient<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let pass = self.0;
        simd.enter(Convolve {
            grid: Grid::input_gradient(pass.dims),
            x: pass.dy,
            panels: pass.prepared,
            epilogue: Epilogue::NONE,
            target: Pixels {
                output: pass.dims.input,
                y: pass.dx,
            },
            scratch: pass.scratch,
        });
    }
}

impl<T: Float> Kernel<T> for Winograd<WeightGradient<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let pass = self.0;
        simd.enter(Accumulate {
            grid: Grid::forward(pass.dims),
            x: pass.x,
            dy: pass.dy,
            dweight: pass.dweight,
            scratch: pass.scratch,
        });
    }
}

/// With a pool whose windows are tiles.
impl<T: Float> Kernel<T> for Winograd<ForwardPool<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let pass = self.0;
        let [rows, columns] = pass.pool.output;
        simd.enter(Convolve {
            grid: Grid {
                tiles: [rows, columns],
                ..Grid::forward(pass.dims)
            },
            x: pass.x,
            panels: pass.prepared,
            epilogue: pass.epilogue,
            target: Windows {
                output: [rows, columns, pass.dims.output[2]],
                y: pass.y,
                places: pass.places,
            },
            scratch: pass.scratch,
        });
    }
}
