//! The two sums over all rows that the gradients rest on, through activation and pool.

use std::ops::Range;

use super::super::check_len;
use super::super::walk::{Epilogue, Pass, Strip, V, load, store, walk};
use super::{Affine, Norm, Winner};
use crate::elementwise::{Activation, OnVectors as _};
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// Σ dz and Σ dz · x̂ over all rows, written to `sums`: the gradients of bias and weight.
///
/// # Panics
/// If the lengths do not fit each other, or the windows of the pool do not tile the image.
pub fn gradient_sums<T: Float>(
    norm: Norm<'_, T>,
    epilogue: &Epilogue,
    [x, dy]: [&[T]; 2],
    sums: [&mut [T]; 2],
) {
    norm.check();
    epilogue.check(norm.mean.len(), x.len(), dy.len());
    check_len("the gradient of the bias", sums[0].len(), norm.mean.len());
    check_len("the gradient of the weight", sums[1].len(), norm.mean.len());
    T::gradient_sums(
        Isa::active(),
        GradientSums {
            norm,
            epilogue,
            x,
            dy,
            sums,
        },
    );
}

pub(crate) struct GradientSums<'a, T> {
    norm: Norm<'a, T>,
    epilogue: &'a Epilogue,
    x: &'a [T],
    dy: &'a [T],
    /// Of dz, and of dz · (x − mean) until the end.
    sums: [&'a mut [T]; 2],
}

impl<T: Float> Kernel<T> for GradientSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let epilogue = self.epilogue;
        walk(simd, epilogue, &mut (self, Affine::new()));
    }
}

impl<T: Float> Pass<T> for (GradientSums<'_, T>, Affine<T>) {
    #[inline(always)]
    fn begin<S: Simd<Elem = T>>(&mut self, simd: S, channels: Range<usize>) {
        for sums in &mut self.0.sums {
            sums[channels.clone()].fill(T::ZERO);
        }
        self.1.begin(simd, &self.0.norm, channels);
    }

    #[inline(always)]
    fn strip<S: Simd<Elem = T>>(
        &mut self,
        simd: S,
        strip: Strip,
        activation: Activation,
        kernel: [usize; 2],
    ) {
        let (pass, affine) = self;
        let affine = affine.of(simd, &strip);
        let [_, width, channels] = pass.epilogue.pool.input;
        let own = strip.first + strip.channel;
        let mut sums: [[_; V]; 2] = [
            load(simd, pass.sums[0], own, strip.width),
            load(simd, pass.sums[1], own, strip.width),
        ];
        for window in 0..strip.windows {
            let first = strip.x + window * kernel[1] * channels;
            let dy: [_; V] = load(simd, pass.dy, strip.y + window * channels, strip.width);
            let mut winner = [Winner::none(simd); V];
            for kh in 0..kernel[0] {
                for kw in 0..kernel[1] {
                    let at = first + (kh * width + kw) * channels;
                    let x: [_; V] = load(simd, pass.x, at, strip.width);
                    for v in 0..V {
                        let [centred, y] = affine.at(simd, v, x[v], activation);
                        winner[v].meet(simd, kh + kw == 0, y, centred);
                    }
                }
            }
            for v in 0..V {
                let dz = activation.backward(simd, winner[v].y, dy[v]);
                sums[0][v] = simd.add(sums[0][v], dz);
                sums[1][v] = simd.mul_add(dz, winner[v].mark, sums[1][v]);
            }
        }
        for i in 0..2 {
            store(simd, sums[i], pass.sums[i], own, strip.width);
        }
    }

    /// x̂ is the deviation over √(var + epsilon), which waits until here.
    #[inline(always)]
    fn end<S: Simd<Elem = T>>(&mut self, simd: S, channels: Range<usize>) {
        let pass = &mut self.0;
        for c in channels.clone().step_by(S::LANES) {
            let sums = &mut pass.sums[1][c..channels.end];
            let sum = simd.mul(simd.load_partial(sums), pass.norm.rstd(simd, c));
            simd.store_partial(sum, sums);
        }
    }
}
