//! Convolution with a 2×2 max-pool behind it, a few windows at a time.
//!
//! ```text
//! for some windows:
//!     for the four pixels of each: sum, + bias, activation, into a buffer
//!     for each: the largest of its four pixels, and which it was
//! ```
//!
//! The pixels of the windows form one list that is cut into tiles like any other convolution's, so a tile has six of them
//! and not the four of a window, which would wait for the multiply-add; the buffer stays in the first-level cache. Taking
//! the largest straight from the registers of a tile leaves the compiler too few of them.

use super::forward::{Finish, Packed, sum_at, x_strides};
use super::tile::{Block, Cursor, Strides, Sum, accumulate, vectors_of};
use super::{Dims, ForwardPool};
use crate::float::Float;
use crate::pool;
use crate::pool::best::Best;
use crate::simd::{Kernel, MAX_LANES, Simd};

/// Windows at a time: their pixels fill tiles of six.
const WINDOWS: usize = 12;

/// The most vectors of a tile.
const MAX_VECTORS: usize = 4;

/// Elements of scratch space: the pixels of the windows.
pub(super) const SCRATCH: usize = 4 * WINDOWS * MAX_VECTORS * MAX_LANES;

/// Whether every window is 2×2 pixels of its own, all with the same taps of the convolution.
pub(super) fn takes(dims: &Dims, pool: &pool::Dims) -> bool {
    let is_two_by_two = pool.kernel == [2, 2] && pool.stride == [2, 2] && pool.dilation == [1, 1];
    let fits = (0..2).all(|axis| {
        let (conv, pooled) = (dims.axis(axis), pool.output[axis]);
        pooled > 0
            && 2 * pooled <= conv.output
            && conv.outputs_alike(0, 2 * pooled).end == 2 * pooled
            && conv.taps(0).len() == conv.kernel
    });
    is_two_by_two && pool.before == [0, 0] && fits && !dims.is_depthwise()
}

/// The convolution of some windows' pixels, then the largest of them.
pub(super) struct ByWindow<'a, T>(pub(super) ForwardPool<'a, T>);

impl<T: Float> Kernel<T> for ByWindow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let ForwardPool {
            dims,
            pool,
            x,
            prepared,
            epilogue,
            y,
            mut places,
            scratch,
            ..
        } = self.0;
        let packed = Packed {
            dims,
            x,
            panels: prepared,
            epilogue,
        };
        let vectors = dims.outputs_per_group().div_ceil(S::LANES);
        for group in 0..dims.groups {
            let mut vector = 0;
            while vector < vectors {
                let count = vectors_of(S::REGISTERS, vectors - vector);
                let job = Job {
                    packed,
                    pool,
                    group,
                    vector,
                    y: &mut *y,
                    places: places.as_deref_mut(),
                    buffer: &mut scratch[..SCRATCH],
                };
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

/// The vectors of channels from `vector` on, within a group.
struct Job<'a, T> {
    packed: Packed<'a, T>,
    pool: &'a pool::Dims,
    group: usize,
    vector: usize,
    y: &'a mut [T],
    places: Option<&'a mut [u8]>,
    buffer: &'a mut [T],
}

/// V vectors of channels of all windows.
struct Strip<'a, T, const V: usize>(Job<'a, T>);

impl<T: Float, const V: usize> Kernel<T> for Strip<'_, T, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Job {
            packed,
            pool,
            group,
            vector,
            y,
            mut places,
            buffer,
        } = self.0;
        let dims = packed.dims;
        let outputs = dims.outputs_per_group();
        let channel = group * outputs + vector * S::LANES;
        let lanes = (outputs - vector * S::LANES).min(V * S::LANES);
        let sums = Block {
            data: buffer.as_mut_ptr(),
            last: S::LANES,
        };
        let y = Block {
            data: y.as_mut_ptr(),
            last: lanes - (V - 1) * S::LANES,
        };
        let finish = Finish::<S, V>::new(simd, &packed.epilogue, channel, lanes, sums);
        let sum = sum_at::<S>(dims, packed, [0, 0], group, vector);
        let pixel = x_strides(dims);
        let mut cursor = cursor_over(dims, pool, channel);
        let mut left = pool.samples * pool.output[0] * pool.output[1];
        while left > 0 {
            let count = left.min(WINDOWS);
            let mut pixels = [0; 4 * WINDOWS];
            let mut outputs = [0; WINDOWS];
            for (pixels, at) in pixels.chunks_exact_mut(4).zip(&mut outputs[..count]) {
                let [[x], [y]] = cursor.next::<1>();
                let below = x + pixel.row;
                pixels.copy_from_slice(&[x, x + pixel.column, below, below + pixel.column]);
                *at = y;
            }
            // SAFETY: the windows' pixels meet all taps, inside of x; the panels hold the strip and the buffer all the sums.
            unsafe { tiles(simd, &sum, &pixels[..4 * count], &finish) };
            for (window, at) in outputs[..count].iter().enumerate() {
                // SAFETY: the buffer holds the window's sums, y the window, and its channels the strip.
                unsafe { take_best::<S, V>(simd, sums, window, y, *at, places.as_deref_mut()) };
            }
            left -= count;
        }
    }
}

