//! dx: through the pool, the activation and the normalisation in one pass.

use std::ops::Range;

use super::super::check_len;
use super::super::walk::{Epilogue, GROUP, OfGroup, Pass, Strip, V, check_rows, load, store, walk};
use super::{Affine, Norm, Winner};
use crate::elementwise::{Activation, OnVectors as _};
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// The sums of [`gradient_sums`](super::gradient_sums) over a whole batch, and its rows.
#[derive(Clone, Copy, Debug)]
pub struct BatchSums<'a, T> {
    /// Rows of the whole batch.
    pub count: T,
    /// `[channels]`, Σ dz.
    pub dz: &'a [T],
    /// `[channels]`, Σ dz · x̂.
    pub dz_normal: &'a [T],
}

/// dx from x and dy when mean and variance are those of the batch.
///
/// # Panics
/// If the lengths do not fit each other, or the windows of the pool do not tile the image.
pub fn input_gradient<T: Float>(
    norm: (Norm<'_, T>, BatchSums<'_, T>),
    epilogue: &Epilogue,
    [x, dy]: [&[T]; 2],
    dx: &mut [T],
) {
    let (norm, sums) = norm;
    norm.check();
    epilogue.check(norm.mean.len(), x.len(), dy.len());
    check_len("Σ dz", sums.dz.len(), norm.mean.len());
    check_len("Σ dz · x̂", sums.dz_normal.len(), norm.mean.len());
    check_len("dx", dx.len(), x.len());
    T::input_gradient(
        Isa::active(),
        InputGradient {
            norm,
            sums,
            epilogue,
            x,
            dy,
            dx,
        },
    );
}

pub(crate) struct InputGradient<'a, T> {
    norm: Norm<'a, T>,
    sums: BatchSums<'a, T>,
    epilogue: &'a Epilogue,
    x: &'a [T],
    dy: &'a [T],
    dx: &'a mut [T],
}

/// `dx = scale · dz + slope · (x − mean) + start`, the last two of which come of mean and variance.
struct Share<T> {
    slope: OfGroup<T>,
    start: OfGroup<T>,
}

impl<T: Float> Kernel<T> for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let epilogue = self.epilogue;
        let share = Share {
            slope: [T::ZERO; GROUP],
            start: [T::ZERO; GROUP],
        };
        walk(simd, epilogue, &mut (self, Affine::new(), share));
    }
}

impl<T: Float> Pass<T> for (InputGradient<'_, T>, Affine<T>, Share<T>) {
    #[inline(always)]
    fn begin<S: Simd<Elem = T>>(&mut self, simd: S, channels: Range<usize>) {
        let (pass, affine, share) = self;
        affine.begin(simd, &pass.norm, channels.clone());
        let one_row = simd.splat(T::ONE / pass.sums.count);
        for c in (0..channels.len()).step_by(S::LANES) {
            let own = channels.start + c..channels.end;
            let scale = simd.neg(simd.mul(simd.load_partial(&affine.scale[c..]), one_row));
            let rstd = pass.norm.rstd(simd, own.start);
            let dz = simd.mul(scale, simd.load_partial(&pass.sums.dz[own.clone()]));
            let dz_normal = simd.mul(scale, simd.load_partial(&pass.sums.dz_normal[own]));
            simd.store_partial(dz, &mut share.start[c..]);
            simd.store_partial(simd.mul(dz_normal, rstd), &mut share.slope[c..]);
        }
    }

    #[inline(always)]
    fn strip<S: Simd<Elem = T>>(
        &mut self,
        simd: S,
        strip: Strip,
        activation: Activation,
        kernel: [usize; 2],
    ) {
        let (pass, affine, share) = self;
        let affine = affine.of(simd, &strip);
        let slope: [_; V] = load(simd, &share.slope, strip.channel, V * S::LANES);
        let start: [_; V] = load(simd, &share.start, strip.channel, V * S::LANES);
        let [_, width, channels] = pass.epilogue.pool.input;
        for window in 0..strip.windows {
            let first = strip.x + window * kernel[1] * channels;
            let dy: [_; V] = load(simd, pass.dy, strip.y + window * channels, strip.width);
            let mut winner = [Winner::none(simd); V];
            for kh in 0..kernel[0] {
                for kw in 0..kernel[1] {
                    let at = first + (kh * width + kw) * channels;
                    let number = simd.splat(T::from_usize(kh * kernel[1] + kw));
                    let x: [_; V] = load(simd, pass.x, at, strip.width);
                    for v in 0..V {
                        let [_, y] = affine.at(simd, v, x[v], activation);
                        winner[v].meet(simd, kh + kw == 0, y, number);
                    }
                }
            }
            let mut peak = [simd.zero(); V];
            for v in 0..V {
                let dz = activation.backward(simd, winner[v].y, dy[v]);
                peak[v] = simd.mul_add(affine.scale[v], dz, start[v]);
            }
            for kh in 0..kernel[0] {
                for kw in 0..kernel[1] {
                    let at = first + (kh * width + kw) * channels;
                    let number = simd.splat(T::from_usize(kh * kernel[1] + kw));
                    let x: [_; V] = load(simd, pass.x, at, strip.width);
                    let mut dx = peak;
                    for v in 0..V {
                        if kernel != [1, 1] {
                            let is_winner = simd.eq(winner[v].mark, number);
                            dx[v] = simd.select(is_winner, peak[v], start[v]);
                        }
                        let centred = simd.sub(x[v], affine.mean[v]);
                        dx[v] = simd.mul_add(centred, slope[v], dx[v]);
                    }
                    store(simd, dx, pass.dx, at, strip.width);
                }
            }
        }
    }

    #[inline(always)]
    fn dropped<S: Simd<Elem = T>>(&mut self, simd: S, strip: Strip) {
        let (pass, affine, share) = self;
        let affine = affine.of(simd, &strip);
        let slope: [_; V] = load(simd, &share.slope, strip.channel, V * S::LANES);
        let start: [_; V] = load(simd, &share.start, strip.channel, V * S::LANES);
        for place in 0..strip.windows {
            let at = strip.x + place * pass.epilogue.pool.input[2];
            let x: [_; V] = load(simd, pass.x, at, strip.width);
            let mut dx = start;
            for v in 0..V {
                let centred = simd.sub(x[v], affine.mean[v]);
                dx[v] = simd.mul_add(centred, slope[v], start[v]);
            }
            store(simd, dx, pass.dx, at, strip.width);
        }
    }
}

/// dx from dz, `rows × channels`, when mean and variance are constants: inference's form.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn fixed_input_gradient<T: Float>(norm: Norm<'_, T>, dz: &[T], dx: &mut [T]) {
    norm.check();
    check_len("dx", dx.len(), dz.len());
    check_rows(dx, norm.mean.len());
    T::fixed_input_gradient(Isa::active(), FixedInputGradient { norm, dz, dx });
}

pub(crate) struct FixedInputGradient<'a, T> {
    norm: Norm<'a, T>,
    dz: &'a [T],
    dx: &'a mut [T],
}

impl<T: Float> Kernel<T> for FixedInputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { norm, dz, dx } = self;
        let channels = norm.mean.len();
        for c in (0..channels).step_by(S::LANES) {
            let weight = simd.load_partial(&norm.weight[c..]);
            let scale = simd.mul(weight, norm.rstd(simd, c));
            let end = channels.min(c + S::LANES);
            for (dz, dx) in dz.chunks(channels).zip(dx.chunks_mut(channels)) {
                let part = simd.mul(scale, simd.load_partial(&dz[c..end]));
                simd.store_partial(part, &mut dx[c..end]);
            }
        }
    }
}
