//! Winograd's convolution F(2×2, 3×3) with its products in bf16.
//!
//! Transforms are those of `conv::winograd`, in `f32`; what they yield is rounded once, on its way to memory, and pairs are
//! multiplied point by point. Rounding a transformed patch, a sum of four numbers a direction, costs about one bit of precision
//! against rounding the image.
//!
//! The forward pass and the input gradient pair channels, the weight gradient pairs tiles.

mod forward;
mod patch;
mod weight_gradient;
mod weights;

use crate::conv::winograd::transform::two::PATCH;

/// Points of a tile.
pub(super) const POINTS: usize = PATCH * PATCH;

pub(super) use forward::{Convolve, scratch_len};
pub(super) use weight_gradient::{
    Accumulate, chunk_of, scratch_len as weight_gradient_scratch_len,
};
pub(super) use weights::{PackForward, PackInputGradient, panels_len};
