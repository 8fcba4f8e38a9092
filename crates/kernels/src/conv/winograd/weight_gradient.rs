//! The weight gradient, F(3×3, 2×2): a 3×3 kernel's gradient from sixteen products a tile instead of thirty-six.
//!
//! ```text
//! for each chunk of tiles, channel in and out:
//!     s[point] = Σ over tiles of (Bᵀ d B)[point][ic] · (A dy Aᵀ)[point][oc]
//!     dw[..][..][ic][oc] += Gᵀ s G
//! ```
//!
//! Channels come in slabs as wide as a cache line. The sums of a slab in by a slab out are made for all points, in the
//! first-level cache, and go back to the kernel's gradient at once: kept through all chunks they would be read and written
//! as often, and there are sixteen of them for nine. How many tiles a chunk has is a matter of the sizes, not of the number
//! of samples: some whole samples, or a part of one.
//!
//! Tried and lost: whole matrix products a point, whose sums of many channels go through the second-level cache; chunks that
//! end with their sample, since adding to the weight gradients of many channels takes as long as the sums of few tiles.

use super::forward::TransformPatches;
use super::grid::{Grid, PATCH, POINTS, Planes, TILE};
use super::transform::{KERNEL, gradient_line, weight_gradient_line};
use crate::float::Float;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// Channels of a slab: a vector of the widest level.
const SLAB: usize = MAX_LANES;

/// The most tiles of a chunk. More make the way back of the sums cheaper and what is summed larger.
const MOST_TILES: usize = 64;

/// Elements of scratch space: what a chunk's x and dy become, the sums of two slabs, and a pixel of zeros.
pub(super) fn scratch_len(grid: &Grid) -> usize {
    let planes = Planes::new(chunk_of(grid).min(grid.count()), SLAB);
    let [inputs, outputs] = [slabs(grid.input[2]), slabs(grid.output[2])];
    (inputs + outputs) * planes.len() + SUMS.len() + inputs.max(outputs) * SLAB
}

/// The sums of a slab in, a row each, by a slab out.
const SUMS: Planes = Planes::new(SLAB, SLAB);

const fn slabs(channels: usize) -> usize {
    channels.div_ceil(SLAB)
}

/// Tiles of a chunk.
pub(crate) fn chunk_of(grid: &Grid) -> usize {
    let tiles = grid.per_sample().max(1);
    if tiles <= MOST_TILES {
        MOST_TILES / tiles * tiles
    } else {
        tiles.div_ceil(tiles.div_ceil(MOST_TILES))
    }
}

/// Adds the weight gradient of all tiles of a forward grid.
pub(super) struct Accumulate<'a, T> {
    pub(super) grid: Grid,
    pub(super) x: &'a [T],
    pub(super) dy: &'a [T],
    pub(super) dweight: &'a mut [T],
    pub(super) scratch: &'a mut [T],
}

impl<T: Float> Kernel<T> for Accumulate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            grid,
            x,
            dy,
            dweight,
            scratch,
        } = self;
        let chunk = chunk_of(&grid);
        let planes = Planes::new(chunk.min(grid.count()), SLAB);
        let [inputs, outputs] = [grid.input[2], grid.output[2]];
        let (patches, scratch) = scratch.split_at_mut(slabs(inputs) * planes.len());
        let (gradients, scratch) = scratch.split_at_mut(slabs(outputs) * planes.len());
        let (sums, zeros) = scratch.split_at_mut(SUMS.len());
        zeros.fill(T::ZERO);
        let mut first = 0;
        while first < grid.count() {
            let left = if chunk < grid.per_sample() {
                grid.per_sample() - first % grid.per_sample()
            } else {
                grid.count() - first
            };
            let tiles = (first, chunk.min(left));
            simd.enter(TransformPatches {
                grid: &grid,
                tiles,
                x,
                zeros,
                planes,
                patches,
            });
            simd.enter(TransformGradients {
                grid: &grid,
                tiles,
                dy,
                zeros,
                planes,
                gradients,
            });
            for ic in (0..inputs).step_by(SLAB) {
                for oc in (0..outputs).step_by(SLAB) {
                    simd.enter(Slabs {
                        tiles: tiles.1,
                        planes,
                        patches: &patches[ic / SLAB * planes.len()..][..planes.len()],
                        gradients: &gradients[oc / SLAB * planes.len()..][..planes.len()],
                        sums,
                        rows: SLAB.min(inputs - ic),
                    });
                    let place = Place {
                        channels: [inputs, outputs],
                        first: [ic, oc],
                    };
                    simd.enter(AddBack {
                        place,
                        sums,
                        dweight,
                    });
                }
            }
            first += tiles.1;
        }
    }
}

/// A·dy·Aᵀ of some tiles.
struct TransformGradients<'a, T> {
    grid: &'a Grid,
    /// The number of the first tile, and how many there are.
    tiles: (usize, usize),
    dy: &'a [T],
    /// What a pixel outside of the image holds.
    zeros: &'a [T],
    planes: Planes,
    gradients: &'a mut [T],
}

