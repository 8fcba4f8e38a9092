//! Two-dimensional convolution: forward pass, weight gradient, input gradient, and the forward pass with a max-pool.
//!
//! What is computed is cross-correlation, as every framework does it. Images are channels last, weights
//! `[kernel rows][kernel columns][channels in / groups][channels out]`; [`Dims`] says the rest.
//!
//! On each level there is a depthwise kernel, vectorised over channels, and a direct kernel, which takes every size:
//! implicit im2col from the image rows into a register tile of pixels by vectors of output channels. Every element is
//! one sum in ascending order of its terms (the files `forward`, `weight_gradient` and `input_gradient` state them), so
//! its bits depend on its own terms and the instruction set alone. Kernels of 3×3 over enough channels go by Winograd's
//! way (`winograd`) with half to a fourth of the products. The explicit im2col with a matrix product and the definition itself are the
//! second opinion and the reference.
//!
//! Weights are packed for a pass by [`prepare`], once for as many passes as they stay the same; how is a matter of the
//! kernel, which all sizes but the number of samples decide. A max-pool behind a convolution is taken in the same pass
//! (`pooled`, `windows`), and on the way back only the pixels that won a window count (`winners`, `narrow`).
//!
//! ```
//! use plywood_kernels::conv::{self, Dims, Forward, Pass};
//! use plywood_kernels::gemm::Epilogue;
//!
//! let dims = Dims {
//!     samples: 1,
//!     input: [1, 4, 1],
//!     output: [1, 3, 1],
//!     kernel: [1, 2],
//!     stride: [1, 1],
//!     dilation: [1, 1],
//!     before: [0, 0],
//!     groups: 1,
//! };
//! let weight = [-1.0, 1.0];
//! let mut prepared = vec![0.0; conv::prepared_len::<f32>(&dims, Pass::Forward)];
//! conv::prepare(&dims, Pass::Forward, &weight, &mut prepared);
//! let mut scratch = vec![0.0; conv::forward_scratch_len(&dims)];
//! let mut y = [0.0_f32; 3];
//! conv::forward(Forward {
//!     dims: &dims,
//!     x: &[1.0, 3.0, 6.0, 10.0],
//!     weight: &weight,
//!     prepared: &prepared,
//!     epilogue: Epilogue::NONE,
//!     y: &mut y,
//!     scratch: &mut scratch,
//! });
//! assert_eq!(y, [2.0, 3.0, 4.0]);
//! ```

mod activate;
pub(crate) mod axis;
mod depthwise;
mod dims;
mod forward;
mod im2col;
mod implementation;
mod input_gradient;
mod mono;
mod narrow;
mod pack;
mod pooled;
mod pooled_backward;
mod reference;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod tile;
mod transpose;
mod weight_gradient;
mod windows;
mod winners;
pub(crate) mod winograd;

pub use dims::Dims;
pub(crate) use dims::{image, pair};
pub use implementation::{Implementation, Pass};
pub use pooled::{
    ForwardPool, forward_pool, forward_pool_on, forward_pool_prepared_len,
    forward_pool_scratch_len, prepare_forward_pool, prepare_forward_pool_on,
};
pub use pooled_backward::{
    BackwardPool, backward_pool, backward_pool_on, backward_pool_prepared_len,
    backward_pool_scratch_len, prepare_backward_pool, prepare_backward_pool_on,
};

pub use rows::{POOL_ROWS_TOGETHER, forward_pool_rows, forward_rows, has_pool_rows, rows_together};

use crate::float::Float;
use crate::gemm::Epilogue;
use crate::simd::Isa;

/// What the gradients' kernels keep in the cache while they go over it several times.
const CACHE_BYTES: usize = 48 << 10;

/// Numbers of a row of the kernel below which vectors along it do not pay.
const SHORTEST_ROW: usize = 16;

/// The forward pass: y = activation(x ∗ weight + bias).
#[derive(Debug)]
pub struct Forward<'a, T> {
    /// The sizes.
    pub dims: &'a Dims,
    /// `[samples][input]`
    pub x: &'a [T],
    /// `[kernel rows][kernel columns][channels in / groups][channels out]`
    pub weight: &'a [T],
    /// What [`prepare`] derived from the weight for [`Pass::Forward`], at the same level.
    pub prepared: &'a [T],
    /// Bias, one number a channel out, and activation.
    pub epilogue: Epilogue<'a, T>,
    /// `[samples][output]`, overwritten.
    pub y: &'a mut [T],
    /// [`forward_scratch_len`] elements of any content.
    pub scratch: &'a mut [T],
}

/// The weight gradient: dweight += what x and dy give.
#[derive(Debug)]
pub struct WeightGradient<'a, T> {
    /// The sizes.
    pub dims: &'a Dims,
    /// `[samples][input]`
    pub x: &'a [T],
    /// `[samples][output]`, the gradient before the activation.
    pub dy: &'a [T],
    /// Like the weight; added to.
    pub dweight: &'a mut [T],
    /// [`weight_gradient_scratch_len`] elements of any content.
    pub scratch: &'a mut [T],
}

