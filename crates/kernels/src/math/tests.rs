//! Error bounds in ULP over samples of all `f32` bit patterns, and the special values.

use super::{erf, erf_f64, exp, gate_sigmoid, gate_tanh, ln, sigmoid, tanh};
use crate::float::Float;
use crate::simd::{Isa, Kernel, MAX_LANES, Simd};
use std::num::NonZero;
use std::ops::Range;

/// The functions under test.
#[derive(Clone, Copy, Debug)]
enum Function {
    Exp,
    Ln,
    Tanh,
    Sigmoid,
    Erf,
    GateSigmoid,
    GateTanh,
}

use Function::{Erf, Exp, GateSigmoid, GateTanh, Ln, Sigmoid, Tanh};

const ALL: [Function; 7] = [Exp, Ln, Tanh, Sigmoid, Erf, GateSigmoid, GateTanh];

impl Function {
    #[inline(always)]
    fn vector<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        match self {
            Exp => exp(simd, x),
            Ln => ln(simd, x),
            Tanh => tanh(simd, x),
            Sigmoid => sigmoid(simd, x),
            Erf => erf(simd, x),
            GateSigmoid => gate_sigmoid(simd, x),
            GateTanh => gate_tanh(simd, x),
        }
    }

    fn exact(self, x: f64) -> f64 {
        match self {
            Exp => x.exp(),
            Ln => x.ln(),
            Tanh | GateTanh => x.tanh(),
            Sigmoid if x < 0.0 => x.exp() / (1.0 + x.exp()),
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Erf => erf_f64(x),
            GateSigmoid => 1.0 / (1.0 + (-x.clamp(-87.0, 87.0)).exp()),
        }
    }

    /// The documented bound for `f32`.
    fn bound(self) -> f64 {
        match self {
            Exp | Ln => 2.0,
            Tanh | Erf => 3.0,
            Sigmoid | GateSigmoid => 4.0,
            GateTanh => 8.0,
        }
    }
}

/// Applies a function to a slice in place.
struct Apply<'a, T>(Function, &'a mut [T]);

impl<T: Float> Kernel<T> for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        for chunk in self.1.chunks_mut(S::LANES) {
            let y = self.0.vector(simd, simd.load_partial(chunk));
            simd.store_partial(y, chunk);
        }
    }
}

/// Distance of `got` from `exact` in units of the last place of `exact` as an `f32`.
fn ulps(got: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if got == rounded || (got.is_nan() && exact.is_nan()) {
        return 0.0;
    }
    let exponent = (exact.to_bits() >> 52 & 0x7ff) as i32 - 1023;
    (f64::from(got) - exact).abs() / f64::from(exponent.clamp(-126, 127) - 23).exp2()
}

/// The largest error, and where it is.
type Worst = (f64, f32);

/// A NaN where a number belongs is the worst of all.
fn worse(a: Worst, b: Worst) -> Worst {
    if b.0 > a.0 || b.0.is_nan() { b } else { a }
}

/// The worst of a function on each level over every `stride`-th of some bit patterns.
fn worst_of(function: Function, levels: &[Isa], patterns: Range<u64>, stride: usize) -> Vec<Worst> {
    const CHUNK: usize = 4096;
    let mut worst = vec![(0.0, 0.0); levels.len()];
    let mut patterns = patterns.step_by(stride).peekable();
    while patterns.peek().is_some() {
        let x: Vec<f32> = patterns
            .by_ref()
            .take(CHUNK)
            .map(|pattern| f32::from_bits(pattern as u32))
            .collect();
        let exact: Vec<f64> = x.iter().map(|&x| function.exact(f64::from(x))).collect();
        for (isa, worst) in levels.iter().zip(&mut worst) {
            let mut y = x.clone();
            f32::dispatch_on(*isa, Apply(function, &mut y));
            for ((&x, &y), &exact) in x.iter().zip(&y).zip(&exact) {
                *worst = worse(*worst, (ulps(y, exact), x));
            }
        }
    }
    worst
}

