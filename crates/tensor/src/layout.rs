//! Where the elements of a tensor lie: shape, strides and offset, and the rules that change them.
//!
//! A layout is the whole of indexing: views, slices, transposition and broadcasting only make another layout over the
//! same elements. The rules are NumPy's.

use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo};

/// Shape, strides and the place of the first element.
///
/// Element (i₀, i₁, …) lies at `offset + Σ iₐ·strides[a]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<isize>,
    pub(crate) offset: usize,
}

/// A range of an axis, every `step`-th index of it.
///
/// Ranges convert: `1..4`, `2..`, `..3`, `..`; [`Slice::step`] skips.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    start: usize,
    end: Option<usize>,
    step: usize,
}

impl Slice {
    /// Every `step`-th index of `range`, the first included.
    ///
    /// # Panics
    /// If `step` is 0.
    #[track_caller]
    pub fn step(range: impl Into<Self>, step: usize) -> Self {
        assert!(step > 0, "slice: a step of 0");
        Self {
            step,
            ..range.into()
        }
    }

    /// Start and number of indices on an axis of `len`; `None` if it reaches past the end.
    fn on(self, len: usize) -> Option<(usize, usize)> {
        let end = self.end.unwrap_or(len);
        (self.start <= end && end <= len)
            .then(|| (self.start, (end - self.start).div_ceil(self.step)))
    }
}

impl From<Range<usize>> for Slice {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: Some(range.end),
            step: 1,
        }
    }
}

impl From<RangeInclusive<usize>> for Slice {
    fn from(range: RangeInclusive<usize>) -> Self {
        Self::from(*range.start()..*range.end() + 1)
    }
}

impl From<RangeFrom<usize>> for Slice {
    fn from(range: RangeFrom<usize>) -> Self {
        Self {
            start: range.start,
            end: None,
            step: 1,
        }
    }
}

impl From<RangeTo<usize>> for Slice {
    fn from(range: RangeTo<usize>) -> Self {
        Self::from(0..range.end)
    }
}

impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Self {
        Self::from(0..)
    }
}

/// Number of elements of a shape.
///
/// # Panics
/// If it overflows.
#[track_caller]
pub(crate) fn count(shape: &[usize]) -> usize {
    if shape.contains(&0) {
        return 0;
    }
    let product = shape
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size));
    product.expect("a shape's elements fit an address space")
}

/// The shape two operands meet in: aligned at the last axis, equal sizes or a size of 1 stretched to the other.
///
/// ```
/// use plywood_tensor::broadcast_shape;
///
/// assert_eq!(broadcast_shape(&[4, 1, 3], &[2, 1]), Some(vec![4, 2, 3]));
/// assert_eq!(broadcast_shape(&[2, 3], &[2]), None);
/// ```
#[must_use]
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    (0..rank)
        .map(|axis| {
            let size = |shape: &[usize]| {
                (axis + shape.len())
                    .checked_sub(rank)
                    .map_or(1, |i| shape[i])
            };
            match (size(a), size(b)) {
                (x, y) if x == y => Some(x),
                (1, other) | (other, 1) => Some(other),
                _ => None,
            }
        })
        .collect()
}

impl Layout {
    /// Row-major from offset 0.
    pub(crate) fn contiguous(shape: &[usize]) -> Self {
        let mut strides = vec![0; shape.len()];
        let mut stride = 1;
        for (place, &size) in strides.iter_mut().zip(shape).rev() {
            *place = stride;
            stride *= size.max(1) as isize;
        }
        Self {
            shape: shape.to_vec(),
            strides,
            offset: 0,
        }
    }

