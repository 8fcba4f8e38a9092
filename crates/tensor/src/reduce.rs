//! Reductions over axes.
//!
//! Sums go through the elements in ascending row-major order and are kept in `f64`, whatever the element type; the
//! result is rounded once. So they depend on the elements alone, and a mean of many `f32` is exact to the last bits.

use crate::layout::Layout;
use crate::tensor::{Storage, Tensor, TensorBase};
use plywood_kernels::Float;

impl<S: Storage> TensorBase<S>
where
    S::Elem: Float,
{
    /// Sums over `axes`, which disappear.
    ///
    /// ```
    /// use plywood_tensor::Tensor;
    ///
    /// let a = Tensor::from_vec([2, 3], vec![1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
    /// assert_eq!(a.sum([0]).to_vec(), [5.0, 7.0, 9.0]);
    /// assert_eq!(a.sum_keep([1]).shape(), [2, 1]);
    /// assert_eq!(a.sum_all(), 21.0);
    /// ```
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn sum(&self, axes: impl AsRef<[usize]>) -> Tensor<S::Elem> {
        self.drop_axes(self.sum_keep(axes.as_ref()), axes.as_ref())
    }

    /// Sums over `axes`, which stay with size 1.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn sum_keep(&self, axes: impl AsRef<[usize]>) -> Tensor<S::Elem> {
        let sums = self.fold(axes.as_ref(), 0.0, |sum: f64, x| sum + x.to_f64());
        sums.map(S::Elem::from_f64)
    }

    /// The sum of all elements.
    pub fn sum_all(&self) -> S::Elem {
        S::Elem::from_f64(self.iter().fold(0.0, |sum, x| sum + x.to_f64()))
    }

    /// Means over `axes`, which disappear; NaN where there is nothing to take the mean of.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn mean(&self, axes: impl AsRef<[usize]>) -> Tensor<S::Elem> {
        self.drop_axes(self.mean_keep(axes.as_ref()), axes.as_ref())
    }

    /// Means over `axes`, which stay with size 1; NaN where there is nothing to take the mean of.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn mean_keep(&self, axes: impl AsRef<[usize]>) -> Tensor<S::Elem> {
        let axes = axes.as_ref();
        let sums = self.fold(axes, 0.0, |sum: f64, x| sum + x.to_f64());
        let count: usize = axes.iter().map(|&axis| self.shape()[axis]).product();
        sums.map(|sum| S::Elem::from_f64(sum / count as f64))
    }

    /// The mean of all elements; NaN if there is none.
    pub fn mean_all(&self) -> S::Elem {
        let sum = self.iter().fold(0.0, |sum, x| sum + x.to_f64());
        S::Elem::from_f64(sum / self.len() as f64)
    }

    /// Largest elements over `axes`, which disappear; NaN if one is NaN.
    ///
    /// # Panics
    /// If an axis does not exist, is named twice or is empty.
    #[track_caller]
    pub fn max(&self, axes: impl AsRef<[usize]>) -> Tensor<S::Elem> {
        self.drop_axes(self.max_keep(axes.as_ref()), axes.as_ref())
    }

    /// Largest elements over `axes`, which stay with size 1; NaN if one is NaN.
    ///
    /// # Panics
    /// If an axis does not exist, is named twice or is empty.
    #[track_caller]
    pub fn max_keep(&self, axes: impl AsRef<[usize]>) -> Tensor<S::Elem> {
        self.extreme(axes.as_ref(), S::Elem::NEG_INFINITY, |x, best| x > best)
    }

    /// Smallest elements over `axes`, which disappear; NaN if one is NaN.
    ///
    /// # Panics
    /// If an axis does not exist, is named twice or is empty.
    #[track_caller]
    pub fn min(&self, axes: impl AsRef<[usize]>) -> Tensor<S::Elem> {
        self.drop_axes(self.min_keep(axes.as_ref()), axes.as_ref())
    }

    /// Smallest elements over `axes`, which stay with size 1; NaN if one is NaN.
    ///
    /// # Panics
    /// If an axis does not exist, is named twice or is empty.
    #[track_caller]
    pub fn min_keep(&self, axes: impl AsRef<[usize]>) -> Tensor<S::Elem> {
        self.extreme(axes.as_ref(), S::Elem::INFINITY, |x, best| x < best)
    }

    /// Where the largest element lies on `axis`, which disappears: the first of equals, the first NaN if there is one.
    ///
    /// # Panics
    /// If there is no such axis or it is empty.
    #[track_caller]
    pub fn argmax(&self, axis: usize) -> Tensor<usize> {
        self.arg_extreme(axis, |x, best| x > best)
    }

    /// Where the smallest element lies on `axis`, which disappears: the first of equals, the first NaN if there is one.
    ///
    /// # Panics
    /// If there is no such axis or it is empty.
    #[track_caller]
    pub fn argmin(&self, axis: usize) -> Tensor<usize> {
        self.arg_extreme(axis, |x, best| x < best)
    }

    #[track_caller]
    fn extreme(
        &self,
        axes: &[usize],
        worst: S::Elem,
        is_better: impl Fn(S::Elem, S::Elem) -> bool,
    ) -> Tensor<S::Elem> {
        self.check_axes(axes);
        self.check_not_empty(axes);
        self.fold(axes, worst, |best, x| {
            let holds = best.is_nan() || !(x.is_nan() || is_better(x, best));
            if holds { best } else { x }
        })
    }

    #[track_caller]
    fn arg_extreme(
        &self,
        axis: usize,
        is_better: impl Fn(S::Elem, S::Elem) -> bool,
    ) -> Tensor<usize> {
        self.layout.check_axis(axis);
        self.check_not_empty(&[axis]);
        let mut order: Vec<usize> = (0..self.rank()).filter(|&a| a != axis).collect();
        let shape: Vec<usize> = order.iter().map(|&a| self.shape()[a]).collect();
        order.push(axis);
        let values = self.permute(&order).to_vec();
        let places = values.chunks_exact(self.shape()[axis]).map(|lane| {
            let better = |best: usize, (i, &x): (usize, &S::Elem)| {
                let holds = lane[best].is_nan() || !(x.is_nan() || is_better(x, lane[best]));
                if holds { best } else { i }
            };
            lane.iter().enumerate().fold(0, better)
        });
        Tensor::from_vec(shape, places.collect())
    }

    /// Folds the elements over `axes`, which stay with size 1, in ascending row-major order.
    #[track_caller]
    fn fold<A: Copy>(
        &self,
        axes: &[usize],
        start: A,
        mut function: impl FnMut(A, S::Elem) -> A,
    ) -> Tensor<A> {
        self.check_axes(axes);
        let mut shape = self.shape().to_vec();
        axes.iter().for_each(|&axis| shape[axis] = 1);
        let mut folded = Tensor::full(&shape, start);
        if self.is_empty() {
            return folded;
        }
        let target = Layout::contiguous(&shape).broadcast_to(self.shape());
        let data = folded.data_mut();
        for (place, x) in target.places().zip(self.iter()) {
            data[place] = function(data[place], x);
        }
        folded
    }

    #[track_caller]
    fn check_axes(&self, axes: &[usize]) {
        for (i, &axis) in axes.iter().enumerate() {
            self.layout.check_axis(axis);
            assert!(!axes[..i].contains(&axis), "axis {axis} is named twice");
        }
    }

    #[track_caller]
    fn check_not_empty(&self, axes: &[usize]) {
        assert!(
            axes.iter().all(|&axis| self.shape()[axis] > 0),
            "shape {:?} has no largest or smallest element over axes {axes:?}",
            self.shape()
        );
    }

    fn drop_axes(&self, kept: Tensor<S::Elem>, axes: &[usize]) -> Tensor<S::Elem> {
        let sizes = kept.shape().iter().enumerate();
        let shape: Vec<usize> = sizes
            .filter(|(axis, _)| !axes.contains(axis))
            .map(|(_, &size)| size)
            .collect();
        kept.into_shape(shape)
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    fn counted() -> Tensor<f64> {
        Tensor::arange(24).into_shape([2, 3, 4])
    }

    #[test]
    fn sums_and_means_over_any_axes() {
        let a = counted();
        assert_eq!(a.sum([0, 2]).to_vec(), [60.0, 92.0, 124.0]);
        assert_eq!(
            a.sum([1]).to_vec(),
            [12.0, 15.0, 18.0, 21.0, 48.0, 51.0, 54.0, 57.0]
        );
        assert_eq!(a.mean_keep([2]).shape(), [2, 3, 1]);
        assert_eq!(a.mean([0, 1, 2]).item(), 11.5);
        assert_eq!(a.transpose().sum([1]), a.sum([2]).to_tensor());
        assert_eq!(a.mean_all(), 11.5);
        assert_eq!(a.sum([]), a);
    }

    #[test]
    fn single_precision_sums_keep_small_terms() {
        let mut values = vec![1.0_f32; 1 << 20];
        values[0] = 16_777_216.0;
        let a = Tensor::from_vec([1 << 20], values);
        assert_eq!(a.sum_all(), 16_777_216.0 + 1_048_575.0);
    }

    #[test]
    fn extremes_take_the_first_of_equals_and_see_nan() {
        let a = Tensor::from_vec([2, 3], vec![1.0_f32, 5.0, 5.0, 2.0, 2.0, -1.0]);
        assert_eq!(a.max([1]).to_vec(), [5.0, 2.0]);
        assert_eq!(a.min([0]).to_vec(), [1.0, 2.0, -1.0]);
        assert_eq!(a.argmax(1).to_vec(), [1, 0]);
        assert_eq!(a.argmin(0).to_vec(), [0, 1, 1]);
        let b = Tensor::from_vec([3], vec![1.0, f32::NAN, 5.0]);
        assert!(b.max([0]).item().is_nan() && b.min([0]).item().is_nan());
        assert_eq!(b.argmax(0).item(), 1);
    }

    #[test]
    fn nothing_sums_to_zero() {
        let empty = Tensor::<f32>::zeros([2, 0]);
        assert_eq!(empty.sum([1]).to_vec(), [0.0, 0.0]);
        assert!(empty.mean([1])[[0]].is_nan());
        assert_eq!(empty.max([0]).shape(), [0]);
    }

    #[test]
    #[should_panic(expected = "shape [2, 0] has no largest or smallest element over axes [1]")]
    fn nothing_has_no_maximum() {
        Tensor::<f32>::zeros([2, 0]).max([1]);
    }
}
