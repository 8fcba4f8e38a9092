//! The products of a block: at each point, the rows of its tiles by the weights of a strip of channels.
//!
//! ```text
//! for each point, tile, channel out:
//!     sum = 0
//!     for ic: sum = patch[point][tile][ic] * u[point][ic][oc] + sum
//!     product[point][tile][oc] = sum
//! ```

use super::grid::Planes;
use super::weights::point_len;
use crate::conv::tile::{Sum, accumulate, vectors_of};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// The most tiles of a register tile: with two vectors of channels (four of thirty-two registers) enough sums are under way to
/// hide the multiply-add's latency.
const MOST_TILES: usize = 6;

/// All products of some tiles by some vectors of channels.
pub(super) struct Products<'a, T> {
    pub(super) tiles: usize,
    /// Channels that are summed.
    pub(super) summed: usize,
    /// Vectors of channels that the panels hold, the first of these, and how many they are.
    pub(super) vectors: usize,
    pub(super) first_vector: usize,
    pub(super) count: usize,
    /// Those of the patches and those of the products.
    pub(super) planes: [Planes; 2],
    pub(super) patches: &'a [T],
    pub(super) panels: &'a [T],
    pub(super) products: &'a mut [T],
}

impl<T: Float> Kernel<T> for Products<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let [patches, products] = self.planes;
        let panel = self.summed * S::LANES;
        let point_len = point_len(self.summed, self.vectors * S::LANES);
        assert!(
            self.summed <= patches.row
                && products.points == patches.points
                && self.count * S::LANES <= products.row
                && self.tiles * patches.row <= patches.point
                && self.tiles * products.row <= products.point
                && self.patches.len() >= patches.len()
                && self.products.len() >= products.len()
                && self.first_vector + self.count <= self.vectors
                && self.panels.len() >= patches.points * point_len,
            "conv: planes that do not fit their products"
        );
        for point in 0..patches.points {
            let mut vector = 0;
            while vector < self.count {
                let first = point * point_len + (self.first_vector + vector) * panel;
                let job = Job {
                    tiles: self.tiles,
                    summed: self.summed,
                    rows: [patches.row, products.row],
                    patches: self.patches[point * patches.point..].as_ptr(),
                    panels: self.panels[first..].as_ptr(),
                    products: self.products[point * products.point + vector * S::LANES..]
                        .as_mut_ptr(),
                };
                let count = vectors_of(S::REGISTERS, self.count - vector);
                match count {
                    4 if S::REGISTERS >= 32 => simd.enter(Strip::<_, 4>(job)),
                    2 => simd.enter(Strip::<_, 2>(job)),
                    _ => simd.enter(Strip::<_, 1>(job)),
                }
                vector += count;
            }
        }
    }
}

/// One point and some vectors; the sizes are checked.
#[derive(Clone, Copy)]
struct Job<T> {
    tiles: usize,
    summed: usize,
    /// Elements from one row of the patches and the products to the next.
    rows: [usize; 2],
    patches: *const T,
    panels: *const T,
    products: *mut T,
}

/// All tiles by V vectors.
struct Strip<T, const V: usize>(Job<T>);

impl<T: Float, const V: usize> Kernel<T> for Strip<T, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let job = self.0;
        let mut groups = job.tiles.div_ceil(MOST_TILES);
        let mut t = 0;
        // Groups as even as possible: 25 tiles are five times five.
        while groups > 0 {
            let tiles = (job.tiles - t).div_ceil(groups);
            // SAFETY: rows t..t + tiles lie in the planes, as the sizes that `Products` checked say.
            unsafe {
                match tiles {
                    1 => group::<S, 1, V>(simd, job, t),
                    2 => group::<S, 2, V>(simd, job, t),
                    3 => group::<S, 3, V>(simd, job, t),
                    4 => group::<S, 4, V>(simd, job, t),
                    5 => group::<S, 5, V>(simd, job, t),
                    _ => group::<S, 6, V>(simd, job, t),
                }
            }
            t += tiles;
            groups -= 1;
        }
    }
}

/// P tiles from t on, by V vectors.
///
/// # Safety
/// The rows of the patches are valid for reading `summed` elements and those of the products for writing V vectors; the
/// panels hold V of them.
#[inline(always)]
unsafe fn group<S: Simd, const P: usize, const V: usize>(simd: S, job: Job<S::Elem>, t: usize) {
    let mut rows = [0; P];
    for p in 0..P {
        rows[p] = (t + p) * job.rows[0];
    }
    let sum = Sum {
        x: job.patches,
        rows: 1,
        x_row: 0,
        runs: 1,
        x_run: 0,
        len: job.summed,
        w: job.panels,
        w_row: 0,
        w_panel: job.summed * S::LANES,
        short: None,
    };
    // SAFETY: as the caller vouches.
    let sums = unsafe { accumulate(simd, &sum, rows, [[simd.zero(); V]; P]) };
    for p in 0..P {
        for v in 0..V {
            let to = job
                .products
                .wrapping_add((t + p) * job.rows[1] + v * S::LANES);
            // SAFETY: as the caller vouches.
            unsafe { simd.store_ptr(sums[p][v], to) };
        }
    }
}
