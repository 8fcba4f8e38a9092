//! What every form of tensor can do without changing an element: ask, view and copy.

use crate::layout::{Layout, Slice, count};
use crate::tensor::{Storage, Tensor, TensorBase, TensorView, TensorViewMut};
use std::ops::{Index, IndexMut};

impl<S: Storage> TensorBase<S> {
    /// Sizes of the axes, the slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.layout.shape
    }

    /// Elements from one index to the next, axis by axis; negative on a flipped axis, 0 on a stretched one.
    pub fn strides(&self) -> &[isize] {
        &self.layout.strides
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape().len()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.layout.len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the elements lie one after the other in row-major order.
    pub fn is_contiguous(&self) -> bool {
        self.layout.is_contiguous()
    }

    /// The elements as a slice, if they lie one after the other in row-major order.
    pub fn as_slice(&self) -> Option<&[S::Elem]> {
        if !self.is_contiguous() {
            return None;
        }
        let len = self.len();
        let start = if len == 0 { 0 } else { self.layout.offset };
        Some(&self.storage.elements()[start..][..len])
    }

    /// A view of all of it.
    pub fn view(&self) -> TensorView<'_, S::Elem> {
        self.with_layout(self.layout.clone())
    }

    fn with_layout(&self, layout: Layout) -> TensorView<'_, S::Elem> {
        TensorBase {
            storage: self.storage.elements(),
            layout,
        }
    }

    /// A range of one axis.
    ///
    /// ```
    /// use plywood_tensor::{Slice, Tensor};
    ///
    /// let a = Tensor::<f32>::arange(6);
    /// assert_eq!(a.slice(0, 1..3).to_vec(), [1.0, 2.0]);
    /// assert_eq!(a.slice(0, Slice::step(1.., 2)).to_vec(), [1.0, 3.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis or the range reaches past its end.
    #[track_caller]
    pub fn slice(&self, axis: usize, range: impl Into<Slice>) -> TensorView<'_, S::Elem> {
        self.with_layout(self.layout.slice(axis, range.into()))
    }

    /// A range of every axis.
    ///
    /// # Panics
    /// If there is not one range for every axis, or one reaches past its end.
    #[track_caller]
    pub fn slices(&self, ranges: &[Slice]) -> TensorView<'_, S::Elem> {
        self.with_layout(self.layout.slices(ranges))
    }

    /// Index `i` of `axis`; the axis disappears.
    ///
    /// # Panics
    /// If there is no such axis or index.
    #[track_caller]
    pub fn select(&self, axis: usize, i: usize) -> TensorView<'_, S::Elem> {
        self.with_layout(self.layout.select(axis, i))
    }

    /// Axes in another order: axis `a` of the result is axis `order[a]` of this.
    ///
    /// # Panics
    /// If `order` does not name every axis once.
    #[track_caller]
    pub fn permute(&self, order: &[usize]) -> TensorView<'_, S::Elem> {
        self.with_layout(self.layout.permute(order))
    }

    /// The last two axes exchanged.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn transpose(&self) -> TensorView<'_, S::Elem> {
        let rank = self.rank();
        assert!(
            rank >= 2,
            "transpose: shape {:?} has fewer than two axes",
            self.shape()
        );
        let mut order: Vec<usize> = (0..rank).collect();
        order.swap(rank - 2, rank - 1);
        self.permute(&order)
    }

    /// One axis run backwards.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn flip(&self, axis: usize) -> TensorView<'_, S::Elem> {
        self.with_layout(self.layout.flip(axis))
    }

    /// Stretched to `shape` by NumPy's rules; nothing is copied.
    ///
    /// # Panics
    /// If it does not stretch to that shape.
    #[track_caller]
    pub fn broadcast_to(&self, shape: &[usize]) -> TensorView<'_, S::Elem> {
        self.with_layout(self.layout.broadcast_to(shape))
    }

    /// With an axis of size 1 before `axis`.
    ///
    /// # Panics
    /// If `axis` exceeds the number of axes.
    #[track_caller]
    pub fn insert_axis(&self, axis: usize) -> TensorView<'_, S::Elem> {
        self.with_layout(self.layout.insert_axis(axis))
    }

    /// The same elements in another shape; a copy, whatever the strides.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl AsRef<[usize]>) -> Tensor<S::Elem> {
        let shape = shape.as_ref();
        assert!(
            count(shape) == self.len(),
            "reshape: shape {:?} does not hold the elements of {shape:?}",
            self.shape()
        );
        Tensor::from_vec(shape, self.to_vec())
    }

    /// The elements in row-major order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = S::Elem> + '_ {
        let elements = self.storage.elements();
        self.layout.places().map(|place| elements[place])
    }

    /// A copy of the elements in row-major order.
    pub fn to_vec(&self) -> Vec<S::Elem> {
        match self.as_slice() {
            Some(slice) => slice.to_vec(),
            None => self.iter().collect(),
        }
    }

    /// An owned copy.
    pub fn to_tensor(&self) -> Tensor<S::Elem> {
        Tensor::from_vec(self.shape(), self.to_vec())
    }

    /// The only element.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[track_caller]
    pub fn item(&self) -> S::Elem {
        assert!(
            self.len() == 1,
            "item: shape {:?} holds {} elements",
            self.shape(),
            self.len()
        );
        self.storage.elements()[self.layout.offset]
    }
}

