//! The direct input-gradient kernel: for each tap, a product of dy with the tap's weights, added at the tap's pixels.
//!
//! ```text
//! dx = 0
//! for kh, kw:
//!     for n, oh, ow with the tap inside the input, ic:
//!         sum = dx[n][oh·stride + kh·dilation − before][…][ic]
//!         for oc: sum = dy[n][oh][ow][oc] * w[kh][kw][ic][oc] + sum
//!         dx[…] = sum
//! ```
//!
//! Within a tap every element of dx is met at most once, so that each is one sum in ascending (kh, kw, oc), paused in
//! memory between taps. Any stride, dilation and padding comes for free and no product with padding is computed, which
//! a gather over the flipped kernel cannot say. The weights are transposed into panels of input channels.

use super::tile::{Block, Cursor, PIXELS, Strides, Sum, accumulate, vectors_of};
use super::{CACHE_BYTES, Dims, Direct, InputGradient};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

impl<T: Float> Kernel<T> for Direct<InputGradient<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let InputGradient {
            dims,
            prepared,
            dy,
            dx,
            ..
        } = self.0;
        dx.fill(T::ZERO);
        let (input, output) = (
            dims.input_len() / dims.samples,
            dims.output_len() / dims.samples,
        );
        // Some samples at a time, whose dx and dy stay in the cache through all taps.
        let chunk = (CACHE_BYTES / ((input + output) * T::BYTES)).clamp(1, dims.samples);
        for (dx, dy) in dx.chunks_mut(chunk * input).zip(dy.chunks(chunk * output)) {
            let dims = &Dims {
                samples: dx.len() / input,
                ..*dims
            };
            spread(simd, dims, prepared, dy, dx);
        }
    }
}

/// Spreads dy over dx by all taps.
#[inline(always)]
fn spread<S: Simd>(simd: S, dims: &Dims, panels: &[S::Elem], dy: &[S::Elem], dx: &mut [S::Elem]) {
    let vectors = dims.inputs_per_group().div_ceil(S::LANES);
    for group in 0..dims.groups {
        let mut vector = 0;
        while vector < vectors {
            let count = vectors_of(S::REGISTERS, vectors - vector);
            let job = Job {
                dims,
                panels,
                dy,
                group,
                vector,
            };
            match count {
                4 if S::REGISTERS >= 32 => simd.enter(Strip::<_, 4> { job, dx }),
                2 => simd.enter(Strip::<_, 2> { job, dx }),
                _ => simd.enter(Strip::<_, 1> { job, dx }),
            }
            vector += count;
        }
    }
}

/// The vectors of channels of x from `vector` on, within a group.
#[derive(Clone, Copy)]
struct Job<'a, T> {
    dims: &'a Dims,
    panels: &'a [T],
    dy: &'a [T],
    group: usize,
    vector: usize,
}

/// V vectors of channels of dx.
struct Strip<'a, T, const V: usize> {
    job: Job<'a, T>,
    dx: &'a mut [T],
}

impl<T: Float, const V: usize> Kernel<T> for Strip<'_, T, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { job, dx } = self;
        let Job {
            dims,
            panels,
            dy,
            group,
            vector,
        } = job;
        let (inputs, outputs) = (dims.inputs_per_group(), dims.outputs_per_group());
        let vectors = inputs.div_ceil(S::LANES);
        let lanes = (inputs - vector * S::LANES).min(V * S::LANES);
        let block = Block {
            data: dx.as_mut_ptr(),
            last: lanes - (V - 1) * S::LANES,
        };
        let panel = outputs * S::LANES;
        let [height, width, channels] = dims.input;
        let dx_strides = Strides {
            image: height * width * channels,
            row: dims.stride[0] * width * channels,
            column: dims.stride[1] * channels,
        };
        let [out_height, out_width, out_channels] = dims.output;
        let dy_strides = Strides {
            image: out_height * out_width * out_channels,
            row: out_width * out_channels,
            column: out_channels,
        };
        let axes = [dims.axis(0), dims.axis(1)];
        for tap in 0..dims.kernel[0] * dims.kernel[1] {
            let [kh, kw] = [tap / dims.kernel[1], tap % dims.kernel[1]];
            let places = [axes[0].places(kh), axes[1].places(kw)];
            let rectangle = [places[0].len(), places[1].len()];
            let pixels = dims.samples * rectangle[0] * rectangle[1];
            if pixels == 0 {
                continue;
            }
            let [oh, ow] = [places[0].start, places[1].start];
            let from = (oh * out_width + ow) * out_channels + group * outputs;
            let to = (axes[0].at(oh, kh) * width + axes[1].at(ow, kw)) * channels;
            let to = to + group * inputs + vector * S::LANES;
            let sum = Sum {
                x: dy.as_ptr(),
                rows: 1,
                x_row: 0,
                runs: 1,
                x_run: 0,
                len: outputs,
                w: panels
                    .as_ptr()
                    .wrapping_add(((tap * dims.groups + group) * vectors + vector) * panel),
                w_row: 0,
                w_panel: panel,
                short: None,
            };
            let mut cursor = Cursor::new(rectangle, [from, to], [dy_strides, dx_strides]);
            // SAFETY: every place of the rectangle lies in dy, and under this tap in dx; the panels hold the tap.
            unsafe { tiles::<S, V>(simd, &sum, &mut cursor, block, pixels) };
        }
    }
}

/// Computes the next `pixels` pixels.
///
/// # Safety
/// The cursor has that many places left, which lie in dy and dx; the panels hold the sum's weights.
#[inline(always)]
unsafe fn tiles<S: Simd, const V: usize>(
    simd: S,
    sum: &Sum<S::Elem>,
    cursor: &mut Cursor,
    block: Block<S::Elem>,
    pixels: usize,
) {
    let mut left = pixels;
    while left >= PIXELS[0] {
        // SAFETY: as the caller vouches; that many places are left.
        unsafe { tile::<S, { PIXELS[0] }, V>(simd, sum, cursor, block) };
        left -= PIXELS[0];
    }
    while left >= PIXELS[1] {
        // SAFETY: as above.
        unsafe { tile::<S, { PIXELS[1] }, V>(simd, sum, cursor, block) };
        left -= PIXELS[1];
    }
    while left > 0 {
        // SAFETY: as above.
        unsafe { tile::<S, 1, V>(simd, sum, cursor, block) };
        left -= 1;
    }
}

/// Computes the next P pixels.
///
/// # Safety
/// As [`tiles`].
#[inline(always)]
unsafe fn tile<S: Simd, const P: usize, const V: usize>(
    simd: S,
    sum: &Sum<S::Elem>,
    cursor: &mut Cursor,
    block: Block<S::Elem>,
) {
    let [dy, dx] = cursor.next::<P>();
    // SAFETY: the pixels lie in dx, as the caller vouches.
    let sums = unsafe { block.load::<S, P, V>(simd, dx) };
    // SAFETY: the pixels lie in dy and the panels hold the weights, as the caller vouches.
    let sums = unsafe { accumulate(simd, sum, dy, sums) };
    // SAFETY: the pixels lie in dx, as the caller vouches.
    unsafe { block.store(simd, dx, sums) };
}
