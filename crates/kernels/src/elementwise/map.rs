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

/// values = f(values)
pub(crate) fn map_in_place<T: Float, F: Unary<T>>(function: F, values: &mut [T]) {
    T::dispatch(MapInPlace { function, values });
}

/// out = f(a, b)
pub(crate) fn zip<T: Float, F: Binary<T>>(function: F, a: &[T], b: &[T], out: &mut [T]) {
    T::dispatch(Zip::new(function, [a, b], out));
}

/// values = f(values, b)
pub(crate) fn zip_in_place<T: Float, F: Binary<T>>(function: F, values: &mut [T], b: &[T]) {
    T::dispatch(ZipInPlace::new(function, values, b));
}

/// out = f(a), as a kernel.
pub(crate) struct Map<'a, T, F> {
    function: F,
    a: &'a [T],
    out: &'a mut [T],
}

impl<'a, T, F> Map<'a, T, F> {
    /// # Panics
    /// If the lengths differ.
    pub(super) fn new(function: F, a: &'a [T], out: &'a mut [T]) -> Self {
        assert_eq!(a.len(), out.len(), "the lengths of input and output");
        Self { function, a, out }
    }
}

impl<T: Float, F: Unary<T>> Kernel<T> for Map<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let mut a = self.a.chunks_exact(S::LANES);
        let mut out = self.out.chunks_exact_mut(S::LANES);
        for (a, out) in a.by_ref().zip(out.by_ref()) {
            simd.store(self.function.apply(simd, simd.load(a)), out);
        }
        let a = simd.load_partial(a.remainder());
        simd.store_partial(self.function.apply(simd, a), out.into_remainder());
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
        let mut values = self.values.chunks_exact_mut(S::LANES);
        for values in values.by_ref() {
            simd.store(self.function.apply(simd, simd.load(values)), values);
        }
        let rest = values.into_remainder();
        simd.store_partial(self.function.apply(simd, simd.load_partial(rest)), rest);
    }
}

/// out = f(a, b), as a kernel.
pub(crate) struct Zip<'a, T, F> {
    function: F,
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<'a, T, F> Zip<'a, T, F> {
    /// # Panics
    /// If the lengths differ.
    pub(super) fn new(function: F, [a, b]: [&'a [T]; 2], out: &'a mut [T]) -> Self {
        assert_eq!(a.len(), b.len(), "the lengths of both inputs");
        assert_eq!(a.len(), out.len(), "the lengths of input and output");
        Self {
            function,
            a,
            b,
            out,
        }
    }
}

impl<T: Float, F: Binary<T>> Kernel<T> for Zip<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let mut a = self.a.chunks_exact(S::LANES);
        let mut b = self.b.chunks_exact(S::LANES);
        let mut out = self.out.chunks_exact_mut(S::LANES);
        for ((a, b), out) in a.by_ref().zip(b.by_ref()).zip(out.by_ref()) {
            simd.store(self.function.apply(simd, simd.load(a), simd.load(b)), out);
        }
        let (a, b) = (
            simd.load_partial(a.remainder()),
            simd.load_partial(b.remainder()),
        );
        simd.store_partial(self.function.apply(simd, a, b), out.into_remainder());
    }
}

/// values = f(values, b), as a kernel.
pub(crate) struct ZipInPlace<'a, T, F> {
    function: F,
    values: &'a mut [T],
    b: &'a [T],
}

impl<'a, T, F> ZipInPlace<'a, T, F> {
    /// # Panics
    /// If the lengths differ.
    pub(super) fn new(function: F, values: &'a mut [T], b: &'a [T]) -> Self {
        assert_eq!(values.len(), b.len(), "the lengths of input and output");
        Self {
            function,
            values,
            b,
        }
    }
}

impl<T: Float, F: Binary<T>> Kernel<T> for ZipInPlace<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let mut values = self.values.chunks_exact_mut(S::LANES);
        let mut b = self.b.chunks_exact(S::LANES);
        for (values, b) in values.by_ref().zip(b.by_ref()) {
            let (a, b) = (simd.load(values), simd.load(b));
            simd.store(self.function.apply(simd, a, b), values);
        }
        let (rest, b) = (values.into_remainder(), b.remainder());
        let (a, b) = (simd.load_partial(rest), simd.load_partial(b));
        simd.store_partial(self.function.apply(simd, a, b), rest);
    }
}
