//! Winograd's convolutions with their products in bf16.
//!
//! Transforms are those of `conv::winograd`, in `f32`; what they yield is rounded once, on its way to memory, and pairs are
//! multiplied point by point. A point mixes the numbers of a patch, and its rounding spreads over a tile: against rounding
//! the images themselves, results are about 1.5 times as coarse by tiles of 2×2,
//! 3.5 times by tiles of 3×3 and 4.5 times by tiles of 4×4.
//!
//! The forward pass and the input gradient pair channels, the weight gradient pairs tiles.

mod forward;
mod slabs;
mod weight_gradient;
mod weights;

pub(super) use self::weight_gradient::chunk_of;

use self::forward::Convolve;
use self::weight_gradient::Accumulate;
use self::weights::{PackForward, PackInputGradient};
use super::dispatch;
use super::pack::{as_words, as_words_mut};
use crate::conv::winograd::Scheme;
use crate::conv::winograd::grid::Grid;
use crate::conv::winograd::target::{Overlapping, Pixels, Windows};
use crate::conv::winograd::transform::{four, three, two};
use crate::conv::{Dims, ForwardPool, Pass};
use crate::float::Float;
use crate::gemm::Epilogue;

/// Elements that hold the packed weights of a pass.
pub(super) fn weights_len(scheme: Scheme, dims: &Dims, pass: Pass) -> usize {
    let [inputs, outputs] = [dims.input[2], dims.output[2]];
    let points = scheme.grid_of(dims, pass).points();
    match pass {
        Pass::Forward => weights::panels_len(points, inputs, outputs),
        Pass::InputGradient => weights::panels_len(points, outputs, inputs),
        Pass::WeightGradient => 0,
    }
}

/// Elements of scratch space of a pass.
pub(super) fn scratch_len(scheme: Scheme, dims: &Dims, pass: Pass) -> usize {
    let grid = scheme.grid_of(dims, pass);
    match pass {
        Pass::Forward | Pass::InputGradient => forward::scratch_len(&grid),
        Pass::WeightGradient => weight_gradient::scratch_len(&grid),
    }
}

/// Rounds and packs the weights of a pass.
pub(super) fn pack_weights(
    scheme: Scheme,
    dims: &Dims,
    pass: Pass,
    weight: &[f32],
    packed: &mut [f32],
) {
    let panels = as_words_mut(packed);
    match (pass, scheme) {
        (Pass::WeightGradient, _) => {}
        (Pass::Forward, Scheme::Two) => dispatch(PackForward {
            dims,
            weight,
            panels,
            matrix: two::Kernel,
        }),
        (Pass::Forward, Scheme::Three) => dispatch(PackForward {
            dims,
            weight,
            panels,
            matrix: three::Kernel,
        }),
        (Pass::InputGradient, Scheme::Two) => dispatch(PackInputGradient {
            dims,
            weight,
            panels,
            matrix: two::Kernel,
            is_flipped: true,
        }),
        (Pass::InputGradient, Scheme::Three) if scheme.is_transposed(dims) => {
            dispatch(PackInputGradient {
                dims,
                weight,
                panels,
                matrix: three::Tile,
                is_flipped: false,
            });
        }
        (Pass::InputGradient, Scheme::Three) => dispatch(PackInputGradient {
            dims,
            weight,
            panels,
            matrix: three::Kernel,
            is_flipped: true,
        }),
        (Pass::Forward, Scheme::Four) => dispatch(PackForward {
            dims,
            weight,
            panels,
            matrix: four::Kernel,
        }),
        (Pass::InputGradient, Scheme::Four) if scheme.is_transposed(dims) => {
            dispatch(PackInputGradient {
                dims,
                weight,
                panels,
                matrix: four::PlainKernel,
                is_flipped: false,
            });
        }
        (Pass::InputGradient, Scheme::Four) => dispatch(PackInputGradient {
            dims,
            weight,
            panels,
            matrix: four::Kernel,
            is_flipped: true,
        }),
    }
}

