//! Convolution of images of one channel with a 3×3 kernel and a 2×2 max-pool behind it, as in a network's first layer.
//!
//! ```text
//! for some vectors of channels out: all their weights in registers
//!     for each window: a 4×4 patch of x, broadcast pixel by pixel
//!         for each of the four places, each tap: sum += pixel · weight
//!         + bias, activation, the largest of the four, and which it was
//! ```
//!
//! A sum has nine terms only, so with the weights loaded for every tile (`windows`) the loads outweigh the products. Here a
//! window loads sixteen pixels and nothing else. Walking the patch row by row meets every sum's terms in ascending order, so the
//! bits are those of the plain convolution.

use super::forward::Packed;
use super::tile::Block;
use super::{Dims, ForwardPool, windows};
use crate::elementwise::{Activation, OnVectors as _};
use crate::float::Float;
use crate::pool;
use crate::pool::best::Best;
use crate::simd::{Kernel, Simd};

/// Rows and columns of the kernel.
const KERNEL: usize = 3;
/// Its taps.
const TAPS: usize = KERNEL * KERNEL;
/// Rows and columns of a window.
const WINDOW: usize = 2;
/// Rows and columns of x that a window reads.
const PATCH: usize = KERNEL + WINDOW - 1;

/// Whether the sizes and the activation are those that this kernel is for.
pub(super) fn takes(dims: &Dims, pool: &pool::Dims, activation: Activation) -> bool {
    dims.kernel == [KERNEL, KERNEL]
        && dims.input[2] == 1
        && dims.stride == [1, 1]
        && dims.dilation == [1, 1]
        && matches!(activation, Activation::Identity | Activation::Relu)
        && windows::takes(dims, pool)
}

/// The convolution of all windows.
pub(super) struct Mono<'a, T>(pub(super) ForwardPool<'a, T>);

impl<T: Float> Kernel<T> for Mono<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let pass = self.0;
        let dims = pass.dims;
        let vectors = dims.output[2].div_ceil(S::LANES);
        let (y, mut places) = (pass.y, pass.places);
        let mut vector = 0;
        while vector < vectors {
            let packed = Packed {
                dims,
                x: pass.x,
                panels: pass.prepared,
                epilogue: pass.epilogue,
            };
            let job = Job {
                packed,
                pool: pass.pool,
                vector,
                y: &mut *y,
                places: places.as_deref_mut(),
            };
            // Nine taps of two vectors are eighteen registers.
            vector += if S::REGISTERS >= 32 && vectors - vector >= 2 {
                simd.enter(Strip::<_, 2>(job));
                2
            } else {
                simd.enter(Strip::<_, 1>(job));
                1
            };
        }
    }
}

/// The vectors of channels from `vector` on.
struct Job<'a, T> {
    packed: Packed<'a, T>,
    pool: &'a pool::Dims,
    vector: usize,
    y: &'a mut [T],
    places: Option<&'a mut [u8]>,
}

/// V vectors of channels of all windows.
struct Strip<'a, T, const V: usize>(Job<'a, T>);

impl<T: Float, const V: usize> Kernel<T> for Strip<'_, T, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let mut job = self.0;
        match job.places.take() {
            Some(places) => strip::<S, V, true>(simd, job, places),
            None => strip::<S, V, false>(simd, job, &mut []),
        }
    }
}

/// What a strip's windows have in common.
struct Setting<S: Simd, const V: usize> {
    weights: [[S::Vector; V]; TAPS],
    bias: Option<[S::Vector; V]>,
    relu: bool,
}

impl<S: Simd, const V: usize> Setting<S, V> {
    #[inline(always)]
    fn of(simd: S, packed: &Packed<'_, S::Elem>, vector: usize, lanes: usize) -> Self {
        let mut weights = [[simd.zero(); V]; TAPS];
        for tap in 0..TAPS {
            for v in 0..V {
                let at = ((vector + v) * TAPS + tap) * S::LANES;
                weights[tap][v] = simd.load(&packed.panels[at..][..S::LANES]);
            }
        }
        let bias = packed.epilogue.bias.map(|bias| {
            let bias = &bias[vector * S::LANES..][..lanes];
            let mut vectors = [simd.zero(); V];
            for v in 0..V {
                vectors[v] = simd.load_partial(&bias[v * S::LANES..]);
            }
            vectors
        });
        Self {
            weights,
            bias,
            relu: packed.epilogue.activation == Activation::Relu,
        }
    }
}