impl<T: Copy> TensorViewMut<'_, T> {
    /// A range of one axis, to change.
    ///
    /// # Panics
    /// If there is no such axis or the range reaches past its end.
    #[track_caller]
    pub fn slice_mut(&mut self, axis: usize, range: impl Into<Slice>) -> TensorViewMut<'_, T> {
        let layout = self.layout.slice(axis, range.into());
        self.with_layout_mut(layout)
    }

    /// A range of every axis, to change.
    ///
    /// # Panics
    /// If there is not one range for every axis, or one reaches past its end.
    #[track_caller]
    pub fn slices_mut(&mut self, ranges: &[Slice]) -> TensorViewMut<'_, T> {
        let layout = self.layout.slices(ranges);
        self.with_layout_mut(layout)
    }

    /// Index `i` of `axis`, to change; the axis disappears.
    ///
    /// # Panics
    /// If there is no such axis or index.
    #[track_caller]
    pub fn select_mut(&mut self, axis: usize, i: usize) -> TensorViewMut<'_, T> {
        let layout = self.layout.select(axis, i);
        self.with_layout_mut(layout)
    }

    /// Axes in another order, to change.
    ///
    /// # Panics
    /// If `order` does not name every axis once.
    #[track_caller]
    pub fn permute_mut(&mut self, order: &[usize]) -> TensorViewMut<'_, T> {
        let layout = self.layout.permute(order);
        self.with_layout_mut(layout)
    }

    fn with_layout_mut(&mut self, layout: Layout) -> TensorViewMut<'_, T> {
        TensorBase {
            storage: &mut *self.storage,
            layout,
        }
    }
}

impl<S: Storage, const RANK: usize> Index<[usize; RANK]> for TensorBase<S> {
    type Output = S::Elem;

    #[track_caller]
    fn index(&self, index: [usize; RANK]) -> &S::Elem {
        &self.storage.elements()[self.layout.place(&index)]
    }
}

impl<T: Copy, const RANK: usize> IndexMut<[usize; RANK]> for Tensor<T> {
    #[track_caller]
    fn index_mut(&mut self, index: [usize; RANK]) -> &mut T {
        let place = self.layout.place(&index);
        &mut self.storage[place]
    }
}

impl<T: Copy, const RANK: usize> IndexMut<[usize; RANK]> for TensorViewMut<'_, T> {
    #[track_caller]
    fn index_mut(&mut self, index: [usize; RANK]) -> &mut T {
        let place = self.layout.place(&index);
        &mut self.storage[place]
    }
}

impl<S: Storage, R: Storage<Elem = S::Elem>> PartialEq<TensorBase<R>> for TensorBase<S>
where
    S::Elem: PartialEq,
{
    fn eq(&self, other: &TensorBase<R>) -> bool {
        self.shape() == other.shape() && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Slice, Tensor, TensorView};

    fn counted() -> Tensor<f32> {
        Tensor::arange(12).into_shape([3, 4])
    }

    #[test]
    fn views_share_their_elements() {
        let a = counted();
        assert_eq!(a.transpose()[[1, 2]], a[[2, 1]]);
        assert_eq!(a.select(1, 3).to_vec(), [3.0, 7.0, 11.0]);
        assert_eq!(
            a.slice(1, Slice::step(.., 3)).to_vec(),
            [0.0, 3.0, 4.0, 7.0, 8.0, 11.0]
        );
        assert_eq!(a.flip(0).select(0, 0).to_vec(), [8.0, 9.0, 10.0, 11.0]);
        assert_eq!(
            a.slice(0, 1..=1).as_slice(),
            Some(&[4.0, 5.0, 6.0, 7.0][..])
        );
        assert_eq!(a.slice(1, ..1).as_slice(), None);
        assert_eq!(a.transpose().reshape([2, 6])[[0, 1]], 4.0);
        assert_eq!(a.flip(1).flip(1), a);
        let ranges = [Slice::from(1..), Slice::from(1..3)];
        assert_eq!(a.slices(&ranges).to_vec(), [5.0, 6.0, 9.0, 10.0]);
        assert_ne!(a.transpose(), a);
        assert_eq!(TensorView::from_data([2], &[1, 2]).select(0, 1).item(), 2);
    }

    #[test]
    fn changes_go_through_views() {
        let mut a = counted();
        a.view_mut().slice_mut(0, 1..).select_mut(1, 0).fill(-1.0);
        a.view_mut().permute_mut(&[1, 0])[[3, 0]] = 9.0;
        a.view_mut()
            .select_mut(0, 0)
            .slice_mut(0, 1..3)
            .apply(|x| 2.0 * x);
        let row = Tensor::from_vec([1], vec![5.0]);
        a.view_mut().select_mut(0, 2).assign(&row);
        a[[1, 1]] = 0.5;
        a.view_mut().set(&[1, 2], 0.25);
        let expected = [0.0, 2.0, 4.0, 9.0, -1.0, 0.5, 0.25, 7.0, 5.0, 5.0, 5.0, 5.0];
        assert_eq!(a.to_vec(), expected);
    }

    #[test]
    #[should_panic(expected = "index [1, 4] is outside of shape [3, 4]")]
    fn an_index_past_the_end_is_named() {
        let _ = counted()[[1, 4]];
    }

    #[test]
    #[should_panic(expected = "slice 2..5 of axis 0 is outside of shape [3, 4]")]
    fn a_range_past_the_end_is_named() {
        counted().slice(0, 2..5);
    }

    #[test]
    #[should_panic(expected = "permute: [0, 0] does not order the axes of shape [3, 4]")]
    fn an_order_names_each_axis_once() {
        counted().permute(&[0, 0]);
    }
}