/// The input gradient: dx from dy and the weight. Also the forward pass of a transposed convolution.
#[derive(Debug)]
pub struct InputGradient<'a, T> {
    /// The sizes.
    pub dims: &'a Dims,
    /// `[kernel rows][kernel columns][channels in / groups][channels out]`
    pub weight: &'a [T],
    /// What [`prepare`] derived from the weight for [`Pass::InputGradient`], at the same level.
    pub prepared: &'a [T],
    /// `[samples][output]`, the gradient before the activation.
    pub dy: &'a [T],
    /// `[samples][input]`, overwritten.
    pub dx: &'a mut [T],
    /// [`input_gradient_scratch_len`] elements of any content.
    pub scratch: &'a mut [T],
}

/// A pass whose operands are checked, done by the direct kernel.
struct Direct<P>(P);

/// A pass whose operands are checked, done by the depthwise kernel.
struct Depthwise<P>(P);

/// Elements that [`prepare`] derives for a pass, at any level. The number of samples does not matter.
pub fn prepared_len<T: Float>(dims: &Dims, pass: Pass) -> usize {
    let len = |isa| (Implementation::<T>::best(isa, dims, pass).prepared_len)(dims, pass);
    Isa::ALL.into_iter().map(len).max().unwrap_or(0)
}

/// Derives from the weight what a pass reads of it, at the active level. The number of samples does not matter.
///
/// # Panics
/// If the weight's length does not fit the sizes, if the sizes do not fit together, or if `prepared` is short.
pub fn prepare<T: Float>(dims: &Dims, pass: Pass, weight: &[T], prepared: &mut [T]) {
    prepare_on(Isa::active(), dims, pass, weight, prepared);
}

/// Derives it at the level `isa`.
///
/// # Panics
/// As [`prepare`], and if this machine lacks `isa`.
pub fn prepare_on<T: Float>(isa: Isa, dims: &Dims, pass: Pass, weight: &[T], prepared: &mut [T]) {
    Implementation::best(isa, dims, pass).prepare(dims, pass, weight, prepared);
}

/// Computes y at the active level.
///
/// # Panics
/// If an operand's length does not fit the sizes, if the sizes do not fit together, or if the scratch space is short.
pub fn forward<T: Float>(pass: Forward<'_, T>) {
    forward_on(Isa::active(), pass);
}

/// Computes y at the level `isa`.
///
/// # Panics
/// As [`forward`], and if this machine lacks `isa`.
pub fn forward_on<T: Float>(isa: Isa, pass: Forward<'_, T>) {
    Implementation::best(isa, pass.dims, Pass::Forward).forward(pass);
}

/// Elements of scratch space that [`forward`] needs, at any level.
pub fn forward_scratch_len(dims: &Dims) -> usize {
    scratch_len(dims, Pass::Forward)
}

/// Adds the weight gradient at the active level.
///
/// # Panics
/// As [`forward`].
pub fn weight_gradient<T: Float>(pass: WeightGradient<'_, T>) {
    weight_gradient_on(Isa::active(), pass);
}

/// Adds the weight gradient at the level `isa`.
///
/// # Panics
/// As [`forward_on`].
pub fn weight_gradient_on<T: Float>(isa: Isa, pass: WeightGradient<'_, T>) {
    Implementation::best(isa, pass.dims, Pass::WeightGradient).weight_gradient(pass);
}

/// Elements of scratch space that [`weight_gradient`] needs, at any level.
pub fn weight_gradient_scratch_len(dims: &Dims) -> usize {
    scratch_len(dims, Pass::WeightGradient)
}

/// Computes the input gradient at the active level.
///
/// # Panics
/// As [`forward`].
pub fn input_gradient<T: Float>(pass: InputGradient<'_, T>) {
    input_gradient_on(Isa::active(), pass);
}

/// Computes the input gradient at the level `isa`.
///
/// # Panics
/// As [`forward_on`].
pub fn input_gradient_on<T: Float>(isa: Isa, pass: InputGradient<'_, T>) {
    Implementation::best(isa, pass.dims, Pass::InputGradient).input_gradient(pass);
}

/// Elements of scratch space that [`input_gradient`] needs, at any level.
pub fn input_gradient_scratch_len(dims: &Dims) -> usize {
    scratch_len(dims, Pass::InputGradient)
}

/// Elements of scratch space that a pass needs for either type, at any level.
fn scratch_len(dims: &Dims, pass: Pass) -> usize {
    let single = |isa| (Implementation::<f32>::best(isa, dims, pass).scratch_len)(dims, pass);
    let double = Implementation::<f64>::best(Isa::Scalar, dims, pass).scratch_len;
    let single = Isa::ALL.into_iter().map(single).max();
    single.unwrap_or(0).max(double(dims, pass))
}

/// Panics unless an operand has the length that the sizes ask for.
fn check_len(operand: &str, found: usize, expected: usize) {
    assert!(
        found == expected,
        "conv: {operand} has {found} elements, the sizes ask for {expected}"
    );
}
