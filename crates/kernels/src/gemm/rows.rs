//! The loops around the register tile: all rows of A against a block of B that lies in rows.
//!
//! Rows come in groups as even as possible (16 rows of at most 6 are 6, 5 and 5). Each group runs over all columns of
//! the block before the next one does; fewer rows take more vectors, so that enough sums are under way at once.

use super::ahead::{self, Plan};
use super::finish::{Block, finish};
use super::tile::{self, Operands};
use super::{Gemm, MatrixMut, Start};
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// Rows `p..p + k` and columns `j..j + columns` of B, in vectors of contiguous elements.
#[derive(Clone, Copy)]
pub(super) struct BlockOfB<'a, T> {
    /// The elements, the first of them (p, j).
    pub(super) data: &'a [T],
    /// Elements from one row to the next.
    pub(super) row_stride: usize,
    /// Elements from one vector of columns to the next.
    pub(super) vector_stride: usize,
    pub(super) p: usize,
    pub(super) k: usize,
    pub(super) j: usize,
    pub(super) columns: usize,
}

impl<T> BlockOfB<'_, T> {
    /// Elements from the first to past the last.
    fn extent(&self, lanes: usize) -> usize {
        if self.k == 0 || self.columns == 0 {
            return 0;
        }
        let last = (self.columns - 1) / lanes;
        (self.k - 1) * self.row_stride + last * self.vector_stride + self.columns - last * lanes
    }
}

/// Continues the sums in columns `j..j + columns` of C by the products of a block, and finishes them if it is the last
/// one.
///
/// All tiles of a level are compiled into this kernel, so it is entered through [`GemmElement::run_rows`], of which one
/// copy exists.
///
/// # Panics
/// If the block lies outside of its slice or of the product; the operands of `gemm` and `c` were checked before.
pub(crate) struct Rows<'a, 'c, T> {
    pub(super) gemm: &'a Gemm<'a, T>,
    pub(super) b: BlockOfB<'a, T>,
    pub(super) c: &'a mut MatrixMut<'c, T>,
}

/// The non-generic way to the compiled tiles, so that crates above do not compile them again.
pub(crate) trait GemmElement: Sized {
    /// Runs the kernel at the level `isa`.
    fn run_rows(isa: Isa, rows: Rows<'_, '_, Self>);
}

impl GemmElement for f32 {
    #[inline(never)]
    fn run_rows(isa: Isa, rows: Rows<'_, '_, f32>) {
        f32::dispatch_on(isa, rows);
    }
}

impl GemmElement for f64 {
    #[inline(never)]
    fn run_rows(isa: Isa, rows: Rows<'_, '_, f64>) {
        f64::dispatch_on(isa, rows);
    }
}

impl<T: Float> Kernel<T> for Rows<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        run_rows(simd, self.gemm, self.b, self.c);
    }
}

/// Rows of the largest tile of a level, whose sums and operands fit the registers.
const fn max_rows<S: Simd>() -> usize {
    match (S::REGISTERS, S::LANES) {
        (32.., _) => 8,
        (_, 8..) => 6,
        _ => 4,
    }
}

#[inline(always)]
fn run_rows<S: Simd>(
    simd: S,
    gemm: &Gemm<'_, S::Elem>,
    b: BlockOfB<'_, S::Elem>,
    c: &mut MatrixMut<'_, S::Elem>,
) {
    assert!(
        b.p + b.k <= gemm.k && b.j + b.columns <= gemm.n,
        "gemm: a block of B outside of B"
    );
    assert!(
        b.data.len() >= b.extent(S::LANES),
        "gemm: a block of B outside of its slice"
    );
    let max_rows = max_rows::<S>();
    let asks_ahead = S::REGISTERS >= 32 && ahead::pays(gemm, b.k);
    let is_last = b.p + b.k == gemm.k;
    let (mut i, mut groups) = (0, gemm.m.div_ceil(max_rows));
    while groups > 0 {
        let rows = (gemm.m - i).div_ceil(groups);
        run_group(
            simd,
            Group {
                gemm,
                b,
                i,
                asks_ahead,
            },
            c,
            rows,
        );
        if is_last && !gemm.epilogue.is_none() {
            finish(
                simd,
                &gemm.epilogue,
                c,
                Block {
                    i,
                    rows,
                    j: b.j,
                    columns: b.columns,
                },
            );
        }
        i += rows;
        groups -= 1;
    }
}

