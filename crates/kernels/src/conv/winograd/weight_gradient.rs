//! The weight gradient: that of a 3×3 kernel from a product a point instead of nine a pixel of dy.
//!
//! ```text
//! for each chunk of tiles, channel in and out:
//!     s[point] = Σ over tiles of (Bᵀ d B)[point][ic] · (A dy Aᵀ)[point][oc]
//!     dw[..][..][ic][oc] += Gᵀ s G
//! ```
//!
//! Channels come in slabs as wide as a cache line. A slab in meets a slab out, column by column of points: the sums of some channels at
//! a column are made in registers and leave them by way of Gᵀ; after the last column they go back to the kernel's gradient
//! at once. Kept through all chunks they would be read and written as often, and there are more of them than of the gradient. How
//! many tiles a chunk has is a matter of the sizes, not of the number of samples: some whole samples, or a part of one.
//!
//! Tried and lost: whole matrix products a point, whose sums of many channels go through the second-level cache; chunks that
//! end with their sample, since adding to the weight gradients of many channels takes as long as the sums of few tiles; sums
//! point by point, by two vectors out, which load less but fill the first-level cache; fetching the gradient ahead, whose taps are
//! often a multiple of 4 KiB apart and push each other out; adding a row back after every column of the rows that follow.

use super::forward::{By, Places, TransformPatches};
use super::grid::Grid;
use super::transform::{KERNEL, Matrix};
use crate::float::Float;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// Channels of a slab: a vector of the widest level.
const SLAB: usize = MAX_LANES;

/// Channels in whose sums are made side by side: as many as there are registers for at a column of five points.
const ROWS: usize = 4;

/// The most tiles of a chunk. More make the way back of the sums cheaper and what is summed larger.
const MOST_TILES: usize = 64;

/// Elements of scratch space: what a chunk's x and dy become, the lines of two slabs, and a pixel of zeros.
pub(super) fn scratch_len(grid: &Grid) -> usize {
    let [inputs, outputs] = [slabs(grid.input[2]), slabs(grid.output[2])];
    let side = grid.side();
    let slab = places(side, chunk_of(grid).min(grid.count())).slab[1];
    (inputs + outputs) * slab + lines_len(side) + inputs.max(outputs) * SLAB
}

const fn slabs(channels: usize) -> usize {
    channels.div_ceil(SLAB)
}

/// Where the points of a slab's tiles lie: column by column of points, so that a tile has the points of a column, and a column all
/// tiles, side by side. Columns are an odd number of cache lines apart.
const fn places(side: usize, tiles: usize) -> Places {
    let column = ((tiles * side) | 1) * SLAB;
    Places {
        tile: side * SLAB,
        point: [SLAB, column],
        slab: [SLAB, side * column],
    }
}

/// Elements of what Gᵀ makes of the columns of sums of a slab in by a slab out: `[line][column][channel in][lane]`.
const fn lines_len(side: usize) -> usize {
    KERNEL * side * SLAB * SLAB
}

/// Tiles of a chunk.
pub(super) fn chunk_of(grid: &Grid) -> usize {
    grid.chunk(MOST_TILES)
}

/// Adds the weight gradient of all tiles of a forward grid.
pub(super) struct Accumulate<'a, T> {
    pub(super) grid: Grid,
    pub(super) x: &'a [T],
    pub(super) dy: &'a [T],
    pub(super) dweight: &'a mut [T],
    pub(super) scratch: &'a mut [T],
}

impl<T> Accumulate<'_, T> {
    /// By what turns patches of x and tiles of dy into points, and those into the gradient of a kernel.
    pub(super) fn by<I, O, B, const TILE: usize, const PATCH: usize>(
        self,
        input: I,
        output: O,
        back: B,
    ) -> By<Self, (I, O, B), TILE, PATCH, KERNEL>
    where
        I: Matrix<PATCH, PATCH>,
        O: Matrix<TILE, PATCH>,
        B: Matrix<PATCH, KERNEL>,
    {
        By {
            work: self,
            matrices: (input, output, back),
        }
    }
}

impl<T, I, O, B, const TILE: usize, const PATCH: usize> Kernel<T>
    for By<Accumulate<'_, T>, (I, O, B), TILE, PATCH, KERNEL>
