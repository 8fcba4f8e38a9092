//! The register tile: some rows of C by a strip of its columns, summed over pairs.
//!
//! ```text
//! for i, j, p in the extent: for r, v:
//!     c[r][v] = dot(c[r][v], a[row[r] + i·a₀ + j·a₁ + p·a₂], b[(i, j, p)][v])
//! ```
//!
//! Rows of C lie one behind the other; what they read of A starts anywhere, so that pixels of an image serve as rows.

use super::level::Level;
use super::pack::{VECTORS, strip_width};
use crate::simd::Simd;

/// A sum for every row and column of C.
pub(super) struct Sums<'a> {
    /// Pairs along k, of all rows.
    pub(super) a: &'a [u32],
    /// How often each of three nested loops over k turns.
    pub(super) extent: [usize; 3],
    /// Words of A from one turn of each to the next.
    pub(super) a_strides: [usize; 3],
    /// Where each row of C begins in A.
    pub(super) rows: Rows,
    /// Strips of B.
    pub(super) b: &'a [u32],
    /// Columns of B and C.
    pub(super) columns: usize,
    /// Whether C is added to.
    pub(super) accumulates: bool,
}

/// Rows of C as places of images: so many an image and a line, and how far these are apart in A.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) count: usize,
    pub(super) per_image: usize,
    pub(super) per_line: usize,
    pub(super) image: usize,
    pub(super) line: usize,
    pub(super) place: usize,
}

impl Rows {
    /// Rows of a matrix, so far apart.
    pub(super) fn of_matrix(count: usize, stride: usize) -> Self {
        Self {
            count,
            per_image: count,
            per_line: count,
            image: 0,
            line: 0,
            place: stride,
        }
    }

    #[inline(always)]
    fn start(&self, row: usize) -> usize {
        let (image, row) = (row / self.per_image, row % self.per_image);
        let (line, place) = (row / self.per_line, row % self.per_line);
        image * self.image + line * self.line + place * self.place
    }
}

impl Sums<'_> {
    fn terms(&self) -> usize {
        self.extent.iter().product()
    }

    /// Computes C, whose rows are as long as B has columns.
    #[inline(always)]
    pub(super) fn run<L: Level>(&self, level: L, c: &mut [f32]) {
        assert!(
            c.len() >= self.rows.count * self.columns,
            "bf16: C is too short"
        );
        let width = strip_width::<L>();
        let strips = self.columns.div_ceil(width);
        assert!(
            self.b.len() >= strips * self.terms() * width,
            "bf16: B is too short"
        );
        if self.rows.count > 0 && self.terms() > 0 {
            let turns = |axis: usize| (self.extent[axis] - 1) * self.a_strides[axis];
            let last = (0..self.rows.count).map(|row| self.rows.start(row)).max();
            let end = last.map_or(0, |last| last + turns(0) + turns(1) + turns(2) + 1);
            assert!(self.a.len() >= end, "bf16: A is too short");
        }
        for strip in 0..strips {
            let at = Strip {
                b: self.b[strip * self.terms() * width..].as_ptr(),
                first: strip * width,
                present: width.min(self.columns - strip * width),
            };
            // SAFETY: A, B and C hold all rows, columns and terms, as asserted.
            unsafe { self.run_strip(level, at, c.as_mut_ptr()) };
        }
    }

    /// # Safety
    /// A, B from the strip on, and C hold all rows, columns and terms.
    #[inline(always)]
    unsafe fn run_strip<L: Level>(&self, level: L, strip: Strip, c: *mut f32) {
        let mut row = 0;
        let left = |row: usize| self.rows.count - row;
        if <L::Floats as Simd>::REGISTERS >= 32 {
            while left(row) >= 12 {
                // SAFETY: as the caller vouches; so many rows are left.
                unsafe { self.tile::<L, 12>(level, &strip, row, c) };
                row += 12;
            }
            while left(row) >= 6 {
                // SAFETY: as above.
                unsafe { self.tile::<L, 6>(level, &strip, row, c) };
                row += 6;
            }
        }
        while left(row) >= 3 {
            // SAFETY: as above.
            unsafe { self.tile::<L, 3>(level, &strip, row, c) };
            row += 3;
        }
        while left(row) > 0 {
            // SAFETY: as above.
            unsafe { self.tile::<L, 1>(level, &strip, row, c) };
            row += 1;
        }
    }

    /// # Safety
    /// As [`run_strip`](Self::run_strip), and R rows are left from `first` on.
    #[inline(always)]
    unsafe fn tile<L: Level, const R: usize>(
        &self,
        level: L,
        strip: &Strip,
        first: usize,
        c: *mut f32,
    ) {
        let simd = level.floats();
        let lanes = <L::Floats as Simd>::LANES;
        let mut starts = [0; R];
        let mut targets = [c; R];
        for r in 0..R {
            starts[r] = self.rows.start(first + r);
            targets[r] = c.wrapping_add((first + r) * self.columns + strip.first);
        }
        let mut sums = [[simd.zero(); VECTORS]; R];
        if self.accumulates {
            for r in 0..R {
                for v in 0..VECTORS {
                    let present = strip.lanes(v, lanes);
                    // SAFETY: the columns present of row r lie in C.
                    sums[r][v] =
                        unsafe { simd.load_ptr_partial(targets[r].add(v * lanes), present) };
                }
            }
        }
        let mut b = strip.b;
        for i in 0..self.extent[0] {
            for j in 0..self.extent[1] {
                let start = i * self.a_strides[0] + j * self.a_strides[1];
                let mut a = self.a.as_ptr().wrapping_add(start);
                for _ in 0..self.extent[2] {
                    // SAFETY: B holds a row of the strip for every term.
                    let vectors = unsafe { [level.load_pairs(b), level.load_pairs(b.add(lanes))] };
                    for r in 0..R {
                        // SAFETY: A holds every term of every row.
                        let pair = level.splat_pair(unsafe { *a.wrapping_add(starts[r]) });
                        for v in 0..VECTORS {
                            sums[r][v] = level.dot(sums[r][v], pair, vectors[v]);
                        }
                    }
                    a = a.wrapping_add(self.a_strides[2]);
                    b = b.wrapping_add(VECTORS * lanes);
                }
            }
        }
        for r in 0..R {
            for v in 0..VECTORS {
                let present = strip.lanes(v, lanes);
                // SAFETY: the columns present of row r lie in C.
                unsafe { simd.store_ptr_partial(sums[r][v], targets[r].add(v * lanes), present) };
            }
        }
    }
}

/// A strip of B and the columns of C that it makes.
struct Strip {
    b: *const u32,
    first: usize,
    present: usize,
}

impl Strip {
    /// Columns present in vector `v`.
    #[inline(always)]
    fn lanes(&self, v: usize, lanes: usize) -> usize {
        self.present.saturating_sub(v * lanes).min(lanes)
    }
}