#[inline(always)]
fn strip<S: Simd, const V: usize, const PLACES: bool>(
    simd: S,
    job: Job<'_, S::Elem>,
    places: &mut [u8],
) {
    let Job {
        packed,
        pool,
        vector,
        y,
        ..
    } = job;
    let ([height, width, _], channels) = (packed.dims.input, packed.dims.output[2]);
    let lanes = (channels - vector * S::LANES).min(V * S::LANES);
    let last = lanes - (V - 1) * S::LANES;
    let setting = Setting::<S, V>::of(simd, &packed, vector, lanes);
    let block = Block {
        data: y.as_mut_ptr(),
        last,
    };
    let [rows, columns] = pool.output;
    assert!(
        WINDOW * (rows - 1) + PATCH <= height && WINDOW * (columns - 1) + PATCH <= width,
        "conv: a window outside of its image"
    );
    let mut at = vector * S::LANES;
    for image in packed.x.chunks_exact(height * width) {
        for row in 0..rows {
            let x = &image[WINDOW * row * width..];
            for column in 0..columns {
                let patch = x.as_ptr().wrapping_add(WINDOW * column);
                // SAFETY: the patch's rows and columns lie in the image, as asserted.
                let pixels = unsafe { convolve(simd, &setting.weights, patch, width) };
                let mut values = [[simd.zero(); V]; 1];
                for v in 0..V {
                    let best = best_of(simd, &setting, pixels, v);
                    values[0][v] = best.value;
                    if PLACES {
                        let lanes = if v + 1 < V { S::LANES } else { last };
                        best.store_numbers(simd, &mut places[at + v * S::LANES..][..lanes]);
                    }
                }
                // SAFETY: y holds the channels of every window, as the entry checked; `at` is this one's.
                unsafe { block.store(simd, [at], values) };
                at += channels;
            }
        }
    }
}

/// The sums of a window's four places.
///
/// # Safety
/// `patch` is valid for reading PATCH rows of as many elements, `width` apart.
#[inline(always)]
unsafe fn convolve<S: Simd, const V: usize>(
    simd: S,
    weights: &[[S::Vector; V]; TAPS],
    patch: *const S::Elem,
    width: usize,
) -> [[S::Vector; V]; WINDOW * WINDOW] {
    let mut sums = [[simd.zero(); V]; WINDOW * WINDOW];
    for r in 0..PATCH {
        for c in 0..PATCH {
            // SAFETY: a pixel of the patch, as the caller vouches.
            let x = simd.splat(unsafe { *patch.wrapping_add(r * width + c) });
            for place in 0..WINDOW * WINDOW {
                let (kh, kw) = (
                    r.wrapping_sub(place / WINDOW),
                    c.wrapping_sub(place % WINDOW),
                );
                if kh < KERNEL && kw < KERNEL {
                    for v in 0..V {
                        let weight = weights[kh * KERNEL + kw][v];
                        sums[place][v] = simd.mul_add(x, weight, sums[place][v]);
                    }
                }
            }
        }
    }
    sums
}

/// The largest of the four places, finished, in vector `v`.
#[inline(always)]
fn best_of<S: Simd, const V: usize>(
    simd: S,
    setting: &Setting<S, V>,
    mut pixels: [[S::Vector; V]; WINDOW * WINDOW],
    v: usize,
) -> Best<S> {
    for pixel in &mut pixels {
        if let Some(bias) = &setting.bias {
            pixel[v] = simd.add(pixel[v], bias[v]);
        }
        if setting.relu {
            pixel[v] = Activation::Relu.forward(simd, pixel[v]);
        }
    }
    Best::of_four(
        simd,
        [pixels[0][v], pixels[1][v], pixels[2][v], pixels[3][v]],
    )
}