    /// Whether the elements lie one after the other in row-major order; where they start does not matter.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if size == 0 {
                return true;
            }
            if size != 1 && stride != expected {
                return false;
            }
            expected *= size as isize;
        }
        true
    }

    pub(crate) fn len(&self) -> usize {
        count(&self.shape)
    }

    /// The place of the element at `index`.
    #[track_caller]
    pub(crate) fn place(&self, index: &[usize]) -> usize {
        let is_inside = index.len() == self.shape.len()
            && index.iter().zip(&self.shape).all(|(i, size)| i < size);
        assert!(
            is_inside,
            "index {index:?} is outside of shape {:?}",
            self.shape
        );
        let moved: isize = index
            .iter()
            .zip(&self.strides)
            .map(|(&i, &stride)| i as isize * stride)
            .sum();
        self.offset.wrapping_add_signed(moved)
    }

    #[track_caller]
    pub(crate) fn check_axis(&self, axis: usize) {
        assert!(
            axis < self.shape.len(),
            "axis {axis} of shape {:?}, which has {}",
            self.shape,
            self.shape.len()
        );
    }

    #[track_caller]
    pub(crate) fn slice(&self, axis: usize, slice: Slice) -> Self {
        self.check_axis(axis);
        let Some((start, len)) = slice.on(self.shape[axis]) else {
            panic!(
                "slice {}..{} of axis {axis} is outside of shape {:?}",
                slice.start,
                slice.end.map_or_else(String::new, |end| end.to_string()),
                self.shape
            )
        };
        let mut sliced = self.clone();
        if len > 0 {
            sliced.offset = sliced
                .offset
                .wrapping_add_signed(start as isize * self.strides[axis]);
        }
        sliced.shape[axis] = len;
        sliced.strides[axis] *= slice.step as isize;
        sliced
    }

    #[track_caller]
    pub(crate) fn slices(&self, ranges: &[Slice]) -> Self {
        assert!(
            ranges.len() == self.shape.len(),
            "slices: {} ranges for shape {:?}",
            ranges.len(),
            self.shape
        );
        let mut sliced = self.clone();
        for (axis, &range) in ranges.iter().enumerate() {
            sliced = sliced.slice(axis, range);
        }
        sliced
    }

    /// Without `axis`, at index `i` of it.
    #[track_caller]
    pub(crate) fn select(&self, axis: usize, i: usize) -> Self {
        self.check_axis(axis);
        assert!(
            i < self.shape[axis],
            "index {i} of axis {axis} is outside of shape {:?}",
            self.shape
        );
        let mut selected = self.slice(axis, Slice::from(i..i + 1));
        selected.shape.remove(axis);
        selected.strides.remove(axis);
        selected
    }

    /// Axis `a` of the result is axis `order[a]` of this one.
    #[track_caller]
    pub(crate) fn permute(&self, order: &[usize]) -> Self {
        let mut seen = vec![false; self.shape.len()];
        let is_permutation = order.len() == seen.len()
            && order
                .iter()
                .all(|&axis| axis < seen.len() && !std::mem::replace(&mut seen[axis], true));
        assert!(
            is_permutation,
            "permute: {order:?} does not order the axes of shape {:?}",
            self.shape
        );
        Self {
            shape: order.iter().map(|&axis| self.shape[axis]).collect(),
            strides: order.iter().map(|&axis| self.strides[axis]).collect(),
            offset: self.offset,
        }
    }

    /// The same axis run backwards.
    #[track_caller]
    pub(crate) fn flip(&self, axis: usize) -> Self {
        self.check_axis(axis);
        let mut flipped = self.clone();
        let last = self.shape[axis].saturating_sub(1) as isize;
        flipped.offset = flipped
            .offset
            .wrapping_add_signed(last * self.strides[axis]);
        flipped.strides[axis] = -self.strides[axis];
        flipped
    }

    /// Stretched to `shape`: axes of 1 are repeated by a stride of 0.
    #[track_caller]
    pub(crate) fn broadcast_to(&self, shape: &[usize]) -> Self {
        assert!(
            broadcast_shape(&self.shape, shape).as_deref() == Some(shape),
            "broadcast: shape {:?} does not stretch to {shape:?}",
            self.shape
        );
        let new_axes = shape.len() - self.shape.len();
        let mut strides = vec![0; new_axes];
        strides.extend(
            self.shape
                .iter()
                .zip(&self.strides)
                .map(|(&size, &stride)| if size == 1 { 0 } else { stride }),
        );
        Self {
            shape: shape.to_vec(),
            strides,
            offset: self.offset,
        }
    }

    /// With an axis of 1 inserted before `axis`.
    #[track_caller]
    pub(crate) fn insert_axis(&self, axis: usize) -> Self {
        assert!(
            axis <= self.shape.len(),
            "insert_axis: place {axis} in shape {:?}",
            self.shape
        );
        let mut inserted = self.clone();
        inserted.shape.insert(axis, 1);
        inserted.strides.insert(axis, 0);
        inserted
    }

    /// The places of all elements in row-major order.
    pub(crate) fn places(&self) -> Places {
        Places {
            left: self.len(),
            place: self.offset,
            index: vec![0; self.shape.len()],
            shape: self.shape.clone(),
            strides: self.strides.clone(),
        }
    }
}

/// The places of a layout's elements in row-major order.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    left: usize,
    place: usize,
    index: Vec<usize>,
    shape: Vec<usize>,
    strides: Vec<isize>,
}

impl Iterator for Places {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let place = self.place;
        for axis in (0..self.shape.len()).rev() {
            self.index[axis] += 1;
            self.place = self.place.wrapping_add_signed(self.strides[axis]);
            if self.index[axis] < self.shape[axis] {
                break;
            }
            self.index[axis] = 0;
            self.place = self
                .place
                .wrapping_add_signed(-(self.shape[axis] as isize) * self.strides[axis]);
        }
        Some(place)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Places {}

#[cfg(test)]
mod tests {
    use super::{Layout, Slice, broadcast_shape};

    #[test]
    fn row_major_places_are_consecutive() {
        let layout = Layout::contiguous(&[2, 3, 4]);
        assert_eq!(layout.strides, [12, 4, 1]);
        assert!(layout.places().eq(0..24));
        assert_eq!(layout.place(&[1, 2, 3]), 23);
    }

    #[test]
    fn slices_permutations_and_flips_compose() {
        let layout = Layout::contiguous(&[3, 4])
            .permute(&[1, 0])
            .slice(0, Slice::step(1.., 2))
            .flip(1);
        assert_eq!(layout.shape, [2, 3]);
        assert!(layout.places().eq([9, 5, 1, 11, 7, 3]));
        assert!(!layout.is_contiguous());
    }

    #[test]
    fn empty_shapes_have_no_places_and_scalars_one() {
        assert_eq!(Layout::contiguous(&[2, 0, 3]).places().count(), 0);
        assert!(Layout::contiguous(&[]).places().eq([0]));
        assert_eq!(
            Layout::contiguous(&[2, 3]).slice(1, Slice::from(3..)).len(),
            0
        );
    }

    #[test]
    fn broadcasting_follows_numpy() {
        assert_eq!(broadcast_shape(&[3], &[2, 3]), Some(vec![2, 3]));
        assert_eq!(broadcast_shape(&[], &[2]), Some(vec![2]));
        assert_eq!(broadcast_shape(&[0], &[1]), Some(vec![0]));
        assert_eq!(broadcast_shape(&[3], &[2]), None);
        let stretched = Layout::contiguous(&[2, 1]).broadcast_to(&[3, 2, 2]);
        assert!(stretched.places().eq([0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]));
    }
}
