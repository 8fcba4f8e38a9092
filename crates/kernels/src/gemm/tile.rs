//! The register tile: R rows by V vectors of C, held in registers over a run of k.
//!
//! ```text
//! acc = load_c ? c : 0
//! for p in 0..k, i in 0..R: acc[i] = a[i][p] * b[p] + acc[i]
//! c = acc
//! ```
//!
//! A is broadcast element by element and B is loaded in vectors along its rows. With R·V accumulators, V vectors of B
//! and one of A the tile fits the registers, and eight accumulators or more hide the latency of the multiply-add.

use super::ahead::Ahead;
use crate::simd::Simd;

/// The operands of a tile, each pointing at the tile's first element.
#[derive(Clone, Copy)]
pub(super) struct Operands<T> {
    /// Length of the sums.
    pub(super) k: usize,
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_column: usize,
    pub(super) b: *const T,
    pub(super) b_row: usize,
    /// Elements of B from one vector of columns to the next.
    pub(super) b_vector: usize,
    pub(super) c: *mut T,
    pub(super) c_row: usize,
    /// Whether the sums start from C instead of 0.
    pub(super) load_c: bool,
}

impl<T> Operands<T> {
    /// The operands of the tile `vectors` vectors of `lanes` columns further.
    #[inline(always)]
    pub(super) fn after(self, vectors: usize, lanes: usize) -> Self {
        Self {
            b: self.b.wrapping_add(vectors * self.b_vector),
            c: self.c.wrapping_add(vectors * lanes),
            ..self
        }
    }
}

/// A tile of R rows and V full vectors.
///
/// # Safety
/// With n = V·LANES: `a` is valid for reading R×k elements and `b` for k×n at their strides, `c` for reading and writing
/// R×n, and C overlaps neither.
#[inline(always)]
pub(super) unsafe fn full<S: Simd, const R: usize, const V: usize>(simd: S, o: Operands<S::Elem>) {
    // SAFETY: the parts of the tile, as the caller vouches.
    unsafe {
        let mut sums = load::<S, R, V>(simd, &o);
        add_products(simd, &o, 0, o.k, &mut sums);
        store(simd, &o, sums);
    }
}

/// The same tile, which meanwhile asks for what the next ones read: after every few products, a row of it.
///
/// # Safety
/// As [`full`].
#[inline(always)]
pub(super) unsafe fn full_ahead<S: Simd, const R: usize, const V: usize>(
    simd: S,
    o: Operands<S::Elem>,
    ahead: Ahead<S::Elem>,
) {
    let step = (o.k / R).max(1);
    // SAFETY: the parts of the tile, as the caller vouches; the ranges are cut from 0..k.
    unsafe {
        let mut sums = load::<S, R, V>(simd, &o);
        let (mut p, mut row) = (0, 0);
        while p < o.k {
            let end = o.k.min(p + step);
            if row < R {
                ahead.ask_for(simd, row, V);
            }
            add_products(simd, &o, p, end, &mut sums);
            (p, row) = (end, row + 1);
        }
        store(simd, &o, sums);
    }
}

/// What the sums start from.
///
/// # Safety
/// `c` is valid for reading R rows of V vectors.
#[inline(always)]
unsafe fn load<S: Simd, const R: usize, const V: usize>(
    simd: S,
    o: &Operands<S::Elem>,
) -> [[S::Vector; V]; R] {
    let mut sums = [[simd.zero(); V]; R];
    if o.load_c {
        for i in 0..R {
            for j in 0..V {
                // SAFETY: i < R and j < V, within C as the caller vouches.
                sums[i][j] = unsafe { simd.load_ptr(o.c.add(i * o.c_row + j * S::LANES)) };
            }
        }
    }
    sums
}

/// Adds the products of `first..end` to the sums, in ascending order.
///
/// # Safety
/// `a` is valid for reading R rows of `end` elements and `b` for `end` rows of V vectors.
#[inline(always)]
unsafe fn add_products<S: Simd, const R: usize, const V: usize>(
    simd: S,
    o: &Operands<S::Elem>,
    first: usize,
    end: usize,
    sums: &mut [[S::Vector; V]; R],
) {
    for p in first..end {
        let mut b = [simd.zero(); V];
        for j in 0..V {
            // SAFETY: p < end and j < V, within B as the caller vouches.
            b[j] = unsafe { simd.load_ptr(o.b.add(p * o.b_row + j * o.b_vector)) };
        }
        for i in 0..R {
            // SAFETY: i < R and p < end, within A as the caller vouches.
            let a = simd.splat(unsafe { *o.a.add(i * o.a_row + p * o.a_column) });
            for j in 0..V {
                sums[i][j] = simd.mul_add(a, b[j], sums[i][j]);
            }
        }
    }
}

/// Writes the sums.
///
/// # Safety
/// `c` is valid for writing R rows of V vectors.
#[inline(always)]
unsafe fn store<S: Simd, const R: usize, const V: usize>(
    simd: S,
    o: &Operands<S::Elem>,
    sums: [[S::Vector; V]; R],
) {
    for i in 0..R {
        for j in 0..V {
            // SAFETY: i < R and j < V, within C as the caller vouches.
            unsafe { simd.store_ptr(sums[i][j], o.c.add(i * o.c_row + j * S::LANES)) };
        }
    }
}

/// A tile of R rows and the first `columns` lanes of one vector; the same arithmetic for each element as [`full`].
///
/// # Safety
/// As [`full`], with n = `columns` < LANES.
#[inline(always)]
pub(super) unsafe fn partial<S: Simd, const R: usize>(
    simd: S,
    columns: usize,
    o: Operands<S::Elem>,
) {
    let mut sums = [simd.zero(); R];
    if o.load_c {
        for i in 0..R {
            // SAFETY: i < R, and `columns` elements of that row lie within C as the caller vouches.
            sums[i] = unsafe { simd.load_ptr_partial(o.c.add(i * o.c_row), columns) };
        }
    }
    for p in 0..o.k {
        // SAFETY: p < k, and `columns` elements of that row lie within B as the caller vouches.
        let b = unsafe { simd.load_ptr_partial(o.b.add(p * o.b_row), columns) };
        for i in 0..R {
            // SAFETY: i < R and p < k, within A as the caller vouches.
            let a = simd.splat(unsafe { *o.a.add(i * o.a_row + p * o.a_column) });
            sums[i] = simd.mul_add(a, b, sums[i]);
        }
    }
    for i in 0..R {
        // SAFETY: i < R, and `columns` elements of that row lie within C as the caller vouches.
        unsafe { simd.store_ptr_partial(sums[i], o.c.add(i * o.c_row), columns) };
    }
}