impl<T: Float> Kernel<T> for TransformGradients<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            grid,
            tiles: (first, tiles),
            dy,
            zeros,
            planes,
            gradients,
        } = self;
        let [height, width, channels] = grid.output;
        assert!(
            dy.len() == grid.samples * height * width * channels
                && zeros.len() >= channels
                && tiles * planes.row <= planes.point
                && gradients.len() >= channels.div_ceil(planes.row) * planes.len(),
            "conv: planes that do not fit their tiles"
        );
        let mut next = grid.tile(first);
        for t in 0..tiles {
            let pixels = grid.pixels(next, dy.as_ptr(), zeros.as_ptr());
            next = grid.next(next);
            for c in (0..channels).step_by(S::LANES) {
                let lanes = S::LANES.min(channels - c);
                let to = gradients.as_mut_ptr().wrapping_add(planes.at(t, c));
                // SAFETY: every pixel holds the channels, of dy or of the zeros; the planes hold whole vectors for each tile.
                unsafe { transform_gradient(simd, pixels, c, lanes, to, planes.point) };
            }
        }
    }
}

/// A·dy·Aᵀ of one tile and `lanes` channels from `c` on.
///
/// # Safety
/// Every pixel is valid for reading these channels, and `to` for writing a vector in each of the sixteen planes `point`
/// apart.
#[inline(always)]
unsafe fn transform_gradient<S: Simd>(
    simd: S,
    pixels: [*const S::Elem; TILE * TILE],
    c: usize,
    lanes: usize,
    to: *mut S::Elem,
    point: usize,
) {
    let mut lines = [[simd.zero(); PATCH]; TILE];
    for r in 0..TILE {
        let mut d = [simd.zero(); TILE];
        for s in 0..TILE {
            let from = pixels[r * TILE + s].wrapping_add(c);
            d[s] = if lanes == S::LANES {
                // SAFETY: a full vector of the pixel, as the caller vouches.
                unsafe { simd.load_ptr(from) }
            } else {
                // SAFETY: the channels that the pixel has left, as the caller vouches.
                unsafe { simd.load_ptr_partial(from, lanes) }
            };
        }
        lines[r] = gradient_line(simd, d);
    }
    for s in 0..PATCH {
        let column = gradient_line(simd, [lines[0][s], lines[1][s]]);
        for r in 0..PATCH {
            // SAFETY: a vector of the plane, as the caller vouches.
            unsafe { simd.store_ptr(column[r], to.add((r * PATCH + s) * point)) };
        }
    }
}

/// The sums of a slab in by a slab out over the tiles of a chunk, at all points.
struct Slabs<'a, T> {
    tiles: usize,
    /// Those of the patches and of dy's tiles.
    planes: Planes,
    patches: &'a [T],
    gradients: &'a [T],
    sums: &'a mut [T],
    /// Channels in.
    rows: usize,
}

impl<T: Float> Kernel<T> for Slabs<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            tiles,
            planes,
            patches,
            gradients,
            sums,
            rows,
        } = self;
        assert!(
            planes.row == SLAB
                && tiles * planes.row <= planes.point
                && patches.len() >= planes.len()
                && gradients.len() >= planes.len()
                && sums.len() >= SUMS.len()
                && rows <= SLAB,
            "conv: slabs that do not fit their planes"
        );
        for point in 0..POINTS {
            let slab = Slab {
                tiles,
                patches: patches[point * planes.point..].as_ptr(),
                gradients: gradients[point * planes.point..].as_ptr(),
                sums: sums[point * SUMS.point..].as_mut_ptr(),
            };
            if S::LANES == SLAB {
                // SAFETY: `tiles` rows of both slabs and SLAB rows of sums lie in their planes, as just asserted.
                unsafe { slab.all_rows::<S, 1>(simd, rows) };
            } else {
                for v in (0..SLAB).step_by(2 * S::LANES) {
                    // SAFETY: as above; two vectors from v on lie in a row, whose vectors are 2, 4 or more.
                    unsafe { slab.at_column(v).all_rows::<S, 2>(simd, rows) };
                }
            }
        }
    }
}

/// The operands of one point.
#[derive(Clone, Copy)]
struct Slab<T> {
    tiles: usize,
    patches: *const T,
    gradients: *const T,
    sums: *mut T,
}

impl<T: Float> Slab<T> {
    /// The same from a further channel out on.
    #[inline(always)]
    fn at_column(self, column: usize) -> Self {
        Self {
            gradients: self.gradients.wrapping_add(column),
            sums: self.sums.wrapping_add(column),
            ..self
        }
    }