/// Walks the windows: the offsets of their first pixels in x, and of their channels in y.
#[inline(always)]
fn cursor_over(dims: &Dims, pool: &pool::Dims, channel: usize) -> Cursor {
    let pixel = x_strides(dims);
    let window = Strides {
        image: pixel.image,
        row: 2 * pixel.row,
        column: 2 * pixel.column,
    };
    let ([rows, columns], channels) = (pool.output, dims.output[2]);
    let pooled = Strides {
        image: rows * columns * channels,
        row: columns * channels,
        column: channels,
    };
    Cursor::new(pool.output, [0, channel], [window, pooled])
}

/// Finished sums of the pixels, one behind the other.
///
/// # Safety
/// The pixels' taps lie in x, the panels hold the strip, and the target of `finish` has room for the sums.
#[inline(always)]
unsafe fn tiles<S: Simd, const V: usize>(
    simd: S,
    sum: &Sum<S::Elem>,
    pixels: &[usize],
    finish: &Finish<S, V>,
) {
    let mut first = 0;
    while first + 6 <= pixels.len() {
        // SAFETY: as the caller vouches, with six pixels left.
        unsafe { tile::<S, 6, V>(simd, sum, pixels, first, finish) };
        first += 6;
    }
    while first + 2 <= pixels.len() {
        // SAFETY: as the caller vouches; windows have an even number of pixels.
        unsafe { tile::<S, 2, V>(simd, sum, pixels, first, finish) };
        first += 2;
    }
}

/// P pixels of [`tiles`], from `first` on.
///
/// # Safety
/// As [`tiles`].
#[inline(always)]
unsafe fn tile<S: Simd, const P: usize, const V: usize>(
    simd: S,
    sum: &Sum<S::Elem>,
    pixels: &[usize],
    first: usize,
    finish: &Finish<S, V>,
) {
    let (mut offsets, mut targets) = ([0; P], [0; P]);
    for p in 0..P {
        offsets[p] = pixels[first + p];
        targets[p] = (first + p) * V * S::LANES;
    }
    // SAFETY: as the caller vouches.
    unsafe {
        let sums = accumulate(simd, sum, offsets, [[simd.zero(); V]; P]);
        finish.store(simd, targets, sums);
    }
}

/// Writes the largest of a window's pixels to `y`, and which it was to `places`, both at `at`.
///
/// # Safety
/// `sums` holds the window's pixels, and `y` is valid for writing the strip.
#[inline(always)]
unsafe fn take_best<S: Simd, const V: usize>(
    simd: S,
    sums: Block<S::Elem>,
    window: usize,
    y: Block<S::Elem>,
    at: usize,
    mut places: Option<&mut [u8]>,
) {
    let pixels = [0, 1, 2, 3].map(|p| (4 * window + p) * V * S::LANES);
    // SAFETY: as the caller vouches.
    let pixels = unsafe { sums.load::<S, 4, V>(simd, pixels) };
    let mut values = [[simd.zero(); V]; 1];
    for v in 0..V {
        let best = Best::<S>::of_four(simd, pixels.map(|pixel| pixel[v]));
        values[0][v] = best.value;
        if let Some(places) = &mut places {
            let lanes = if v + 1 < V { S::LANES } else { y.last };
            best.store_numbers(simd, &mut places[at + v * S::LANES..][..lanes]);
        }
    }
    // SAFETY: as the caller vouches.
    unsafe { y.store(simd, [at], values) };
}
