//! y from x: normalisation, activation and max-pool in one pass.

use std::ops::Range;

use super::super::walk::{Epilogue, Pass, Strip, V, load, store, walk};
use super::{Affine, Norm};
use crate::elementwise::Activation;
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// y from x; training and inference differ in where mean and variance come from.
///
/// # Panics
/// If the lengths do not fit each other, or the windows of the pool do not tile the image.
pub fn normalise<T: Float>(norm: Norm<'_, T>, epilogue: &Epilogue, x: &[T], y: &mut [T]) {
    norm.check();
    epilogue.check(norm.mean.len(), x.len(), y.len());
    T::normalise(
        Isa::active(),
        Normalise {
            norm,
            epilogue,
            x,
            y,
        },
    );
}

pub(crate) struct Normalise<'a, T> {
    norm: Norm<'a, T>,
    epilogue: &'a Epilogue,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Float> Kernel<T> for Normalise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let epilogue = self.epilogue;
        walk(simd, epilogue, &mut (self, Affine::new()));
    }
}

impl<T: Float> Pass<T> for (Normalise<'_, T>, Affine<T>) {
    #[inline(always)]
    fn begin<S: Simd<Elem = T>>(&mut self, simd: S, channels: Range<usize>) {
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
        for window in 0..strip.windows {
            let first = strip.x + window * kernel[1] * channels;
            let mut best = [simd.zero(); V];
            for kh in 0..kernel[0] {
                for kw in 0..kernel[1] {
                    let at = first + (kh * width + kw) * channels;
                    let x: [_; V] = load(simd, pass.x, at, strip.width);
                    for v in 0..V {
                        let [_, y] = affine.at(simd, v, x[v], activation);
                        best[v] = if kh + kw == 0 {
                            y
                        } else {
                            larger(simd, best[v], y)
                        };
                    }
                }
            }
            let at = strip.y + window * channels;
            store(simd, best, pass.y, at, strip.width);
        }
    }
}

/// The larger one; of equal ones the first, but a NaN wins, as in the pool that stands alone.
#[inline(always)]
fn larger<S: Simd>(simd: S, best: S::Vector, challenger: S::Vector) -> S::Vector {
    let larger = simd.select(simd.lt(best, challenger), challenger, best);
    simd.select(simd.eq(challenger, challenger), larger, challenger)
}
