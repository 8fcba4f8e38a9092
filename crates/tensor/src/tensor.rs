//! The tensor: storage and a layout, owned or borrowed.
//!
//! One generic type carries the methods; [`Tensor`], [`TensorView`] and [`TensorViewMut`] are its three forms. Owned
//! tensors are always contiguous and row-major: whatever would change that yields a view.

use crate::layout::{Layout, count};
use plywood_kernels::Float;
use plywood_kernels::random::Random;

/// Where elements are kept: a `Vec`, a slice or a mutable slice.
pub trait Storage {
    /// The element.
    type Elem: Copy;

    /// All elements, in the order of memory.
    fn elements(&self) -> &[Self::Elem];
}

impl<T: Copy> Storage for Vec<T> {
    type Elem = T;

    fn elements(&self) -> &[T] {
        self
    }
}

impl<T: Copy> Storage for &[T] {
    type Elem = T;

    fn elements(&self) -> &[T] {
        self
    }
}

impl<T: Copy> Storage for &mut [T] {
    type Elem = T;

    fn elements(&self) -> &[T] {
        self
    }
}

/// An n-dimensional array over a storage; see [`Tensor`], [`TensorView`], [`TensorViewMut`].
#[derive(Clone)]
pub struct TensorBase<S> {
    pub(crate) storage: S,
    pub(crate) layout: Layout,
}

/// An n-dimensional array that owns its elements, row-major.
pub type Tensor<T = f32> = TensorBase<Vec<T>>;

/// An n-dimensional array that borrows its elements, with any strides.
pub type TensorView<'a, T = f32> = TensorBase<&'a [T]>;

/// An n-dimensional array that borrows its elements to change them, with any strides.
pub type TensorViewMut<'a, T = f32> = TensorBase<&'a mut [T]>;

impl<T: Copy> Tensor<T> {
    /// A tensor of `data` in row-major order.
    ///
    /// # Panics
    /// If the number of elements is not that of `shape`.
    #[track_caller]
    pub fn from_vec(shape: impl AsRef<[usize]>, data: Vec<T>) -> Self {
        let shape = shape.as_ref();
        assert!(
            count(shape) == data.len(),
            "from_vec: shape {shape:?} holds {} elements, got {}",
            count(shape),
            data.len()
        );
        Self {
            storage: data,
            layout: Layout::contiguous(shape),
        }
    }

    /// A copy of `data` in row-major order.
    ///
    /// # Panics
    /// If the number of elements is not that of `shape`.
    #[track_caller]
    pub fn from_slice(shape: impl AsRef<[usize]>, data: &[T]) -> Self {
        Self::from_vec(shape, data.to_vec())
    }

    /// A tensor without axes: one number.
    pub fn scalar(value: T) -> Self {
        Self::from_vec([], vec![value])
    }

    /// The same `value` everywhere.
    #[track_caller]
    pub fn full(shape: impl AsRef<[usize]>, value: T) -> Self {
        let len = count(shape.as_ref());
        Self::from_vec(shape, vec![value; len])
    }

    /// Element i is `function(i)`, counted in row-major order.
    #[track_caller]
    pub fn from_fn(shape: impl AsRef<[usize]>, function: impl FnMut(usize) -> T) -> Self {
        let len = count(shape.as_ref());
        Self::from_vec(shape, (0..len).map(function).collect())
    }

    /// All elements in row-major order.
    pub fn data(&self) -> &[T] {
        &self.storage
    }

    /// All elements in row-major order, to change.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.storage
    }

    /// The elements in row-major order, without a copy.
    pub fn into_vec(self) -> Vec<T> {
        self.storage
    }

    /// The same elements in another shape, without a copy.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn into_shape(self, shape: impl AsRef<[usize]>) -> Self {
        let shape = shape.as_ref();
        assert!(
            count(shape) == self.len(),
            "into_shape: shape {:?} does not hold the elements of {shape:?}",
            self.shape()
        );
        Self {
            storage: self.storage,
            layout: Layout::contiguous(shape),
        }
    }

    /// A view through which elements can be changed.
    pub fn view_mut(&mut self) -> TensorViewMut<'_, T> {
        TensorViewMut {
            storage: &mut self.storage,
            layout: self.layout.clone(),
        }
    }
}

impl<T: Float> Tensor<T> {
    /// Zeros.
    #[track_caller]
    pub fn zeros(shape: impl AsRef<[usize]>) -> Self {
        Self::full(shape, T::ZERO)
    }

    /// Ones.
    #[track_caller]
    pub fn ones(shape: impl AsRef<[usize]>) -> Self {
        Self::full(shape, T::ONE)
    }

    /// The n×n identity matrix.
    #[track_caller]
    pub fn eye(n: usize) -> Self {
        Self::from_fn([n, n], |i| if i / n == i % n { T::ONE } else { T::ZERO })
    }

    /// 0, 1, …, n − 1.
    pub fn arange(n: usize) -> Self {
        Self::from_fn([n], T::from_usize)
    }

    /// Uniform in [0, 1), the words of `random` in row-major order.
    #[track_caller]
    pub fn uniform(shape: impl AsRef<[usize]>, random: Random) -> Self {
        let mut sequence = random.sequence();
        Self::from_fn(shape, |_| sequence.uniform())
    }

    /// Standard normal, the words of `random` in row-major order.
    #[track_caller]
    pub fn normal(shape: impl AsRef<[usize]>, random: Random) -> Self {
        let mut sequence = random.sequence();
        Self::from_fn(shape, |_| sequence.normal())
    }
}

impl<'a, T: Copy> TensorView<'a, T> {
    /// A row-major view of `data`.
    ///
    /// # Panics
    /// If the number of elements is not that of `shape`.
    #[track_caller]
    pub fn from_data(shape: impl AsRef<[usize]>, data: &'a [T]) -> Self {
        let shape = shape.as_ref();
        assert!(
            count(shape) == data.len(),
            "from_data: shape {shape:?} holds {} elements, got {}",
            count(shape),
            data.len()
        );
        Self {
            storage: data,
            layout: Layout::contiguous(shape),
        }
    }
}

impl<T: Copy> TensorViewMut<'_, T> {
    /// Sets every element from the one of `source` in its place; `source` is broadcast.
    ///
    /// # Panics
    /// If `source` does not stretch to this shape.
    #[track_caller]
    pub fn assign<S: Storage<Elem = T>>(&mut self, source: &TensorBase<S>) {
        let places = self.layout.places();
        let source = source.broadcast_to(self.shape());
        for (place, value) in places.zip(source.iter()) {
            self.storage[place] = value;
        }
    }

    /// Every element becomes `function` of itself.
    pub fn apply(&mut self, mut function: impl FnMut(T) -> T) {
        for place in self.layout.places() {
            self.storage[place] = function(self.storage[place]);
        }
    }

    /// Sets every element to `value`.
    pub fn fill(&mut self, value: T) {
        self.apply(|_| value);
    }

    /// Changes one element.
    ///
    /// # Panics
    /// If `index` is outside of the shape.
    #[track_caller]
    pub fn set(&mut self, index: &[usize], value: T) {
        let place = self.layout.place(index);
        self.storage[place] = value;
    }
}
