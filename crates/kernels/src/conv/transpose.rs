//! Transposes weights: squares of vectors in registers, what is left over element by element.

use crate::simd::Simd;

/// A matrix in memory: rows of contiguous elements, `stride` from one to the next.
pub(super) struct Rows<D> {
    pub(super) data: D,
    pub(super) stride: usize,
}

/// Writes `to[j][i] = from[i][j]` for i below `rows`, j below `columns`.
///
/// # Panics
/// If a matrix reaches past its slice.
#[inline(always)]
pub(super) fn transpose<S: Simd>(
    simd: S,
    [rows, columns]: [usize; 2],
    from: Rows<&[S::Elem]>,
    to: Rows<&mut [S::Elem]>,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!((rows - 1) * from.stride + columns <= from.data.len());
    assert!((columns - 1) * to.stride + rows <= to.data.len());
    let squares = [rows, columns].map(|size| size / S::LANES * S::LANES);
    for i in (0..squares[0]).step_by(S::LANES) {
        for j in (0..squares[1]).step_by(S::LANES) {
            let source = from.data[i * from.stride + j..].as_ptr();
            let target = to.data[j * to.stride + i..].as_mut_ptr();
            // SAFETY: both squares lie in their matrices, which lie in the slices, as asserted; a shared and an exclusive
            // slice do not overlap.
            unsafe { simd.transpose_square(source, from.stride, target, to.stride) };
        }
    }
    for i in 0..rows {
        let first = if i < squares[0] { squares[1] } else { 0 };
        for j in first..columns {
            to.data[j * to.stride + i] = from.data[i * from.stride + j];
        }
    }
}
