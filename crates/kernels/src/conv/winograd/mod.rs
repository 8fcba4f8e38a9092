//! Winograd's convolution of 3×3 kernels: F(2×2, 3×3), a 2×2 tile of outputs from sixteen products instead of thirty-six,
//! F(3×3, 3×3), a 3×3 tile from twenty-five instead of eighty-one, and F(4×4, 3×3), a 4×4 tile from thirty-six instead of 144.
//!
//! ```text
//! Y  = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A       for a patch d, a 3×3 kernel g, a tile Y; ⊙ summed over channels in
//! dg = Gᵀ [ (A dY Aᵀ) ⊙ (Bᵀ d B) ] G      summed over tiles
//! dd = B  [ (A dY Aᵀ) ⊙ (G g Gᵀ) ] Bᵀ     summed over channels out, and where patches overlap
//! ```
//!
//! Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015; `transform` has the matrices. At each of the
//! points the sum over channels is a matrix product of tiles by channels; all else is additions and a few factors. The input
//! gradient is also the convolution of dy by the flipped kernel, which takes tiles of dx instead of tiles of y: whichever are fewer.
//!
//! It takes kernels of 3×3 that move by one, and pays where the products outweigh the transforms, which `choice` decides from
//! the sizes. The result differs from that of the direct kernels by rounding. A tile's bits depend on its own patch alone, so
//! a sample's are the same in any batch; within a tile, a number that is not finite spoils its neighbours.

mod choice;
pub(crate) mod forward;
pub(crate) mod grid;
mod products;
pub(crate) mod target;
pub(crate) mod transform;
mod weight_gradient;
pub(crate) mod weights;

pub(crate) use self::choice::{Cost, cheapest, choose, choose_in_windows, least_cost, transform};

use self::forward::Convolve;
use self::grid::Grid;
use self::target::{Overlapping, Pixels, Windows};
use self::transform::{four, three, two};
use self::weight_gradient::Accumulate;
use self::weights::{PackForward, PackInputGradient};
use super::pack::Prepare;
use super::{Dims, Forward, ForwardPool, InputGradient, Pass, WeightGradient};
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::pool;
use crate::simd::{Kernel, Simd};

/// A pass whose operands are checked, done by this kernel.
pub(super) struct Winograd<P>(pub(super) Scheme, pub(super) P);

/// How large the tiles are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    /// F(2×2, 3×3)
    Two,
    /// F(3×3, 3×3)
    Three,
    /// F(4×4, 3×3)
    Four,
}

impl Scheme {
    /// All of them, the finest rounding first.
    pub(crate) const ALL: [Self; 3] = [Self::Two, Self::Three, Self::Four];

    /// That of tiles of so many pixels along an axis.
    pub(super) const fn of(tile: usize) -> Self {
        match tile {
            two::TILE => Self::Two,
            three::TILE => Self::Three,
            four::TILE => Self::Four,
            _ => panic!("conv: no tiles of this size"),
        }
    }

    /// Pixels of a tile along an axis.
    pub(crate) const fn tile(self) -> usize {
        match self {
            Self::Two => two::TILE,
            Self::Three => three::TILE,
            Self::Four => four::TILE,
        }
    }

    /// The tiles of a pass.
    pub(crate) const fn grid_of(self, dims: &Dims, pass: Pass) -> Grid {
        match pass {
            Pass::Forward | Pass::WeightGradient => Grid::forward(dims, self.tile()),
            Pass::InputGradient if self.is_transposed(dims) => Grid::transposed(dims, self.tile()),
            Pass::InputGradient => Grid::input_gradient(dims, self.tile()),
        }
    }

    /// Whether the input gradient goes by tiles of dy, since there are fewer of them.
    pub(crate) const fn is_transposed(self, dims: &Dims) -> bool {
        let of_dx = Grid::input_gradient(dims, self.tile()).per_sample();
        !matches!(self, Self::Two) && Grid::transposed(dims, self.tile()).per_sample() < of_dx
    }

    /// Elements of scratch space that a pass needs.
    pub(super) fn scratch_len(self, dims: &Dims, pass: Pass) -> usize {
        let grid = self.grid_of(dims, pass);
        match pass {
            Pass::Forward | Pass::InputGradient => forward::scratch_len(&grid),
            Pass::WeightGradient => weight_gradient::scratch_len(&grid),
        }
    }

    /// Elements that are derived from the weight for a pass.
    pub(super) fn prepared_len(self, dims: &Dims, pass: Pass) -> usize {
        let [inputs, outputs] = [dims.input[2], dims.output[2]];
        let points = self.grid_of(dims, pass).points();
        match pass {
            Pass::Forward => weights::panels_len(points, inputs, outputs),
            Pass::InputGradient => weights::panels_len(points, outputs, inputs),
            Pass::WeightGradient => 0,
        }
    }
}

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

/// Whether a pool's windows lie in tiles of 2×2 and of 4×4, so that it can be taken in registers.
pub(crate) fn pools(dims: &Dims, pool: &pool::Dims) -> bool {
    let is_two_by_two = pool.kernel == [2, 2] && pool.stride == [2, 2] && pool.dilation == [1, 1];
    let is_inside = (0..2).all(|axis| 2 * pool.output[axis] <= dims.output[axis]);
    is_two_by_two && pool.before == [0, 0] && is_inside
}

