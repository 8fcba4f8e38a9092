//! Several arrays side by side along an axis, as slices: `y = [x₀ | x₁ | …]`.
//!
//! ```text
//! for each group:  y = x₀'s part, then x₁'s part, …          dx_b = b's part of dy
//! ```

/// How one of several arrays lies among the others: so many groups, in each of which every array has a stretch.
#[derive(Clone, Copy, Debug)]
pub struct SideBySide {
    /// Groups: the product of the sizes before the axis.
    pub groups: usize,
    /// Numbers of a group that belong to the arrays before this one.
    pub before: usize,
    /// Numbers of a group that belong to this one.
    pub own: usize,
    /// Numbers of a group.
    pub all: usize,
}

impl SideBySide {
    /// Writes the array to its place in `y`.
    ///
    /// # Shapes
    /// `x`: groups × own; `y`: groups × all.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn forward<T: Copy>(self, x: &[T], y: &mut [T]) {
        self.check(x.len(), y.len());
        for group in 0..self.groups {
            let to = group * self.all + self.before;
            y[to..to + self.own].copy_from_slice(&x[group * self.own..][..self.own]);
        }
    }

    /// Takes the gradient of the array out of that of `y`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward<T: Copy>(self, dy: &[T], dx: &mut [T]) {
        self.check(dx.len(), dy.len());
        for group in 0..self.groups {
            let from = group * self.all + self.before;
            dx[group * self.own..][..self.own].copy_from_slice(&dy[from..from + self.own]);
        }
    }

    fn check(self, array: usize, all: usize) {
        assert_eq!(array, self.groups * self.own, "an array of another length");
        assert_eq!(all, self.groups * self.all, "a result of another length");
    }
}

#[cfg(test)]
mod tests {
    use super::SideBySide;

    #[test]
    fn arrays_come_back_as_they_went() {
        let arrays = [vec![1, 2, 3, 4], vec![5, 6], vec![], vec![7, 8, 9, 10]];
        let places = [(0, 2), (2, 1), (3, 0), (3, 2)].map(|(before, own)| SideBySide {
            groups: 2,
            before,
            own,
            all: 5,
        });
        let mut y = vec![0; 10];
        for (place, x) in places.iter().zip(&arrays) {
            place.forward(x, &mut y);
        }
        assert_eq!(y, [1, 2, 5, 7, 8, 3, 4, 6, 9, 10]);
        for (place, x) in places.iter().zip(&arrays) {
            let mut dx = vec![0; x.len()];
            place.backward(&y, &mut dx);
            assert_eq!(dx, *x);
        }
    }
}
