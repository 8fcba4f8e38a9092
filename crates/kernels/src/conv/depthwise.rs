//! The depthwise kernels: every channel has a kernel of its own, so vectors run over channels and nothing is broadcast.
//!
//! The sums are those of the direct kernels with one channel in and one out in each group: a tap at a time, in
//! ascending order, starting from 0 (from dw for the weight gradient). Four vectors of channels are under way at once.

use super::activate::Activate;
use super::forward::x_strides;
use super::tile::{Block, Cursor, Strides};
use super::{Depthwise, Dims, Forward, InputGradient, WeightGradient};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// Vectors of channels under way at once.
const VECTORS: usize = 4;

/// A pass that treats channels alike, some vectors of them at a time.
trait Strips<T: Float> {
    /// Channels to treat.
    fn channels(&self) -> usize;

    /// Treats the V vectors of channels at `strip`.
    fn strip<S: Simd<Elem = T>, const V: usize>(&mut self, simd: S, strip: Strip);
}

/// Treats all channels of a pass.
#[inline(always)]
fn for_each_strip<S: Simd, P: Strips<S::Elem>>(simd: S, pass: &mut P) {
    let (mut channel, channels) = (0, pass.channels());
    while channel < channels {
        let left = channels - channel;
        if left >= VECTORS * S::LANES {
            pass.strip::<S, VECTORS>(
                simd,
                Strip {
                    channel,
                    last: S::LANES,
                },
            );
            channel += VECTORS * S::LANES;
        } else {
            pass.strip::<S, 1>(
                simd,
                Strip {
                    channel,
                    last: left.min(S::LANES),
                },
            );
            channel += S::LANES;
        }
    }
}

/// Some vectors of channels from `channel` on, of the last one `last` lanes.
#[derive(Clone, Copy)]
struct Strip {
    channel: usize,
    last: usize,
}

impl<T: Float> Kernel<T> for Depthwise<Forward<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let mut pass = self.0;
        for_each_strip(simd, &mut pass);
        simd.enter(Activate {
            activation: pass.epilogue.activation,
            values: pass.y,
        });
    }
}

/// Sums and bias of a strip of channels at all places.
impl<T: Float> Strips<T> for Forward<'_, T> {
    fn channels(&self) -> usize {
        self.dims.output[2]
    }

    #[inline(always)]
    fn strip<S: Simd<Elem = T>, const V: usize>(&mut self, simd: S, strip: Strip) {
        let dims = self.dims;
        let [height, width, channels] = dims.input;
        let axes = [dims.axis(0), dims.axis(1)];
        let y = Block {
            data: self.y.as_mut_ptr(),
            last: strip.last,
        };
        let x = read_only(self.x, strip);
        let weight = read_only(self.weight, strip);
        let bias = self.epilogue.bias.map(|bias| {
            let bias = read_only(bias, strip);
            // SAFETY: the strip's channels lie in the bias, which is only read.
            unsafe { bias.load::<S, 1, V>(simd, [strip.channel]) }
        });
        for place in 0..dims.places() {
            let (row, ow) = (place / dims.output[1], place % dims.output[1]);
            let (n, oh) = (row / dims.output[0], row % dims.output[0]);
            let mut sums = [[simd.zero(); V]; 1];
            for kh in axes[0].taps(oh) {
                let row = (n * height + axes[0].at(oh, kh)) * width;
                for kw in axes[1].taps(ow) {
                    let at_x = (row + axes[1].at(ow, kw)) * channels + strip.channel;
                    let at_w = (kh * dims.kernel[1] + kw) * channels + strip.channel;
                    // SAFETY: the tap lies in x and the strip in its channels; both are only read.
                    let (x, w) = unsafe {
                        (
                            x.load::<S, 1, V>(simd, [at_x]),
                            weight.load::<S, 1, V>(simd, [at_w]),
                        )
                    };
                    sums = multiply_add(simd, x, w, sums);
                }
            }
            if let Some(bias) = bias {
                for v in 0..V {
                    sums[0][v] = simd.add(sums[0][v], bias[0][v]);
                }
            }
            // SAFETY: the place lies in y and the strip in its channels.
            unsafe { y.store(simd, [place * channels + strip.channel], sums) };
        }
    }
}

impl<T: Float> Kernel<T> for Depthwise<WeightGradient<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let mut pass = self.0;
        for_each_strip(simd, &mut pass);
    }
}