impl<T: Float> Kernel<T> for Winograd<Prepare<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self(scheme, Prepare { dims, pass, .. }) = self;
        let is_transposed = scheme.is_transposed(dims);
        match (pass, scheme) {
            (Pass::Forward, Scheme::Two) => simd.enter(self.forward(two::Kernel)),
            (Pass::Forward, Scheme::Three) => simd.enter(self.forward(three::Kernel)),
            (Pass::InputGradient, Scheme::Two) => simd.enter(self.backward(two::Kernel, true)),
            (Pass::InputGradient, Scheme::Three) if is_transposed => {
                simd.enter(self.backward(three::Tile, false));
            }
            (Pass::InputGradient, Scheme::Three) => simd.enter(self.backward(three::Kernel, true)),
            (Pass::Forward, Scheme::Four) => simd.enter(self.forward(four::Kernel)),
            (Pass::InputGradient, Scheme::Four) if is_transposed => {
                simd.enter(self.backward(four::PlainKernel, false));
            }
            (Pass::InputGradient, Scheme::Four) => simd.enter(self.backward(four::Kernel, true)),
            (Pass::WeightGradient, _) => {}
        }
    }
}

impl<'a, T: Float> Winograd<Prepare<'a, T>> {
    fn forward<M, const PATCH: usize>(self, matrix: M) -> PackForward<'a, T, M, PATCH> {
        PackForward {
            dims: self.1.dims,
            weight: self.1.weight,
            panels: self.1.prepared,
            matrix,
        }
    }

    fn backward<M, const PATCH: usize>(
        self,
        matrix: M,
        is_flipped: bool,
    ) -> PackInputGradient<'a, T, M, PATCH> {
        PackInputGradient {
            dims: self.1.dims,
            weight: self.1.weight,
            panels: self.1.prepared,
            matrix,
            is_flipped,
        }
    }
}

impl<T: Float> Kernel<T> for Winograd<Forward<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self(scheme, pass) = self;
        let convolve = Convolve {
            grid: scheme.grid_of(pass.dims, Pass::Forward),
            x: pass.x,
            panels: pass.prepared,
            epilogue: pass.epilogue,
            target: Pixels {
                output: pass.dims.output,
                y: pass.y,
            },
            scratch: pass.scratch,
        };
        match scheme {
            Scheme::Two => simd.enter(convolve.by(two::Input, two::Output)),
            Scheme::Three => simd.enter(convolve.by(three::Input, three::Output)),
            Scheme::Four => simd.enter(convolve.by(four::Input, four::Output)),
        }
    }
}

impl<T: Float> Kernel<T> for Winograd<InputGradient<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self(scheme, pass) = self;
        let (grid, output) = (
            scheme.grid_of(pass.dims, Pass::InputGradient),
            pass.dims.input,
        );
        if scheme.is_transposed(pass.dims) {
            pass.dx.fill(T::ZERO);
            let target = Overlapping {
                output,
                before: pass.dims.before,
                step: grid.step,
                y: pass.dx,
            };
            let convolve = Convolve {
                grid,
                x: pass.dy,
                panels: pass.prepared,
                epilogue: Epilogue::NONE,
                target,
                scratch: pass.scratch,
            };
            return if scheme == Scheme::Four {
                simd.enter(convolve.by(four::OutputGradient, four::InputGradient));
            } else {
                simd.enter(convolve.by(three::Kernel, three::InputGradient));
            };
        }
        let convolve = Convolve {
            grid,
            x: pass.dy,
            panels: pass.prepared,
            epilogue: Epilogue::NONE,
            target: Pixels { output, y: pass.dx },
            scratch: pass.scratch,
        };
        match scheme {
            Scheme::Two => simd.enter(convolve.by(two::Input, two::Output)),
            Scheme::Three => simd.enter(convolve.by(three::Input, three::Output)),
            Scheme::Four => simd.enter(convolve.by(four::Input, four::Output)),
        }
    }
}

impl<T: Float> Kernel<T> for Winograd<WeightGradient<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self(scheme, pass) = self;
        let accumulate = Accumulate {
            grid: scheme.grid_of(pass.dims, Pass::WeightGradient),
            x: pass.x,
            dy: pass.dy,
            dweight: pass.dweight,
            scratch: pass.scratch,
        };
        match scheme {
            Scheme::Two => {
                simd.enter(accumulate.by(two::Input, two::OutputGradient, two::KernelGradient));
            }
            Scheme::Three => {
                simd.enter(accumulate.by(three::Input, three::Kernel, three::Output));
            }
            Scheme::Four => {
                simd.enter(accumulate.by(four::Input, four::OutputGradient, four::KernelGradient));
            }
        }
    }
}

/// With a pool of whose windows a tile has one or four.
impl<T: Float> Kernel<T> for Winograd<ForwardPool<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self(scheme, pass) = self;
        let convolve = Convolve {
            grid: Grid::of_windows(pass.dims, pass.pool, scheme.tile()),
            x: pass.x,
            panels: pass.prepared,
            epilogue: pass.epilogue,
            target: Windows::of(pass.dims, pass.pool, pass.y, pass.places),
            scratch: pass.scratch,
        };
        match scheme {
            Scheme::Two => simd.enter(convolve.by(two::Input, two::Output)),
            Scheme::Four => simd.enter(convolve.by(four::Input, four::Output)),
            Scheme::Three => unreachable!("windows of 2×2 are no tiles of 3×3"),
        }
    }
}
