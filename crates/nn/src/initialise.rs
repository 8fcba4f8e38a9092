//! How the tensors of a new network are filled.

use plywood_kernels::Float;
use plywood_shape::Parameter;

/// Where all randomness of a network or a training starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

/// Fills tensor `tensor` of layer `layer` as it declares.
pub fn fill<T: Float>(
    _parameter: &Parameter,
    _values: &mut [T],
    _seed: Seed,
    _layer: usize,
    _tensor: usize,
) {
}
