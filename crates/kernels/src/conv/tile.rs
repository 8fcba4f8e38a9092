//! The register tile of the direct kernels: P pixels by V vectors of channels, held in registers over a whole sum.
//!
//! ```text
//! for row in 0..rows, run in 0..runs, k in 0..len:
//!     for p in 0..P: sum[p] = x[offset[p] + row·x_row + run·x_run + k] * w[row][run][k] + sum[p]
//! ```
//!
//! The pixels need not be neighbours: each has an offset of its own, so a tile spans rows and samples, and narrow images
//! fill it as well as wide ones. x is broadcast element by element; the weights are packed so that a vector of
//! channels is contiguous over the whole sum.

use crate::float::Float;
use crate::simd::Simd;

/// The pixels of the tiles, largest first. The largest with two vectors (four of thirty-two registers) keeps enough sums
/// under way to hide the multiply-add's latency; few others exist, since each is compiled for every level.
pub(super) const PIXELS: [usize; 3] = [6, 3, 1];

/// The vectors of a tile when `left` vectors of channels are left: 4, 2 or 1.
#[inline(always)]
pub(super) const fn vectors_of(registers: usize, left: usize) -> usize {
    match left {
        4.. if registers >= 32 => 4,
        2.. => 2,
        _ => 1,
    }
}

/// What a tile sums over, from its first tap.
#[derive(Clone, Copy)]
pub(super) struct Sum<T> {
    /// x at the first tap of a pixel of offset 0.
    pub(super) x: *const T,
    /// Rows of the kernel.
    pub(super) rows: usize,
    /// Elements of x from one of them to the next.
    pub(super) x_row: usize,
    /// Runs of contiguous elements of x in a row.
    pub(super) runs: usize,
    /// Elements of x from one of them to the next.
    pub(super) x_run: usize,
    /// Elements of a run.
    pub(super) len: usize,
    /// The packed weights of the tile's first vector at the first tap.
    pub(super) w: *const T,
    /// Elements of packed weights from one row of the kernel to the next.
    pub(super) w_row: usize,
    /// Elements of packed weights from one vector to the next.
    pub(super) w_panel: usize,
    /// The terms one by one, if they are few.
    pub(super) short: Option<Terms>,
}

/// Sums of so many terms are gone over term by term.
const SHORT: usize = 32;

/// Runs of so many elements are no longer short.
const SHORT_RUN: usize = 12;

/// Where the terms of a sum lie. An image of few channels has runs of a few elements; loops over rows, runs and elements
/// would take more time than the elements.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// Elements of x from the first term's to each.
    x: [u32; SHORT],
    /// Elements of packed weights likewise.
    w: [u32; SHORT],
    len: usize,
}

impl<T> Sum<T> {
    /// The same sum, gone over term by term if its runs are short. `lanes` are those of a vector.
    pub(super) fn by_terms(self, lanes: usize) -> Self {
        let len = self.rows * self.runs * self.len;
        let span = self.rows * (self.x_row + self.w_row) + self.runs * self.x_run;
        if len > SHORT || self.len > SHORT_RUN || span + self.len > u32::MAX as usize {
            return self;
        }
        let mut terms = Terms {
            x: [0; SHORT],
            w: [0; SHORT],
            len,
        };
        for i in 0..len {
            let (row, k) = (i / (self.runs * self.len), i % (self.runs * self.len));
            let (run, element) = (k / self.len, k % self.len);
            terms.x[i] = (row * self.x_row + run * self.x_run + element) as u32;
            terms.w[i] = (row * self.w_row + k * lanes) as u32;
        }
        Self {
            short: Some(terms),
            ..self
        }
    }
}

/// Adds a tile's products to its sums, in ascending order.
///
/// # Safety
/// For every offset, row, run and element of a run x is valid for reading there, and the weights for a vector.
#[inline(always)]
pub(super) unsafe fn accumulate<S: Simd, const P: usize, const V: usize>(
    simd: S,
    sum: &Sum<S::Elem>,
    offsets: [usize; P],
    mut sums: [[S::Vector; V]; P],
) -> [[S::Vector; V]; P] {
    if let Some(terms) = &sum.short {
        let pixels = offsets.map(|offset| sum.x.wrapping_add(offset));
        for (x, w) in terms.x.iter().zip(&terms.w).take(terms.len) {
            let w = sum.w.wrapping_add(*w as usize);
            // SAFETY: a term's element of x and its weights, as the caller vouches.
            unsafe { add_term(simd, pixels, *x as usize, w, sum.w_panel, &mut sums) };
        }
        return sums;
    }
    for row in 0..sum.rows {
        for run in 0..sum.runs {
            let x = sum.x.wrapping_add(row * sum.x_row + run * sum.x_run);
            let pixels = offsets.map(|offset| x.wrapping_add(offset));
            let w = sum
                .w
                .wrapping_add(row * sum.w_row + run * sum.len * S::LANES);
            for k in 0..sum.len {
                let w = w.wrapping_add(k * S::LANES);
                // SAFETY: an element of x and its weights of this row, run and k, as the caller vouches.
                unsafe { add_term(simd, pixels, k, w, sum.w_panel, &mut sums) };
            }
        }
    }
    sums
}