    /// The sums of `rows` channels in by V vectors, in groups as even as possible.
    ///
    /// # Safety
    /// `rows ≤ SLAB`; patches and gradients are valid for reading `tiles` rows of a slab, from its first channel and from
    /// that of the first vector on, and sums for writing `rows` of them.
    #[inline(always)]
    unsafe fn all_rows<S: Simd<Elem = T>, const V: usize>(self, simd: S, rows: usize) {
        if S::REGISTERS >= 32 && rows == SLAB {
            // SAFETY: as the caller vouches.
            unsafe { self.some_rows::<S, SLAB, V>(simd, 0) };
            return;
        }
        let (mut row, mut groups) = (0, rows.div_ceil(6));
        while groups > 0 {
            let count = (rows - row).div_ceil(groups);
            // SAFETY: `count` rows from `row` on are among those that the caller vouches for.
            unsafe {
                match count {
                    1 => self.some_rows::<S, 1, V>(simd, row),
                    2 => self.some_rows::<S, 2, V>(simd, row),
                    3 => self.some_rows::<S, 3, V>(simd, row),
                    4 => self.some_rows::<S, 4, V>(simd, row),
                    5 => self.some_rows::<S, 5, V>(simd, row),
                    _ => self.some_rows::<S, 6, V>(simd, row),
                }
            }
            row += count;
            groups -= 1;
        }
    }

    /// The sums of R channels in from `row` on.
    ///
    /// # Safety
    /// As [`all_rows`](Self::all_rows), with `row + R` rows.
    #[inline(always)]
    unsafe fn some_rows<S: Simd<Elem = T>, const R: usize, const V: usize>(
        self,
        simd: S,
        row: usize,
    ) {
        let mut sums = [[simd.zero(); V]; R];
        let (mut x, mut dy) = (self.patches.wrapping_add(row), self.gradients);
        for _ in 0..self.tiles {
            let mut vectors = [simd.zero(); V];
            for v in 0..V {
                // SAFETY: a vector of this tile, as the caller vouches.
                vectors[v] = unsafe { simd.load_ptr(dy.add(v * S::LANES)) };
            }
            for r in 0..R {
                // SAFETY: a channel of this tile, as the caller vouches.
                let x = simd.splat(unsafe { *x.add(r) });
                for v in 0..V {
                    sums[r][v] = simd.mul_add(x, vectors[v], sums[r][v]);
                }
            }
            x = x.wrapping_add(SLAB);
            dy = dy.wrapping_add(SLAB);
        }
        for r in 0..R {
            for v in 0..V {
                // SAFETY: a vector of this row of sums, as the caller vouches.
                unsafe {
                    simd.store_ptr(sums[r][v], self.sums.add((row + r) * SLAB + v * S::LANES));
                }
            }
        }
    }
}

/// Two slabs among all channels.
struct Place {
    /// Channels in and out.
    channels: [usize; 2],
    /// The slabs' first ones.
    first: [usize; 2],
}

/// dw += Gᵀ s G for the sums of two slabs.
struct AddBack<'a, T> {
    place: Place,
    sums: &'a [T],
    dweight: &'a mut [T],
}

impl<T: Float> Kernel<T> for AddBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            place: Place { channels, first },
            sums,
            dweight,
        } = self;
        assert!(sums.len() >= SUMS.len(), "conv: a short slab of sums");
        let [inputs, outputs] = channels;
        let columns = SLAB.min(outputs - first[1]);
        for row in 0..SLAB.min(inputs - first[0]) {
            let (taps, at) = (inputs * outputs, (first[0] + row) * outputs + first[1]);
            for column in (0..columns).step_by(S::LANES) {
                let sums = sums.as_ptr().wrapping_add(row * SLAB + column);
                // SAFETY: rows of whole vectors lie in each plane of the sums, as just asserted.
                let gradient = unsafe { transform_back(simd, sums) };
                let lanes = S::LANES.min(columns - column);
                for tap in 0..KERNEL * KERNEL {
                    let dw = &mut dweight[tap * taps + at + column..][..lanes];
                    let sum = simd.add(simd.load_partial(dw), gradient[tap / KERNEL][tap % KERNEL]);
                    simd.store_partial(sum, dw);
                }
            }
        }
    }
}

/// Gᵀ s G of a vector of sums.
///
/// # Safety
/// `sums` is valid for reading a vector in each of the planes of [`SUMS`].
#[inline(always)]
unsafe fn transform_back<S: Simd>(simd: S, sums: *const S::Elem) -> [[S::Vector; KERNEL]; KERNEL] {
    let mut lines = [[simd.zero(); KERNEL]; PATCH];
    for r in 0..PATCH {
        let mut line = [simd.zero(); PATCH];
        for s in 0..PATCH {
            // SAFETY: a vector of the plane, as the caller vouches.
            line[s] = unsafe { simd.load_ptr(sums.add((r * PATCH + s) * SUMS.point)) };
        }
        lines[r] = weight_gradient_line(simd, line);
    }
    let mut gradient = [[simd.zero(); KERNEL]; KERNEL];
    for s in 0..KERNEL {
        let column = [lines[0][s], lines[1][s], lines[2][s], lines[3][s]];
        let column = weight_gradient_line(simd, column);
        for r in 0..KERNEL {
            gradient[r][s] = column[r];
        }
    }
    gradient
}