/// y = activation(x ∗ weight + bias).
pub(super) fn forward(
    scheme: Scheme,
    dims: &Dims,
    x: &[f32],
    weights: &[f32],
    epilogue: Epilogue<'_, f32>,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let convolve = Convolve {
        grid: scheme.grid_of(dims, Pass::Forward),
        x,
        panels: as_words(weights),
        epilogue,
        target: Pixels {
            output: dims.output,
            y,
        },
        scratch,
    };
    match scheme {
        Scheme::Two => dispatch(convolve.by(two::Input, two::Output)),
        Scheme::Three => dispatch(convolve.by(three::Input, three::Output)),
        Scheme::Four => dispatch(convolve.by(four::Input, four::Output)),
    }
}

/// The same with a max-pool behind it, of whose windows a tile has one or four.
pub(super) fn forward_pool<T: Float>(scheme: Scheme, pass: ForwardPool<'_, T>) {
    let convolve = Convolve {
        grid: Grid::of_windows(pass.dims, pass.pool, scheme.tile()),
        x: T::singles(pass.x),
        panels: as_words(T::singles(pass.prepared)),
        epilogue: pass.epilogue.singles(),
        target: Windows::of(pass.dims, pass.pool, T::singles_mut(pass.y), pass.places),
        scratch: T::singles_mut(pass.scratch),
    };
    match scheme {
        Scheme::Two => dispatch(convolve.by(two::Input, two::Output)),
        Scheme::Four => dispatch(convolve.by(four::Input, four::Output)),
        Scheme::Three => unreachable!("windows of 2×2 are no tiles of 3×3"),
    }
}

/// dx from dy.
pub(super) fn input_gradient(
    scheme: Scheme,
    dims: &Dims,
    dy: &[f32],
    weights: &[f32],
    dx: &mut [f32],
    scratch: &mut [f32],
) {
    let (grid, panels) = (scheme.grid_of(dims, Pass::InputGradient), as_words(weights));
    if scheme.is_transposed(dims) {
        dx.fill(0.0);
        let convolve = Convolve {
            grid,
            x: dy,
            panels,
            epilogue: Epilogue::NONE,
            target: Overlapping {
                output: dims.input,
                before: dims.before,
                step: grid.step,
                y: dx,
            },
            scratch,
        };
        return if scheme == Scheme::Four {
            dispatch(convolve.by(four::OutputGradient, four::InputGradient));
        } else {
            dispatch(convolve.by(three::Kernel, three::InputGradient));
        };
    }
    let convolve = Convolve {
        grid,
        x: dy,
        panels,
        epilogue: Epilogue::NONE,
        target: Pixels {
            output: dims.input,
            y: dx,
        },
        scratch,
    };
    match scheme {
        Scheme::Two => dispatch(convolve.by(two::Input, two::Output)),
        Scheme::Three => dispatch(convolve.by(three::Input, three::Output)),
        Scheme::Four => dispatch(convolve.by(four::Input, four::Output)),
    }
}

/// dweight += x ∗ dy.
pub(super) fn weight_gradient(
    scheme: Scheme,
    dims: &Dims,
    x: &[f32],
    dy: &[f32],
    dweight: &mut [f32],
    scratch: &mut [f32],
) {
    let accumulate = Accumulate {
        grid: scheme.grid_of(dims, Pass::WeightGradient),
        x,
        dy,
        dweight,
        scratch,
    };
    match scheme {
        Scheme::Two => {
            dispatch(accumulate.by(two::Input, two::OutputGradient, two::KernelGradient));
        }
        Scheme::Three => dispatch(accumulate.by(three::Input, three::Kernel, three::Output)),
        Scheme::Four => {
            dispatch(accumulate.by(four::Input, four::OutputGradient, four::KernelGradient));
        }
    }
}