where
    T: Float,
    I: Matrix<PATCH, PATCH>,
    O: Matrix<TILE, PATCH>,
    B: Matrix<PATCH, KERNEL>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { work, matrices } = self;
        let Accumulate {
            grid,
            x,
            dy,
            dweight,
            scratch,
        } = work;
        let chunk = chunk_of(&grid);
        let places = places(PATCH, chunk.min(grid.count()));
        let slab = places.slab[1];
        let [inputs, outputs] = [grid.input[2], grid.output[2]];
        let (patches, scratch) = scratch.split_at_mut(slabs(inputs) * slab);
        let (gradients, scratch) = scratch.split_at_mut(slabs(outputs) * slab);
        let (lines, zeros) = scratch.split_at_mut(lines_len(PATCH));
        zeros.fill(T::ZERO);
        let mut first = 0;
        while first < grid.count() {
            let tiles = (first, grid.tiles_of_chunk(first, chunk));
            simd.enter(TransformPatches {
                grid: &grid,
                tiles,
                x,
                zeros,
                places,
                patches,
                matrix: matrices.0,
            });
            simd.enter(TransformPatches {
                grid: &grid.of_output(),
                tiles,
                x: dy,
                zeros,
                places,
                patches: gradients,
                matrix: matrices.1,
            });
            for ic in (0..inputs).step_by(SLAB) {
                for oc in (0..outputs).step_by(SLAB) {
                    simd.enter(Slabs {
                        tiles: tiles.1,
                        places,
                        operands: [
                            &patches[ic / SLAB * slab..][..slab],
                            &gradients[oc / SLAB * slab..][..slab],
                        ],
                        lines,
                        channels: [inputs, outputs],
                        first: [ic, oc],
                        dweight,
                        matrix: matrices.2,
                    });
                }
            }
            first += tiles.1;
        }
    }
}

/// A slab in by a slab out over the tiles of a chunk: dw += Gᵀ s G.
struct Slabs<'a, T, B, const PATCH: usize> {
    tiles: usize,
    /// Those of both operands.
    places: Places,
    /// The points of the patches and of dy's tiles.
    operands: [&'a [T]; 2],
    lines: &'a mut [T],
    /// Channels in and out.
    channels: [usize; 2],
    /// The slabs' first ones.
    first: [usize; 2],
    dweight: &'a mut [T],
    matrix: B,
}

impl<T, B, const PATCH: usize> Kernel<T> for Slabs<'_, T, B, PATCH>
where
    T: Float,
    B: Matrix<PATCH, KERNEL>,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(mut self, simd: S) {
        let ([inputs, outputs], [ic, oc]) = (self.channels, self.first);
        let needed = self.places.len(self.tiles, PATCH, 1);
        let rows = SLAB.min(inputs - ic);
        assert!(
            self.operands.iter().all(|operand| operand.len() >= needed)
                && self.lines.len() >= lines_len(PATCH)
                && self.places.tile == PATCH * SLAB
                && self.places.point[0] == SLAB
                && self.dweight.len() >= KERNEL * KERNEL * inputs * outputs,
            "conv: slabs that do not fit their planes"
        );
        for column in (0..SLAB.min(outputs - oc)).step_by(S::LANES) {
            let lanes = S::LANES.min(outputs - oc - column);
            for s in 0..PATCH {
                let point = s * self.places.point[1];
                for row in (0..rows).step_by(ROWS) {
                    let job = Column {
                        tiles: self.tiles,
                        patches: self.operands[0][point + row..].as_ptr(),
                        gradients: self.operands[1][point + column..].as_ptr(),
                        lines: self.lines[(s * SLAB + row) * S::LANES..].as_mut_ptr(),
                        matrix: self.matrix,
                    };
                    // SAFETY: `tiles` rows of a column of points lie in both operands, and this column's part of every line in
                    // theirs, as just asserted; rows come in multiples of ROWS, as a slab does.
                    unsafe { job.all_rows(simd) };
                }
            }
            for row in 0..rows {
                let at = (ic + row) * outputs + oc + column;
                // SAFETY: all lines have been written; the `lanes` channels lie in the gradient of each tap, whose
                // length is checked.
                unsafe { self.add_row(simd, row, at, lanes) };
            }
        }
    }
}

