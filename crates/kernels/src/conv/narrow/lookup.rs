//! The weight gradient of one channel in where all that a window reaches fits a vector.
//!
//! ```text
//! for each window:
//!     patch = the pixels of x that the window reaches, row by row, in one vector
//!     for a vector of oc, each tap: sum[tap] += patch[winner's pixel + tap] · dy
//! ```
//!
//! Each lane takes its own winner's pixel from the patch, so that a tap costs one multiply-add, however many places a window
//! has.

use super::Narrow;
use crate::conv::Dims;
use crate::conv::tile::Block;
use crate::float::Float;
use crate::pool;
use crate::simd::{MAX_LANES, Simd};

/// Registers for the sums of nine taps by two vectors, and as many more.
const REGISTERS: usize = 32;

/// The most rows that a window reaches.
const ROWS: usize = 4;

/// Whether x has one channel, what a window reaches has no gaps and fits a vector, and there are enough registers.
#[inline(always)]
pub(super) fn takes<S: Simd>(dims: &Dims, pool: &pool::Dims) -> bool {
    let [rows, columns] = reach(dims, pool);
    S::REGISTERS >= REGISTERS
        && dims.input[2] == 1
        && dims.stride == [1, 1]
        && dims.dilation == [1, 1]
        && pool.dilation == [1, 1]
        && rows <= ROWS
        && rows * columns <= S::LANES
}

/// Rows and columns of the pixels that a window reaches.
#[inline(always)]
fn reach(dims: &Dims, pool: &pool::Dims) -> [usize; 2] {
    [0, 1].map(|axis| pool.kernel[axis] + dims.kernel[axis] - 1)
}

/// Adds the gradient of all taps.
#[inline(always)]
pub(super) fn add_all<S: Simd>(simd: S, pass: &mut Narrow<'_, S::Elem>) {
    let outputs = pass.dims.output[2];
    let taps = pass.dims.kernel[0] * pass.dims.kernel[1];
    let mut channel = 0;
    while channel < outputs {
        let is_pair = outputs - channel > S::LANES;
        let mut tap = 0;
        while tap < taps {
            let at = [tap, channel];
            tap += match (taps - tap, is_pair) {
                (9.., true) => add::<S, 9, 2>(simd, pass, at),
                (9.., false) => add::<S, 9, 1>(simd, pass, at),
                (3.., true) => add::<S, 3, 2>(simd, pass, at),
                (3.., false) => add::<S, 3, 1>(simd, pass, at),
                (_, true) => add::<S, 1, 2>(simd, pass, at),
                (_, false) => add::<S, 1, 1>(simd, pass, at),
            };
        }
        channel += if is_pair { 2 * S::LANES } else { S::LANES };
    }
}

/// Adds the gradient of K taps, of V vectors of channels, and returns K.
#[inline(always)]
fn add<S: Simd, const K: usize, const V: usize>(
    simd: S,
    pass: &mut Narrow<'_, S::Elem>,
    [tap, channel]: [usize; 2],
) -> usize {
    let outputs = pass.dims.output[2];
    let lanes = (outputs - channel).min(V * S::LANES);
    let weights = Block {
        data: pass.dweight.as_mut_ptr(),
        last: lanes - (V - 1) * S::LANES,
    };
    let [rows, columns] = reach(pass.dims, pass.pool);
    let patch = Patch::new(pass.dims.input[1], [rows, columns]);
    let mut at_weights = [0; K];
    let mut offsets = [simd.zero(); K];
    for k in 0..K {
        let (kh, kw) = (
            (tap + k) / pass.dims.kernel[1],
            (tap + k) % pass.dims.kernel[1],
        );
        at_weights[k] = (tap + k) * outputs + channel;
        offsets[k] = simd.splat(S::Elem::from_usize(kh * columns + kw));
    }
    let pixels = pixels(simd, pass.pool, columns);
    // SAFETY: these taps' weights of the vectors' channels lie in dweight.
    let mut sums = unsafe { weights.load::<S, K, V>(simd, at_weights) };
    let mut windows = super::windows_of(pass.dims, pass.pool);
    for at in (channel..pass.dy.len()).step_by(outputs) {
        let [[x], _] = windows.next::<1>();
        // SAFETY: all that a window reaches lies in x, as `super::takes` found.
        let patch = unsafe {
            let x = pass.x.as_ptr().wrapping_add(x);
            patch.load(simd, x)
        };
        for v in 0..V {
            let range = at + v * S::LANES..at + lanes.min((v + 1) * S::LANES);
            let dy = simd.load_partial(&pass.dy[range.clone()]);
            let places = simd.load_bytes(&pass.places[range]);
            let pixel = simd.lookup(pixels, places, simd.zero());
            for k in 0..K {
                let x = simd.lookup(patch, pixel, offsets[k]);
                sums[k][v] = simd.mul_add(x, dy, sums[k][v]);
            }
        }
    }
    // SAFETY: as above.
    unsafe { weights.store(simd, at_weights, sums) };
    K
}

/// The pixel of a patch of rows of `columns` pixels that each place of a window is.
#[inline(always)]
fn pixels<S: Simd>(simd: S, pool: &pool::Dims, columns: usize) -> S::Vector {
    let mut pixels = [S::Elem::ZERO; MAX_LANES];
    for (place, pixel) in pixels[..pool.kernel[0] * pool.kernel[1]]
        .iter_mut()
        .enumerate()
    {
        let (row, column) = (place / pool.kernel[1], place % pool.kernel[1]);
        *pixel = S::Elem::from_usize(row * columns + column);
    }
    simd.load(&pixels)
}

/// How the rows of pixels that a window reaches come into one vector, one behind the other.
///
/// Each is read from so far ahead that it lies where it belongs; what was read before it makes room for the rows above.
#[derive(Clone, Copy)]
struct Patch {
    /// From a window's first pixel to where the reading of each row begins, and the lane past the row's last. There is always
    /// a fourth row; it may be the third again.
    starts: [usize; ROWS],
    ends: [usize; ROWS],
}

impl Patch {
    #[inline(always)]
    fn new(x_row: usize, [rows, columns]: [usize; 2]) -> Self {
        let mut patch = Self {
            starts: [0; ROWS],
            ends: [0; ROWS],
        };
        for i in 0..ROWS {
            let row = i.min(rows - 1);
            patch.starts[i] = row * (x_row - columns);
            patch.ends[i] = (row + 1) * columns;
        }
        patch
    }

    /// The patch of the window at `x`.
    ///
    /// # Safety
    /// All that the window reaches is valid for reading, and so is what lies between its rows.
    #[inline(always)]
    unsafe fn load<S: Simd>(&self, simd: S, x: *const S::Elem) -> S::Vector {
        let mut patch = simd.zero();
        for i in (0..ROWS).rev() {
            // SAFETY: from a row's start on, up to its end: the elements before it lie behind the first row's first.
            let row =
                unsafe { simd.load_ptr_partial(x.wrapping_add(self.starts[i]), self.ends[i]) };
            patch = simd.select(simd.first_lanes(self.ends[i]), row, patch);
        }
        patch
    }
}