/// The largest error of every function over every `stride`-th bit pattern, a range of them a thread.
fn sweep(stride: usize) {
    let levels: Vec<Isa> = Isa::available().collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let part = ((1 << 32) / threads).next_multiple_of(stride as u64);
    for function in ALL {
        let worst = std::thread::scope(|scope| {
            let parts: Vec<_> = (0..threads)
                .map(|thread| {
                    let patterns = thread * part..((thread + 1) * part).min(1 << 32);
                    let levels = &levels;
                    scope.spawn(move || worst_of(function, levels, patterns, stride))
                })
                .collect();
            let parts = parts.into_iter().map(|part| part.join().expect("no panic"));
            let merge = |a: Vec<Worst>, b: Vec<Worst>| {
                a.into_iter().zip(b).map(|(a, b)| worse(a, b)).collect()
            };
            parts.reduce(merge).expect("a thread")
        });
        for (isa, (worst, x)) in levels.iter().zip(worst) {
            println!("{isa} {function:?}: {worst:.3} ULP at {x:e}");
            assert!(
                worst <= function.bound(),
                "{isa} {function:?}: {worst} ULP at {x:e}"
            );
        }
    }
}

#[test]
fn errors_stay_within_the_bounds() {
    // An odd stride meets every low-order pattern; 2²² samples.
    sweep(1021);
}

#[test]
#[ignore = "exhaustive: all 2^32 floats of seven functions, ten minutes of one core"]
fn errors_stay_within_the_bounds_everywhere() {
    sweep(1);
}

#[test]
fn special_values_are_exact() {
    let infinity = f32::INFINITY;
    let cases = [
        (Exp, 0.0, 1.0),
        (Exp, -infinity, 0.0),
        (Exp, infinity, infinity),
        (Exp, 89.0, infinity),
        (Exp, -110.0, 0.0),
        (Ln, 1.0, 0.0),
        (Ln, 0.0, -infinity),
        (Ln, infinity, infinity),
        (Tanh, -0.0, -0.0),
        (Tanh, infinity, 1.0),
        (Tanh, -infinity, -1.0),
        (Sigmoid, 0.0, 0.5),
        (Sigmoid, infinity, 1.0),
        (Sigmoid, -infinity, 0.0),
        (GateSigmoid, 0.0, 0.5),
        (GateSigmoid, infinity, 1.0),
        (GateTanh, -0.0, -0.0),
        (Erf, -0.0, -0.0),
        (Erf, infinity, 1.0),
        (Erf, -infinity, -1.0),
    ];
    for isa in Isa::available() {
        for (function, x, expected) in cases {
            let mut y = [x];
            f32::dispatch_on(isa, Apply(function, &mut y));
            assert_eq!(
                y[0].to_bits(),
                expected.to_bits(),
                "{isa} {function:?}({x}) is {}",
                y[0]
            );
        }
        for function in ALL {
            let mut y = [f32::NAN];
            f32::dispatch_on(isa, Apply(function, &mut y));
            assert!(y[0].is_nan(), "{isa} {function:?}(NaN) is {}", y[0]);
        }
        let mut y = [-1.0];
        f32::dispatch_on(isa, Apply(Ln, &mut y));
        assert!(y[0].is_nan(), "{isa} ln(-1) is {}", y[0]);
    }
}

/// A lane's result depends on its own argument alone, so a partial vector gives what a full one does.
#[test]
fn lanes_do_not_meet() {
    for isa in Isa::available() {
        for function in ALL {
            let x: Vec<f32> = (0..3 * MAX_LANES + 5)
                .map(|i| 0.37 * i as f32 + 0.01)
                .collect();
            let mut whole = x.clone();
            f32::dispatch_on(isa, Apply(function, &mut whole));
            for (i, &x) in x.iter().enumerate() {
                let mut alone = [x];
                f32::dispatch_on(isa, Apply(function, &mut alone));
                assert_eq!(
                    alone[0].to_bits(),
                    whole[i].to_bits(),
                    "{isa} {function:?}({x})"
                );
            }
        }
    }
}

#[test]
fn double_precision_is_the_standard_library() {
    for function in [Exp, Ln, Tanh, Sigmoid] {
        for i in 1..2000 {
            let x = f64::from(i) * 0.013 - 13.0;
            let mut y = [x];
            f64::dispatch(Apply(function, &mut y));
            let exact = function.exact(x);
            let close = y[0] == exact || (y[0] - exact).abs() <= 1e-15 * exact.abs();
            assert!(
                close || (y[0].is_nan() && exact.is_nan()),
                "{function:?}({x}) is {}",
                y[0]
            );
        }
    }
}

/// erf by its Maclaurin series with all terms positive, 2/√π e^−x² Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)).
fn erf_series(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    let mut n = 0.0;
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

#[test]
fn erf_in_double_precision_equals_its_series() {
    for i in -7000..=7000 {
        let x = f64::from(i) / 1000.0;
        let (got, exact) = (erf_f64(x), erf_series(x));
        assert!(
            (got - exact).abs() <= 2e-15 * exact.abs(),
            "erf({x}) is {got}, expected {exact}"
        );
    }
}
