//! Several arrays side by side along an axis, as slices: `y = [x₀ | x₁ | …]`.
//!
//! ```text
//! for each group:  y = x₀'s part, then x₁'s part, …          dx_b = b's part of dy
//! ```

/// How arrays lie side by side: so many groups, in each of which every array has a stretch.
#[derive(Clone, Copy, Debug)]
pub struct SideBySide<'a> {
    /// Groups: the product of the sizes before the axis.
    pub groups: usize,
    /// Numbers of a stretch of each array.
    pub stretches: &'a [usize],
}

impl SideBySide<'_> {
    /// Writes array `index` to its place in `y`.
    ///
    /// # Shapes
    /// `x`: groups × its stretch; `y`: groups × all stretches.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn forward<T: Copy>(&self, index: usize, x: &[T], y: &mut [T]) {
        let (before, own, all) = self.place(index);
        assert_eq!(x.len(), self.groups * own, "an array of another length");
        assert_eq!(y.len(), self.groups * all, "a result of another length");
        if own == 0 {
            return;
        }
        for (x, y) in x.chunks_exact(own).zip(y.chunks_exact_mut(all)) {
            y[before..before + own].copy_from_slice(x);
        }
    }

    /// Takes the gradient of array `index` out of that of `y`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward<T: Copy>(&self, index: usize, dy: &[T], dx: &mut [T]) {
        let (before, own, all) = self.place(index);
        assert_eq!(dx.len(), self.groups * own, "an array of another length");
        assert_eq!(dy.len(), self.groups * all, "a result of another length");
        if own == 0 {
            return;
        }
        for (dx, dy) in dx.chunks_exact_mut(own).zip(dy.chunks_exact(all)) {
            dx.copy_from_slice(&dy[before..before + own]);
        }
    }

    /// What lies before array `index` in a group, how much it has there, and how much all have.
    fn place(&self, index: usize) -> (usize, usize, usize) {
        let before = self.stretches[..index].iter().sum();
        let all = self.stretches.iter().sum();
        (before, self.stretches[index], all)
    }
}

#[cfg(test)]
mod tests {
    use super::SideBySide;

    #[test]
    fn arrays_come_back_as_they_went() {
        let arrays = [vec![1, 2, 3, 4], vec![5, 6], vec![], vec![7, 8, 9, 10]];
        let side = SideBySide {
            groups: 2,
            stretches: &[2, 1, 0, 2],
        };
        let mut y = vec![0; 10];
        for (index, x) in arrays.iter().enumerate() {
            side.forward(index, x, &mut y);
        }
        assert_eq!(y, [1, 2, 5, 7, 8, 3, 4, 6, 9, 10]);
        for (index, x) in arrays.iter().enumerate() {
            let mut dx = vec![0; x.len()];
            side.backward(index, &y, &mut dx);
            assert_eq!(dx, *x);
        }
    }
}
