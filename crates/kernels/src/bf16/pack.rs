//! Rounding to bf16 and pairing neighbours along k.
//!
//! A word holds two neighbours, the first in its lower half. What has no neighbour is paired with 0.

use super::level::Level;
use crate::gemm::MatrixRef;
use crate::simd::Simd;

/// Vectors of a strip of B, which the register tile goes over side by side.
pub(super) const VECTORS: usize = 2;

/// The most words in a row of a strip, on any level.
pub(super) const MAX_STRIP: usize = VECTORS * crate::simd::MAX_LANES;

/// The upper half of `x`, rounded to nearest, ties to even; a NaN stays one.
#[inline(always)]
pub(super) fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    let quiet = (bits >> 16) | 0x40;
    if x.is_nan() { quiet } else { nearest }
}

#[inline(always)]
fn pair(first: f32, second: f32) -> u32 {
    rounded(first) | (rounded(second) << 16)
}

/// Pairs neighbours of a row: ⌈len/2⌉ words.
#[inline(always)]
pub(super) fn along(row: &[f32], words: &mut [u32]) {
    let pairs = row.chunks_exact(2);
    if let (&[single], Some(word)) = (pairs.remainder(), words.get_mut(row.len() / 2)) {
        *word = pair(single, 0.0);
    }
    for (word, two) in words.iter_mut().zip(pairs) {
        *word = pair(two[0], two[1]);
    }
}

/// Pairs each element of a row with the one below it; of the last row there may be none below.
#[inline(always)]
pub(super) fn across(row: &[f32], below: Option<&[f32]>, words: &mut [u32]) {
    match below {
        Some(below) => {
            for ((word, first), second) in words.iter_mut().zip(row).zip(below) {
                *word = pair(*first, *second);
            }
        }
        None => {
            for (word, first) in words.iter_mut().zip(row) {
                *word = pair(*first, 0.0);
            }
        }
    }
}

/// Words in a row of a strip on this level.
#[inline(always)]
pub(super) const fn strip_width<L: Level>() -> usize {
    VECTORS * <L::Floats as Simd>::LANES
}

/// Where the rows of strips lie: strip s is `rows` rows of [`strip_width`] words, one strip behind the other.
pub(super) struct Strips<'a> {
    pub(super) words: &'a mut [u32],
    /// Rows of a strip: pairs along k.
    pub(super) rows: usize,
    /// Columns of B.
    pub(super) columns: usize,
}

impl Strips<'_> {
    /// Writes row `index` of all strips from two rows of B; columns past the last become 0.
    #[inline(always)]
    pub(super) fn write_row<L: Level>(&mut self, index: usize, row: &[f32], below: Option<&[f32]>) {
        let width = strip_width::<L>();
        for (strip, first) in (0..self.columns).step_by(width).enumerate() {
            let present = width.min(self.columns - first);
            let words = &mut self.words[(strip * self.rows + index) * width..][..width];
            let below = below.map(|below| &below[first..first + present]);
            across(&row[first..first + present], below, &mut words[..present]);
            words[present..].fill(0);
        }
    }

    /// Writes rows `first..first + ⌈k/2⌉` of all strips from a k × columns matrix of any strides.
    #[inline(always)]
    pub(super) fn write_matrix<L: Level>(
        &mut self,
        first: usize,
        k: usize,
        matrix: MatrixRef<'_, f32>,
    ) {
        if matrix.column_stride == 1 {
            for p in 0..k.div_ceil(2) {
                let row = |p: usize| &matrix.data[p * matrix.row_stride..][..self.columns];
                let below = (2 * p + 1 < k).then(|| row(2 * p + 1));
                self.write_row::<L>(first + p, row(2 * p), below);
            }
            return;
        }
        let width = strip_width::<L>();
        for j in 0..self.columns.next_multiple_of(width) {
            let start = (j / width * self.rows + first) * width + j % width;
            for p in 0..k.div_ceil(2) {
                let at = |p: usize| {
                    if p < k && j < self.columns {
                        matrix.at(p, j)
                    } else {
                        0.0
                    }
                };
                self.words[start + p * width] = pair(at(2 * p), at(2 * p + 1));
            }
        }
    }
}

/// The same memory as words.
pub(super) fn as_words(numbers: &[f32]) -> &[u32] {
    // SAFETY: f32 and u32 have one size and alignment, and every bit pattern is a word.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), numbers.len()) }
}

/// The same memory as words, to be written.
pub(super) fn as_words_mut(numbers: &mut [f32]) -> &mut [u32] {
    // SAFETY: f32 and u32 have one size and alignment, and every bit pattern is a number; the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), numbers.len()) }
}
