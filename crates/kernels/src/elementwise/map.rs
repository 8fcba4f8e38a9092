//! The loops: a function of one or two vectors, applied along slices.
//!
//! Functions are types with an `#[inline(always)]` method, since a closure might not be inlined into the code of the
//! instruction set.

use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// A function of one number, on vectors.
pub(crate) trait Unary<T: Float>: Copy {
    /// f(a), lane by lane.
    fn apply<S: Simd<Elem = T>>(self, simd: S, a: S::Vector) -> S::Vector;
}

/// A function of two numbers, on vectors.
pub(crate) trait Binary<T: Float>: Copy {
    /// f(a, b), lane by lane.
    fn apply<S: Simd<Elem = T>>(self, simd: S, a: S::Vector, b: S::Vector) -> S::Vector;
}

/// out = f(a)
pub(crate) fn map<T: Float, F: Unary<T>>(function: F, a: &[T], out: &mut [T]) {
    assert_eq!(a.len(), out.len(), "the lengths of input and output");
    T::dispatch(Map { function, a, out });
}

/// values = f(values)
pub(crate) fn map_in_place<T: Float, F: Unary<T>>(function: F, values: &mut [T]) {
    T::dispatch(MapInPlace { function, values });
}

/// out = f(a, b)
pub(crate) fn zip<T: Float, F: Binary<T>>(function: F, a: &[T], b: &[T], out: &mut [T]) {
    assert_eq!(a.len(), b.len(), "the lengths of both inputs");
    assert_eq!(a.len(), out.len(), "the lengths of input and output");
    T::dispatch(Zip {
        function,
        a,
        b,
        out,
    });
}

/// values = f(values, b)
pub(crate) fn zip_in_place<T: Float, F: Binary<T>>(function: F, values: &mut [T], b: &[T]) {
    assert_eq!(values.len(), b.len(), "the lengths of input and output");
    T::dispatch(ZipInPlace {
        function,
        values,
        b,
    });
}

/// out = f(a), as a kernel.
struct Map<'a, T, F> {
    function: F,
    a: &'a [T],
    out: &'a mut [T],
}

impl<T: Float, F: Unary<T>> Kernel<T> for Map<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        for (a, out) in self.a.chunks(S::LANES).zip(self.out.chunks_mut(S::LANES)) {
            simd.store_partial(self.function.apply(simd, simd.load_partial(a)), out);
        }
    }
}

/// values = f(values), as a kernel.
pub(crate) struct MapInPlace<'a, T, F> {
    pub(crate) function: F,
    pub(crate) values: &'a mut [T],
}

impl<T: Float, F: Unary<T>> Kernel<T> for MapInPlace<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        for values in self.values.chunks_mut(S::LANES) {
            simd.store_partial(self.function.apply(simd, simd.load_partial(values)), values);
        }
    }
}

/// out = f(a, b), as a kernel.
struct Zip<'a, T, F> {
    function: F,
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: Float, F: Binary<T>> Kernel<T> for Zip<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let inputs = self.a.chunks(S::LANES).zip(self.b.chunks(S::LANES));
        for ((a, b), out) in inputs.zip(self.out.chunks_mut(S::LANES)) {
            let (a, b) = (simd.load_partial(a), simd.load_partial(b));
            simd.store_partial(self.function.apply(simd, a, b), out);
        }
    }
}

/// values = f(values, b), as a kernel.
struct ZipInPlace<'a, T, F> {
    function: F,
    values: &'a mut [T],
    b: &'a [T],
}

impl<T: Float, F: Binary<T>> Kernel<T> for ZipInPlace<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        for (values, b) in self
            .values
            .chunks_mut(S::LANES)
            .zip(self.b.chunks(S::LANES))
        {
            let (a, b) = (simd.load_partial(values), simd.load_partial(b));
            simd.store_partial(self.function.apply(simd, a, b), values);
        }
    }
}
