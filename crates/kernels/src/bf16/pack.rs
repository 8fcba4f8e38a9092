//! Rounding to bf16 and pairing neighbours along k.
//!
//! A word holds two neighbours, the first in its lower half. What has no neighbour is paired with 0.

use super::level::Level;
use crate::gemm::MatrixRef;
use crate::simd::{MAX_LANES, Simd};
use std::ops::Range;

/// Vectors of a strip of B, which the register tile goes over side by side.
pub(super) const VECTORS: usize = 2;

/// The most words in a row of a strip, on any level.
pub(super) const MAX_STRIP: usize = VECTORS * MAX_LANES;

/// The upper half of `x`, rounded to nearest, ties to even; a NaN stays one.
#[inline(always)]
pub(super) fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
    let quiet = (bits >> 16) | 0x40;
    if x.is_nan() { quiet } else { nearest }
}

/// Pairs neighbours of a row: ⌈len/2⌉ words.
#[inline(always)]
pub(super) fn along<L: Level>(level: L, row: &[f32], words: &mut [u32]) {
    let (simd, lanes) = (level.floats(), <L::Floats as Simd>::LANES);
    let words = &mut words[..row.len().div_ceil(2)];
    let whole = row.len() / lanes * lanes;
    for at in (0..whole).step_by(lanes) {
        let to = words[at / 2..][..lanes / 2].as_mut_ptr();
        // SAFETY: half as many words as there are lanes, as just cut.
        unsafe { level.store_rounded(simd.load(&row[at..]), to) };
    }
    if whole < row.len() {
        let mut rest = [0; MAX_STRIP];
        // SAFETY: the buffer holds the words of every level's vector.
        unsafe { level.store_rounded(simd.load_partial(&row[whole..]), rest.as_mut_ptr()) };
        let words = &mut words[whole / 2..];
        words.copy_from_slice(&rest[..words.len()]);
    }
}

/// Pairs each element of a row with the one below it; of the last row there may be none below.
#[inline(always)]
pub(super) fn across<L: Level>(level: L, row: &[f32], below: Option<&[f32]>, words: &mut [u32]) {
    let lanes = <L::Floats as Simd>::LANES;
    let words = &mut words[..row.len()];
    let whole = row.len() / lanes * lanes;
    for at in (0..whole).step_by(lanes) {
        let pairs = pairs_at(level, row, below, at);
        // SAFETY: as many words as there are lanes, as just cut.
        unsafe { level.store_pairs(pairs, words[at..][..lanes].as_mut_ptr()) };
    }
    if whole < row.len() {
        let mut rest = [0; MAX_STRIP];
        let pairs = pairs_at(level, row, below, whole);
        // SAFETY: the buffer holds every level's vector.
        unsafe { level.store_pairs(pairs, rest.as_mut_ptr()) };
        let words = &mut words[whole..];
        words.copy_from_slice(&rest[..words.len()]);
    }
}

/// A vector of pairs from element `at` of two rows on.
#[inline(always)]
fn pairs_at<L: Level>(level: L, row: &[f32], below: Option<&[f32]>, at: usize) -> L::Pairs {
    let simd = level.floats();
    let below = match below {
        Some(below) => simd.load_partial(&below[at..]),
        None => simd.zero(),
    };
    level.pair(simd.load_partial(&row[at..]), below)
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
    pub(super) fn write_row<L: Level>(
        &mut self,
        level: L,
        index: usize,
        row: &[f32],
        below: Option<&[f32]>,
    ) {
        let (lanes, width) = (<L::Floats as Simd>::LANES, strip_width::<L>());
        let row = &row[..self.columns];
        let below = below.map(|below| &below[..self.columns]);
        for (strip, first) in (0..self.columns).step_by(width).enumerate() {
            let words = &mut self.words[(strip * self.rows + index) * width..][..width];
            for v in 0..VECTORS {
                let at = (first + v * lanes).min(self.columns);
                let pairs = pairs_at(level, row, below, at);
                // SAFETY: a strip's row holds VECTORS vectors.
                unsafe { level.store_pairs(pairs, words[v * lanes..].as_mut_ptr()) };
            }
        }
    }

    /// Writes rows `first..first + ⌈k/2⌉` of all strips from a k × columns matrix whose rows or columns are contiguous.
    #[inline(always)]
    pub(super) fn write_matrix<L: Level>(
        &mut self,
        level: L,
        first: usize,
        k: usize,
        matrix: MatrixRef<'_, f32>,
    ) {
        if matrix.column_stride == 1 {
            for p in 0..k.div_ceil(2) {
                let row = |p: usize| &matrix.data[p * matrix.row_stride..][..self.columns];
                let below = (2 * p + 1 < k).then(|| row(2 * p + 1));
                self.write_row(level, first + p, row(2 * p), below);
            }
            return;
        }
        assert!(
            matrix.row_stride == 1,
            "bf16: neither rows nor columns of B are contiguous"
        );
        let lanes = <L::Floats as Simd>::LANES;
        for j in (0..self.columns.next_multiple_of(strip_width::<L>())).step_by(lanes) {
            for p in (0..k.div_ceil(2)).step_by(lanes) {
                let rows = first + p..first + k.div_ceil(2).min(p + lanes);
                self.write_square(level, rows, j, |column| {
                    let column = &matrix.data[column * matrix.column_stride..][..k];
                    &column[2 * p..k.min(2 * (p + lanes))]
                });
            }
        }
    }

    /// Writes rows of pairs, at most LANES of them, of LANES columns from `j` on; `column` gives the elements of one.
    #[inline(always)]
    fn write_square<'m, L: Level>(
        &mut self,
        level: L,
        rows: Range<usize>,
        j: usize,
        column: impl Fn(usize) -> &'m [f32],
    ) {
        const SQUARE: usize = MAX_LANES * MAX_LANES;
        let (lanes, width) = (<L::Floats as Simd>::LANES, strip_width::<L>());
        let (mut columns, mut turned) = ([0_u32; SQUARE], [0.0; SQUARE]);
        for lane in 0..lanes.min(self.columns.saturating_sub(j)) {
            along(level, column(j + lane), &mut columns[lane * lanes..]);
        }
        // SAFETY: both squares hold LANES rows of LANES words; words move as they are.
        unsafe {
            let from = columns.as_ptr().cast();
            let to = turned.as_mut_ptr();
            level.floats().transpose_square(from, lanes, to, lanes);
        }
        for (index, words) in rows.zip(as_words(&turned).chunks_exact(lanes)) {
            let at = (j / width * self.rows + index) * width + j % width;
            self.words[at..at + lanes].copy_from_slice(words);
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
