//! The same product by the crate `matrixmultiply`, for tests and benches to compare with.

use super::{Gemm, MatrixMut, Start};
use crate::float::Float;

/// C = (C +) A·B by `matrixmultiply`'s `sgemm` or `dgemm`, in whatever order it adds. The epilogue is left out.
///
/// # Panics
/// If an operand is too short for its sizes and strides.
pub fn second_opinion<T: Float>(gemm: Gemm<'_, T>, c: MatrixMut<'_, T>) {
    gemm.check(&c);
    let (a, b) = (gemm.a.data.as_ptr(), gemm.b.data.as_ptr());
    let c_pointer = c.data.as_mut_ptr();
    let (a_row, a_column) = (gemm.a.row_stride as isize, gemm.a.column_stride as isize);
    let (b_row, b_column) = (gemm.b.row_stride as isize, gemm.b.column_stride as isize);
    let c_row = c.row_stride as isize;
    let accumulates = gemm.start == Start::Accumulate;
    let Gemm { m, n, k, .. } = gemm;
    if T::BYTES == 4 {
        let beta = if accumulates { 1.0 } else { 0.0 };
        let (a, b, c) = (a.cast::<f32>(), b.cast::<f32>(), c_pointer.cast::<f32>());
        // SAFETY: `T` is `f32`, the only element of four bytes; the extents were just checked and C is exclusive.
        unsafe {
            matrixmultiply::sgemm(
                m, k, n, 1.0, a, a_row, a_column, b, b_row, b_column, beta, c, c_row, 1,
            )
        }
    } else {
        let beta = if accumulates { 1.0 } else { 0.0 };
        let (a, b, c) = (a.cast::<f64>(), b.cast::<f64>(), c_pointer.cast::<f64>());
        // SAFETY: `T` is `f64`, the only element of eight bytes; the extents were just checked and C is exclusive.
        unsafe {
            matrixmultiply::dgemm(
                m, k, n, 1.0, a, a_row, a_column, b, b_row, b_column, beta, c, c_row, 1,
            )
        }
    }
}
