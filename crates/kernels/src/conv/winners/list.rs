//! Sums of rows: what both gradients through the winners come down to.

use crate::simd::Simd;

/// Rows somewhere, each with a factor.
#[derive(Clone, Copy)]
pub(super) struct List<'a, T> {
    /// Where they begin.
    pub(super) at: &'a [u32],
    pub(super) factors: &'a [T],
}

/// What a list's rows are and where they are added: `rows` pieces of `len` elements each.
pub(super) struct Target<T> {
    pub(super) from: *const T,
    /// Elements from one piece of a list's row to the next.
    pub(super) from_step: usize,
    pub(super) sums: *mut T,
    /// Elements from one piece of the sums to the next.
    pub(super) sums_step: usize,
    pub(super) rows: usize,
    pub(super) len: usize,
}

/// sums\[r\]\[i\] += Σ factor · from\[at\]\[r\]\[i\] over the entries of a list, in their order.
///
/// Twelve vectors of sums are in registers at a time (twenty-four of thirty-two), so that the multiply-adds are not waited for
/// and one load in thirteen is a factor's.
///
/// # Safety
/// At every entry `from` is valid for reading the pieces, and `sums` for reading and writing them.
#[inline(always)]
pub(super) unsafe fn add_rows<S: Simd>(simd: S, list: List<'_, S::Elem>, target: &Target<S::Elem>) {
    let mut i = 0;
    while i + 12 * S::LANES <= target.len {
        // SAFETY: twelve vectors from i on lie in every piece.
        unsafe {
            if S::REGISTERS >= 32 {
                add_columns::<S, 2, 12>(simd, list, target, i);
            } else {
                add_columns::<S, 1, 12>(simd, list, target, i);
            }
        }
        i += 12 * S::LANES;
    }
    while i + 6 * S::LANES <= target.len {
        // SAFETY: as above, with six.
        unsafe {
            if S::REGISTERS >= 32 {
                add_columns::<S, 3, 6>(simd, list, target, i);
            } else {
                add_columns::<S, 2, 6>(simd, list, target, i);
            }
        }
        i += 6 * S::LANES;
    }
    while i + 2 * S::LANES <= target.len {
        // SAFETY: as above, with two.
        unsafe { add_columns::<S, 3, 2>(simd, list, target, i) };
        i += 2 * S::LANES;
    }
    while i < target.len {
        let count = S::LANES.min(target.len - i);
        for row in 0..target.rows {
            // SAFETY: `count` elements from i on lie in every piece.
            unsafe { add_partial(simd, list, target, [row, i], count) };
        }
        i += count;
    }
}

/// V vectors from column `i` on of all pieces, R pieces at a time.
///
/// # Safety
/// As [`add_rows`], and the vectors lie in the pieces.
#[inline(always)]
unsafe fn add_columns<S: Simd, const R: usize, const V: usize>(
    simd: S,
    list: List<'_, S::Elem>,
    target: &Target<S::Elem>,
    i: usize,
) {
    let mut row = 0;
    while row + R <= target.rows {
        // SAFETY: R pieces from `row` on, as the caller vouches.
        unsafe { add_tile::<S, R, V>(simd, list, target, [row, i]) };
        row += R;
    }
    while row < target.rows {
        // SAFETY: as above, with one.
        unsafe { add_tile::<S, 1, V>(simd, list, target, [row, i]) };
        row += 1;
    }
}

/// R pieces by V vectors from piece `row` and column `i` on.
///
/// # Safety
/// As [`add_rows`], and the tile lies in the pieces.
#[inline(always)]
unsafe fn add_tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    list: List<'_, S::Elem>,
    target: &Target<S::Elem>,
    [row, i]: [usize; 2],
) {
    let from = target.from.wrapping_add(row * target.from_step + i);
    let to = target.sums.wrapping_add(row * target.sums_step + i);
    let mut sums = [[simd.zero(); V]; R];
    for r in 0..R {
        for v in 0..V {
            let to = to.wrapping_add(r * target.sums_step + v * S::LANES);
            // SAFETY: the tile lies in the sums, as the caller vouches.
            sums[r][v] = unsafe { simd.load_ptr(to) };
        }
    }
    for (at, factor) in list.at.iter().zip(list.factors) {
        let factor = simd.splat(*factor);
        let from = from.wrapping_add(*at as usize);
        for r in 0..R {
            for v in 0..V {
                let from = from.wrapping_add(r * target.from_step + v * S::LANES);
                // SAFETY: the tile lies in the pieces at every entry, as the caller vouches.
                let row = unsafe { simd.load_ptr(from) };
                sums[r][v] = simd.mul_add(row, factor, sums[r][v]);
            }
        }
    }
    for r in 0..R {
        for v in 0..V {
            let to = to.wrapping_add(r * target.sums_step + v * S::LANES);
            // SAFETY: as above.
            unsafe { simd.store_ptr(sums[r][v], to) };
        }
    }
}

/// `count` elements, at most a vector, from piece `row` and column `i` on.
///
/// # Safety
/// As [`add_rows`], and the elements lie in the pieces.
#[inline(always)]
unsafe fn add_partial<S: Simd>(
    simd: S,
    list: List<'_, S::Elem>,
    target: &Target<S::Elem>,
    [row, i]: [usize; 2],
    count: usize,
) {
    let from = target.from.wrapping_add(row * target.from_step + i);
    let to = target.sums.wrapping_add(row * target.sums_step + i);
    // SAFETY: the elements lie in the sums, as the caller vouches.
    let mut sum = unsafe { simd.load_ptr_partial(to, count) };
    for (at, factor) in list.at.iter().zip(list.factors) {
        // SAFETY: the elements lie in the piece at every entry, as the caller vouches.
        let row = unsafe { simd.load_ptr_partial(from.wrapping_add(*at as usize), count) };
        sum = simd.mul_add(row, simd.splat(*factor), sum);
    }
    // SAFETY: as above.
    unsafe { simd.store_ptr_partial(sum, to, count) };
}