/// The gradient of a strip of channels of every tap.
impl<T: Float> Strips<T> for WeightGradient<'_, T> {
    fn channels(&self) -> usize {
        self.dims.output[2]
    }

    #[inline(always)]
    fn strip<S: Simd<Elem = T>, const V: usize>(&mut self, simd: S, strip: Strip) {
        let dims = self.dims;
        let x = read_only(self.x, strip);
        let dy = read_only(self.dy, strip);
        let dweight = Block {
            data: self.dweight.as_mut_ptr(),
            last: strip.last,
        };
        for tap in 0..dims.kernel[0] * dims.kernel[1] {
            let (mut cursor, pixels) = places_of(dims, tap, strip.channel);
            let at_w = [tap * dims.output[2] + strip.channel];
            // SAFETY: the tap lies in dw and the strip in its channels.
            let mut sums = unsafe { dweight.load::<S, 1, V>(simd, at_w) };
            for _ in 0..pixels {
                let [at_dy, at_x] = cursor.next::<1>();
                // SAFETY: the place lies in dy and under this tap in x, the strip in their channels; both are only read.
                let (x, dy) = unsafe {
                    (
                        x.load::<S, 1, V>(simd, at_x),
                        dy.load::<S, 1, V>(simd, at_dy),
                    )
                };
                sums = multiply_add(simd, x, dy, sums);
            }
            // SAFETY: as above.
            unsafe { dweight.store(simd, at_w, sums) };
        }
    }
}

impl<T: Float> Kernel<T> for Depthwise<InputGradient<'_, T>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let mut pass = self.0;
        pass.dx.fill(T::ZERO);
        for_each_strip(simd, &mut pass);
    }
}

/// dx of a strip of channels, tap by tap.
impl<T: Float> Strips<T> for InputGradient<'_, T> {
    fn channels(&self) -> usize {
        self.dims.output[2]
    }

    #[inline(always)]
    fn strip<S: Simd<Elem = T>, const V: usize>(&mut self, simd: S, strip: Strip) {
        let dims = self.dims;
        let weight = read_only(self.weight, strip);
        let dy = read_only(self.dy, strip);
        let dx = Block {
            data: self.dx.as_mut_ptr(),
            last: strip.last,
        };
        for tap in 0..dims.kernel[0] * dims.kernel[1] {
            let (mut cursor, pixels) = places_of(dims, tap, strip.channel);
            // SAFETY: the tap lies in the weight and the strip in its channels; it is only read.
            let w = unsafe { weight.load::<S, 1, V>(simd, [tap * dims.output[2] + strip.channel]) };
            for _ in 0..pixels {
                let [at_dy, at_dx] = cursor.next::<1>();
                // SAFETY: the place lies in dy, which is only read, and under this tap in dx; the strip in their channels.
                unsafe {
                    let sums = multiply_add(simd, dy.load(simd, at_dy), w, dx.load(simd, at_dx));
                    dx.store(simd, at_dx, sums);
                }
            }
        }
    }
}

/// A block of which nothing is written.
#[inline(always)]
fn read_only<T>(data: &[T], strip: Strip) -> Block<T> {
    Block {
        data: data.as_ptr().cast_mut(),
        last: strip.last,
    }
}

/// The places of all samples whose tap lies inside, in dy and in x, and how many there are.
#[inline(always)]
fn places_of(dims: &Dims, tap: usize, channel: usize) -> (Cursor, usize) {
    let axes = [dims.axis(0), dims.axis(1)];
    let [kh, kw] = [tap / dims.kernel[1], tap % dims.kernel[1]];
    let places = [axes[0].places(kh), axes[1].places(kw)];
    let rectangle = [places[0].len(), places[1].len()];
    let pixels = dims.samples * rectangle[0] * rectangle[1];
    let start = if pixels == 0 {
        [0; 2]
    } else {
        let [oh, ow] = [places[0].start, places[1].start];
        let in_y = oh * dims.output[1] + ow;
        let in_x = axes[0].at(oh, kh) * dims.input[1] + axes[1].at(ow, kw);
        [in_y, in_x].map(|place| place * dims.output[2] + channel)
    };
    let [height, width, channels] = dims.output;
    let y_strides = Strides {
        image: height * width * channels,
        row: width * channels,
        column: channels,
    };
    (
        Cursor::new(rectangle, start, [y_strides, x_strides(dims)]),
        pixels,
    )
}

#[inline(always)]
fn multiply_add<S: Simd, const V: usize>(
    simd: S,
    a: [[S::Vector; V]; 1],
    b: [[S::Vector; V]; 1],
    mut sums: [[S::Vector; V]; 1],
) -> [[S::Vector; V]; 1] {
    for v in 0..V {
        sums[0][v] = simd.mul_add(a[0][v], b[0][v], sums[0][v]);
    }
    sums
}