impl<T, B, const PATCH: usize> Slabs<'_, T, B, PATCH>
where
    T: Float,
    B: Matrix<PATCH, KERNEL>,
{
    /// Adds row `row` of the lines to the gradients of `lanes` kernels, from element `at` of a tap on. All are read before any is
    /// written: taps are often a multiple of 4 KiB apart, and a read waits for a write that looks like one to the same place.
    ///
    /// # Safety
    /// `row < SLAB`, and the lines are written; `lanes` elements from `at` on lie in the weight of every tap.
    #[inline(always)]
    unsafe fn add_row<S: Simd<Elem = T>>(&mut self, simd: S, row: usize, at: usize, lanes: usize) {
        let tap = self.channels[0] * self.channels[1];
        let dw = self.dweight.as_mut_ptr().wrapping_add(at);
        let mut sums = [[simd.zero(); KERNEL]; KERNEL];
        for k in 0..KERNEL * KERNEL {
            let from = dw.wrapping_add(k * tap);
            // SAFETY: `lanes` elements of the tap's gradient, as the caller vouches.
            sums[k / KERNEL][k % KERNEL] = unsafe {
                if lanes == S::LANES {
                    simd.load_ptr(from)
                } else {
                    simd.load_ptr_partial(from, lanes)
                }
            };
        }
        for k in 0..KERNEL {
            let mut line = [simd.zero(); PATCH];
            for s in 0..PATCH {
                let from = ((k * PATCH + s) * SLAB + row) * S::LANES;
                // SAFETY: a vector of the line, as the caller vouches.
                line[s] = unsafe { simd.load_ptr(self.lines.as_ptr().wrapping_add(from)) };
            }
            let line = self.matrix.line(simd, line);
            for l in 0..KERNEL {
                sums[k][l] = simd.add(sums[k][l], line[l]);
            }
        }
        for k in 0..KERNEL * KERNEL {
            let to = dw.wrapping_add(k * tap);
            // SAFETY: as above.
            unsafe {
                if lanes == S::LANES {
                    simd.store_ptr(sums[k / KERNEL][k % KERNEL], to);
                } else {
                    simd.store_ptr_partial(sums[k / KERNEL][k % KERNEL], to, lanes);
                }
            }
        }
    }
}

/// A column of points of ROWS channels in, by a vector of channels out.
#[derive(Clone, Copy)]
struct Column<T, B, const PATCH: usize> {
    tiles: usize,
    patches: *const T,
    gradients: *const T,
    /// The column's part of the lines.
    lines: *mut T,
    matrix: B,
}

impl<T, B, const PATCH: usize> Column<T, B, PATCH>
where
    T: Float,
    B: Matrix<PATCH, KERNEL>,
{
    /// The lines of all rows.
    ///
    /// # Safety
    /// Patches are valid for reading ROWS elements at each of `PATCH` points of `tiles` tiles, gradients for a vector likewise; the
    /// lines are valid for writing ROWS vectors in each of `KERNEL` lines.
    #[inline(always)]
    unsafe fn all_rows<S: Simd<Elem = T>>(self, simd: S) {
        // SAFETY: as the caller vouches.
        unsafe {
            if S::REGISTERS >= 32 {
                self.some_rows::<S, ROWS>(simd);
            } else {
                self.some_rows::<S, { ROWS / 2 }>(simd);
            }
        }
    }

    /// The lines of all rows, R at a time.
    ///
    /// # Safety
    /// As [`all_rows`](Self::all_rows).
    #[inline(always)]
    unsafe fn some_rows<S: Simd<Elem = T>, const R: usize>(self, simd: S) {
        for row in (0..ROWS).step_by(R) {
            // SAFETY: R rows from `row` on are among those that the caller vouches for.
            let sums = unsafe { self.sums::<S, R>(simd, row) };
            for i in 0..R {
                let mut column = [simd.zero(); PATCH];
                for r in 0..PATCH {
                    column[r] = sums[r][i];
                }
                let line = self.matrix.line(simd, column);
                for k in 0..KERNEL {
                    let to = (k * PATCH * SLAB + row + i) * S::LANES;
                    // SAFETY: a vector of this row of the line, as the caller vouches.
                    unsafe { simd.store_ptr(line[k], self.lines.wrapping_add(to)) };
                }
            }
        }
    }

    /// The sums of R channels in from `row` on at the points of the column.
    ///
    /// # Safety
    /// As [`all_rows`](Self::all_rows), with `row + R ≤ ROWS`.
    #[inline(always)]
    unsafe fn sums<S: Simd<Elem = T>, const R: usize>(
        self,
        simd: S,
        row: usize,
    ) -> [[S::Vector; R]; PATCH] {
        let mut sums = [[simd.zero(); R]; PATCH];
        let (mut x, mut dy) = (self.patches.wrapping_add(row), self.gradients);
        for _ in 0..self.tiles {
            for r in 0..PATCH {
                // SAFETY: a vector of this tile and point, as the caller vouches.
                let vector = unsafe { simd.load_ptr(dy.wrapping_add(r * SLAB)) };
                for i in 0..R {
                    // SAFETY: a channel of this tile and point, as the caller vouches.
                    let x = simd.splat(unsafe { *x.wrapping_add(r * SLAB + i) });
                    sums[r][i] = simd.mul_add(x, vector, sums[r][i]);
                }
            }
            x = x.wrapping_add(PATCH * SLAB);
            dy = dy.wrapping_add(PATCH * SLAB);
        }
        sums
    }
}
