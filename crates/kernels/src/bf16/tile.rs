//! The register tile: some rows of C by a strip of its columns, summed over pairs.
//!
//! ```text
//! for i, j, p in the extent: for r, v:
//!     sum[r][v] = dot(sum[r][v], a[row[r] + i·a₀ + j·a₁ + p·a₂], b[(i, j, p)][v])
//! c[r][v] = relu(sum[r][v] + bias[v])                          either or none of both, or c[r][v] + sum[r][v]
//! ```
//!
//! What rows of C read of A starts anywhere, so that pixels of an image serve as rows. Groups of rows are as even as
//! possible: few sums at a time would wait for each other. Where C is added to, its lines are asked for at the beginning and
//! read at the end.

use super::level::{Body, Level};
use super::pack::{VECTORS, strip_width};
use crate::elementwise::OnVectors as _;
use crate::float::Float;
use crate::gemm::Epilogue;
use crate::simd::Simd;
use plywood_shape::Activation;

/// The most rows of a tile where there are 32 registers: 24 of them hold sums.
const MOST_ROWS: usize = 12;

/// The most where there are 16, and a pair takes two.
const FEW_ROWS: usize = 3;

/// A sum for every row and column of C.
#[derive(Clone, Copy)]
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
    /// Elements of C from one row to the next.
    pub(super) c_row: usize,
    /// What happens to a sum.
    pub(super) finish: Finish<'a>,
}

/// What happens to a sum on its way to C.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a> {
    /// Whether C is added to.
    pub(super) accumulates: bool,
    /// A number a column.
    pub(super) bias: Option<&'a [f32]>,
    /// Whether ReLU is applied last.
    pub(super) rectifies: bool,
}

impl<'a> Finish<'a> {
    /// Sums are written as they are.
    pub(super) const STORE: Self = Self {
        accumulates: false,
        bias: None,
        rectifies: false,
    };

    /// Sums are added to C.
    pub(super) const ADD: Self = Self {
        accumulates: true,
        ..Self::STORE
    };

    /// Sums go through an epilogue. The activation is what is left of it, to be applied to C afterwards.
    pub(super) fn of<T: Float>(epilogue: Epilogue<'a, T>) -> (Self, Activation) {
        let rectifies = epilogue.activation == Activation::Relu;
        let finish = Self {
            bias: epilogue.bias.map(T::singles),
            rectifies,
            ..Self::STORE
        };
        let left = if rectifies {
            Activation::Identity
        } else {
            epilogue.activation
        };
        (finish, left)
    }
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

    /// Where the last row of whole images and lines begins.
    fn last(&self) -> usize {
        let images = self.count.div_ceil(self.per_image);
        let lines = self.per_image.div_ceil(self.per_line);
        (images - 1) * self.image + (lines - 1) * self.line + (self.per_line - 1) * self.place
    }
}

/// Goes from row to row.
#[derive(Clone, Copy, Default)]
struct Cursor {
    image: usize,
    line: usize,
    place: usize,
    /// Rows of the image and places of the line behind.
    behind: [usize; 2],
}

impl Cursor {
    /// Where the row begins in A; moves on to the next.
    #[inline(always)]
    fn next(&mut self, rows: &Rows) -> usize {
        let start = self.image + self.line + self.place;
        self.behind[0] += 1;
        self.behind[1] += 1;
        self.place += rows.place;
        if self.behind[1] == rows.per_line {
            (self.place, self.behind[1]) = (0, 0);
            self.line += rows.line;
        }
        if self.behind[0] == rows.per_image {
            self.image += rows.image;
            (self.line, self.place, self.behind) = (0, 0, [0, 0]);
        }
        start
    }
}

impl Sums<'_> {
    fn terms(&self) -> usize {
        self.extent.iter().product()
    }

    /// Computes C.
    #[inline(always)]
    pub(super) fn run<L: Level>(self, level: L, c: &mut [f32]) {
        level.enter(Checked { sums: self, c });
    }
}

/// Sums with where they go.
struct Checked<'a> {
    sums: Sums<'a>,
    c: &'a mut [f32],
}

impl Body for Checked<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let Self { sums, c } = self;
        let (rows, columns, terms) = (sums.rows, sums.columns, sums.terms());
        if rows.count == 0 || columns == 0 {
            return;
        }
        let width = strip_width::<L>();
        let strips = columns.div_ceil(width);
        assert!(
            columns <= sums.c_row && c.len() >= (rows.count - 1) * sums.c_row + columns,
            "bf16: C is too short"
        );
        assert!(
            sums.b.len() >= strips * terms * width,
            "bf16: B is too short"
        );
        assert!(
            sums.finish.bias.is_none_or(|bias| bias.len() >= columns),
            "bf16: the bias is too short"
        );
        if terms > 0 {
            let turns = |axis: usize| (sums.extent[axis] - 1) * sums.a_strides[axis];
            let end = rows.last() + turns(0) + turns(1) + turns(2) + 1;
            assert!(sums.a.len() >= end, "bf16: A is too short");
        }
        for strip in 0..strips {
            let at = Strip {
                b: sums.b[strip * terms * width..].as_ptr(),
                first: strip * width,
                present: width.min(columns - strip * width),
            };
            // SAFETY: A, B and C hold all rows, columns and terms, and the bias all columns, as asserted.
            unsafe { sums.run_strip(level, at, c.as_mut_ptr()) };
        }
    }
}