/// Adds the products of one term: element `k` from every pixel on, and the weights at `w`.
///
/// # Safety
/// The elements are valid for reading, and the weights for V vectors `w_panel` apart.
#[inline(always)]
unsafe fn add_term<S: Simd, const P: usize, const V: usize>(
    simd: S,
    pixels: [*const S::Elem; P],
    k: usize,
    w: *const S::Elem,
    w_panel: usize,
    sums: &mut [[S::Vector; V]; P],
) {
    let mut vectors = [simd.zero(); V];
    for v in 0..V {
        // SAFETY: as the caller vouches.
        vectors[v] = unsafe { simd.load_ptr(w.wrapping_add(v * w_panel)) };
    }
    for p in 0..P {
        // SAFETY: as the caller vouches.
        let x = simd.splat(unsafe { *pixels[p].wrapping_add(k) });
        for v in 0..V {
            sums[p][v] = simd.mul_add(x, vectors[v], sums[p][v]);
        }
    }
}

/// Walks the places of a rectangle of some images row by row, keeping the offsets in two tensors.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    rows: usize,
    columns: usize,
    row: usize,
    column: usize,
    /// Offsets of the next place.
    at: [usize; 2],
    /// What a step along the columns, a new row and a new image add; the last two may be negative and wrap.
    column_step: [usize; 2],
    row_step: [usize; 2],
    image_step: [usize; 2],
}

/// How far places are apart in one tensor.
#[derive(Clone, Copy)]
pub(super) struct Strides {
    pub(super) image: usize,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Cursor {
    /// Rectangles of `rows` × `columns` places, the first place of the first one at `start`.
    #[inline(always)]
    pub(super) fn new(
        [rows, columns]: [usize; 2],
        start: [usize; 2],
        strides: [Strides; 2],
    ) -> Self {
        let mut cursor = Self {
            rows,
            columns,
            row: 0,
            column: 0,
            at: start,
            column_step: [0; 2],
            row_step: [0; 2],
            image_step: [0; 2],
        };
        for i in 0..2 {
            let Strides { image, row, column } = strides[i];
            cursor.column_step[i] = column;
            cursor.row_step[i] = row.wrapping_sub(columns * column);
            cursor.image_step[i] = image.wrapping_sub(rows * row);
        }
        cursor
    }

    /// The offsets of the next P places in the two tensors.
    #[inline(always)]
    pub(super) fn next<const P: usize>(&mut self) -> [[usize; P]; 2] {
        let mut offsets = [[0; P]; 2];
        for p in 0..P {
            for i in 0..2 {
                offsets[i][p] = self.at[i];
                self.at[i] = self.at[i].wrapping_add(self.column_step[i]);
            }
            self.column += 1;
            if self.column == self.columns {
                self.next_row();
            }
        }
        offsets
    }

    #[inline(always)]
    fn next_row(&mut self) {
        self.column = 0;
        self.row += 1;
        for i in 0..2 {
            self.at[i] = self.at[i].wrapping_add(self.row_step[i]);
        }
        if self.row == self.rows {
            self.row = 0;
            for i in 0..2 {
                self.at[i] = self.at[i].wrapping_add(self.image_step[i]);
            }
        }
    }
}

/// P rows of V vectors in memory, row p at `offsets[p]`; of the last vector only `last` lanes.
#[derive(Clone, Copy)]
pub(super) struct Block<T> {
    pub(super) data: *mut T,
    pub(super) last: usize,
}

impl<T: Float> Block<T> {
    /// Reads the block.
    ///
    /// # Safety
    /// Every row is valid for reading `(V − 1)·LANES + last` elements.
    #[inline(always)]
    pub(super) unsafe fn load<S: Simd<Elem = T>, const P: usize, const V: usize>(
        self,
        simd: S,
        offsets: [usize; P],
    ) -> [[S::Vector; V]; P] {
        let mut block = [[simd.zero(); V]; P];
        for p in 0..P {
            for v in 0..V {
                let from = self.data.wrapping_add(offsets[p] + v * S::LANES);
                block[p][v] = if v + 1 < V || self.last == S::LANES {
                    // SAFETY: a full vector of the row, as the caller vouches.
                    unsafe { simd.load_ptr(from) }
                } else {
                    // SAFETY: the `last` lanes that end the row, as the caller vouches.
                    unsafe { simd.load_ptr_partial(from, self.last) }
                };
            }
        }
        block
    }

    /// Writes the block.
    ///
    /// # Safety
    /// Every row is valid for writing `(V − 1)·LANES + last` elements.
    #[inline(always)]
    pub(super) unsafe fn store<S: Simd<Elem = T>, const P: usize, const V: usize>(
        self,
        simd: S,
        offsets: [usize; P],
        block: [[S::Vector; V]; P],
    ) {
        for p in 0..P {
            for v in 0..V {
                let to = self.data.wrapping_add(offsets[p] + v * S::LANES);
                if v + 1 < V || self.last == S::LANES {
                    // SAFETY: a full vector of the row, as the caller vouches.
                    unsafe { simd.store_ptr(block[p][v], to) };
                } else {
                    // SAFETY: the `last` lanes that end the row, as the caller vouches.
                    unsafe { simd.store_ptr_partial(block[p][v], to, self.last) };
                }
            }
        }
    }
}
