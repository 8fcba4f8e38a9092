//! The product as its definition says: three loops.

use super::{Gemm, MatrixMut, Start};
use crate::elementwise::Activation;
use crate::float::Float;

/// Computes a product one element at a time; multiplication and addition are each rounded.
pub(super) fn reference<T: Float>(gemm: Gemm<'_, T>, c: MatrixMut<'_, T>, _scratch: &mut [T]) {
    for i in 0..gemm.m {
        for j in 0..gemm.n {
            let target = &mut c.data[i * c.row_stride + j];
            let mut sum = match gemm.start {
                Start::Zero => T::ZERO,
                Start::Accumulate => *target,
            };
            for p in 0..gemm.k {
                sum = gemm.a.at(i, p) * gemm.b.at(p, j) + sum;
            }
            if let Some(bias) = gemm.epilogue.bias {
                sum += bias[j];
            }
            *target = activate(gemm.epilogue.activation, sum);
        }
    }
}

/// The activations with the standard library's functions.
fn activate<T: Float>(activation: Activation, x: T) -> T {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(T::ZERO),
        Activation::LeakyRelu(slope) if x < T::ZERO => x * T::from_f64(slope),
        Activation::LeakyRelu(_) => x,
        Activation::Sigmoid => T::ONE / (T::ONE + (-x).exp()),
        Activation::Tanh => x.tanh(),
    }
}
