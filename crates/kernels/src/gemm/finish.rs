//! The epilogue: + bias, then the activation, over a block of C that was just written and lies in the cache.

use super::{Epilogue, MatrixMut};
use crate::elementwise::OnVectors as _;
use crate::simd::Simd;

/// Rows `i..i + rows` and columns `j..j + columns` of C.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) i: usize,
    pub(super) rows: usize,
    pub(super) j: usize,
    pub(super) columns: usize,
}

/// Finishes the sums of a block.
#[inline(always)]
pub(super) fn finish<S: Simd>(
    simd: S,
    epilogue: &Epilogue<'_, S::Elem>,
    c: &mut MatrixMut<'_, S::Elem>,
    block: Block,
) {
    for i in block.i..block.i + block.rows {
        let row = &mut c.data[i * c.row_stride + block.j..][..block.columns];
        let mut j = 0;
        while j < block.columns {
            let mut x = simd.load_partial(&row[j..]);
            if let Some(bias) = epilogue.bias {
                x = simd.add(x, simd.load_partial(&bias[block.j + j..]));
            }
            simd.store_partial(epilogue.activation.forward(simd, x), &mut row[j..]);
            j += S::LANES;
        }
    }
}