impl Sums<'_> {
    /// # Safety
    /// A, B from the strip on, C and the bias hold all rows, columns and terms.
    #[inline(always)]
    unsafe fn run_strip<L: Level>(&self, level: L, strip: Strip, c: *mut f32) {
        let is_wide = <L::Floats as Simd>::REGISTERS >= 32;
        let most = if is_wide { MOST_ROWS } else { FEW_ROWS };
        let (mut row, mut groups) = (0, self.rows.count.div_ceil(most));
        let mut cursor = Cursor::default();
        while groups > 0 {
            let count = (self.rows.count - row).div_ceil(groups);
            let c = c.wrapping_add(row * self.c_row + strip.first);
            // SAFETY: as the caller vouches; so many rows are left.
            unsafe {
                match count {
                    1 => self.tile::<L, 1>(level, &strip, &mut cursor, c),
                    2 => self.tile::<L, 2>(level, &strip, &mut cursor, c),
                    3 => self.tile::<L, 3>(level, &strip, &mut cursor, c),
                    4 if is_wide => self.tile::<L, 4>(level, &strip, &mut cursor, c),
                    5 if is_wide => self.tile::<L, 5>(level, &strip, &mut cursor, c),
                    6 if is_wide => self.tile::<L, 6>(level, &strip, &mut cursor, c),
                    7 if is_wide => self.tile::<L, 7>(level, &strip, &mut cursor, c),
                    8 if is_wide => self.tile::<L, 8>(level, &strip, &mut cursor, c),
                    9 if is_wide => self.tile::<L, 9>(level, &strip, &mut cursor, c),
                    10 if is_wide => self.tile::<L, 10>(level, &strip, &mut cursor, c),
                    11 if is_wide => self.tile::<L, 11>(level, &strip, &mut cursor, c),
                    12 if is_wide => self.tile::<L, 12>(level, &strip, &mut cursor, c),
                    _ => unreachable!("a group has at most {most} rows"),
                }
            }
            row += count;
            groups -= 1;
        }
    }

    /// R rows of a strip, C from its first element on.
    ///
    /// # Safety
    /// As [`run_strip`](Self::run_strip), and R rows are left where the cursor is.
    #[inline(always)]
    unsafe fn tile<L: Level, const R: usize>(
        &self,
        level: L,
        strip: &Strip,
        cursor: &mut Cursor,
        c: *mut f32,
    ) {
        let simd = level.floats();
        let lanes = <L::Floats as Simd>::LANES;
        let mut starts = [0; R];
        for r in 0..R {
            starts[r] = cursor.next(&self.rows);
            if self.finish.accumulates {
                for v in 0..VECTORS {
                    level.expect(c.wrapping_add(r * self.c_row + v * lanes));
                }
            }
        }
        let mut sums = [[simd.zero(); VECTORS]; R];
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
        for v in 0..VECTORS {
            let mut column = [simd.zero(); R];
            for r in 0..R {
                column[r] = sums[r][v];
            }
            // SAFETY: the columns present of R rows lie in C, and in the bias, as the caller vouches.
            unsafe { self.store(simd, column, strip, v, c.wrapping_add(v * lanes)) };
        }
    }

    /// Finishes vector `v` of R rows, C from its first element on.
    ///
    /// # Safety
    /// As [`tile`](Self::tile).
    #[inline(always)]
    unsafe fn store<S: Simd<Elem = f32>, const R: usize>(
        &self,
        simd: S,
        mut sums: [S::Vector; R],
        strip: &Strip,
        v: usize,
        c: *mut f32,
    ) {
        let present = strip.present.saturating_sub(v * S::LANES).min(S::LANES);
        if present == 0 {
            return;
        }
        if let Some(bias) = self.finish.bias {
            let first = strip.first + v * S::LANES;
            let bias = simd.load_partial(&bias[first..first + present]);
            for r in 0..R {
                sums[r] = simd.add(sums[r], bias);
            }
        }
        if self.finish.rectifies {
            for r in 0..R {
                sums[r] = Activation::Relu.forward(simd, sums[r]);
            }
        }
        // One small loop for each question: a large one would not be unrolled, and the sums would live in memory.
        if self.finish.accumulates {
            for r in 0..R {
                let from = c.wrapping_add(r * self.c_row);
                // SAFETY: so many columns of row r lie in C, as the caller vouches.
                let before = unsafe { simd.load_ptr_partial(from, present) };
                sums[r] = simd.add(sums[r], before);
            }
        }
        if present == S::LANES {
            for r in 0..R {
                // SAFETY: as above.
                unsafe { simd.store_ptr(sums[r], c.wrapping_add(r * self.c_row)) };
            }
        } else {
            for r in 0..R {
                // SAFETY: as above.
                unsafe { simd.store_ptr_partial(sums[r], c.wrapping_add(r * self.c_row), present) };
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