/// The rows of A from `i` on, against a block of B.
#[derive(Clone, Copy)]
struct Group<'a, T> {
    gemm: &'a Gemm<'a, T>,
    b: BlockOfB<'a, T>,
    i: usize,
    asks_ahead: bool,
}

/// All columns of a group of 1 to 8 rows.
#[inline(always)]
fn run_group<S: Simd>(
    simd: S,
    group: Group<'_, S::Elem>,
    c: &mut MatrixMut<'_, S::Elem>,
    rows: usize,
) {
    if S::REGISTERS >= 32 {
        match rows {
            1 => run_columns::<S, 1, 8>(simd, group, c),
            2 => run_columns::<S, 2, 8>(simd, group, c),
            3 => run_columns::<S, 3, 4>(simd, group, c),
            4 => run_columns::<S, 4, 4>(simd, group, c),
            5 => run_columns::<S, 5, 4>(simd, group, c),
            6 => run_columns::<S, 6, 4>(simd, group, c),
            7 => run_columns::<S, 7, 2>(simd, group, c),
            _ => run_columns::<S, 8, 2>(simd, group, c),
        }
    } else {
        match rows {
            1 => run_columns::<S, 1, 8>(simd, group, c),
            2 => run_columns::<S, 2, 4>(simd, group, c),
            3 => run_columns::<S, 3, 3>(simd, group, c),
            4 => run_columns::<S, 4, 2>(simd, group, c),
            5 => run_columns::<S, 5, 2>(simd, group, c),
            _ => run_columns::<S, 6, 2>(simd, group, c),
        }
    }
}

/// All columns of R rows: tiles of V vectors, then of two, one and a part of one.
#[inline(always)]
fn run_columns<S: Simd, const R: usize, const V: usize>(
    simd: S,
    group: Group<'_, S::Elem>,
    c: &mut MatrixMut<'_, S::Elem>,
) {
    let Group {
        gemm,
        b,
        i,
        asks_ahead,
    } = group;
    let a = gemm.a.data.as_ptr();
    let mut tile = Operands {
        k: b.k,
        a: a.wrapping_add(i * gemm.a.row_stride + b.p * gemm.a.column_stride),
        a_row: gemm.a.row_stride,
        a_column: gemm.a.column_stride,
        b: b.data.as_ptr(),
        b_row: b.row_stride,
        b_vector: b.vector_stride,
        c: c.data.as_mut_ptr().wrapping_add(i * c.row_stride + b.j),
        c_row: c.row_stride,
        load_c: b.p > 0 || gemm.start == Start::Accumulate,
    };
    let mut j = 0;
    if R == max_rows::<S>() && V == 2 && asks_ahead {
        let plan = Plan::new::<S>(gemm, &b, c, [i, R, V * S::LANES]);
        while j + V * S::LANES <= b.columns {
            // SAFETY: as below.
            unsafe { tile::full_ahead::<S, R, V>(simd, tile, plan.at(j)) };
            tile = tile.after(V, S::LANES);
            j += V * S::LANES;
        }
    }
    while j + V * S::LANES <= b.columns {
        // SAFETY: rows i..i+R of A and C and the block's rows and columns lie within the operands: those of B were
        // asserted by `run_rows`, those of A and C on entry; C is borrowed exclusively.
        unsafe { tile::full::<S, R, V>(simd, tile) };
        tile = tile.after(V, S::LANES);
        j += V * S::LANES;
    }
    if V > 2 {
        while j + 2 * S::LANES <= b.columns {
            // SAFETY: as above, with two vectors.
            unsafe { tile::full::<S, R, 2>(simd, tile) };
            tile = tile.after(2, S::LANES);
            j += 2 * S::LANES;
        }
    }
    if j + S::LANES <= b.columns {
        // SAFETY: as above, with one vector.
        unsafe { tile::full::<S, R, 1>(simd, tile) };
        tile = tile.after(1, S::LANES);
        j += S::LANES;
    }
    if j < b.columns {
        // SAFETY: as above, with the less than LANES columns that are left.
        unsafe { tile::partial::<S, R>(simd, b.columns - j, tile) };
    }
}
