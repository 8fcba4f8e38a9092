//! Sums, means and extremes over axes.
//!
//! ```text
//! y = Σ x       dx = dy, stretched
//! y = mean x    dx = dy / n, stretched
//! y = max x     dx = dy at the first of the largest, 0 elsewhere
//! ```

use crate::gradients::Adjoint;
use crate::var::Var;
use plywood_kernels::Float;
use plywood_tensor::Tensor;

impl<'t, T: Float> Var<'t, T> {
    /// Sums over `axes`, which disappear.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    #[must_use]
    pub fn sum(self, axes: impl AsRef<[usize]>) -> Self {
        let axes = axes.as_ref().to_vec();
        let y = self.value().sum(&axes);
        self.tape()
            .record(&[self], y, move |step| spread(step, &axes, T::ONE))
    }

    /// The sum of all elements, a value without axes.
    #[must_use]
    pub fn sum_all(self) -> Self {
        self.sum(self.all_axes())
    }

    /// Means over `axes`, which disappear.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    #[must_use]
    pub fn mean(self, axes: impl AsRef<[usize]>) -> Self {
        let axes = axes.as_ref().to_vec();
        let x = self.value();
        let y = x.mean(&axes);
        let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
        let share = T::ONE / T::from_usize(count);
        self.tape()
            .record(&[self], y, move |step| spread(step, &axes, share))
    }

    /// The mean of all elements, a value without axes.
    #[must_use]
    pub fn mean_all(self) -> Self {
        self.mean(self.all_axes())
    }

    /// Largest elements over `axes`, which disappear. The gradient goes to the first of equals.
    ///
    /// # Panics
    /// If an axis does not exist, is named twice or is empty.
    #[track_caller]
    #[must_use]
    pub fn max(self, axes: impl AsRef<[usize]>) -> Self {
        let axes = axes.as_ref().to_vec();
        let y = self.value().max(&axes);
        self.tape()
            .record(&[self], y, move |step| pick(step, &axes))
    }

    /// Smallest elements over `axes`, which disappear. The gradient goes to the first of equals.
    ///
    /// # Panics
    /// If an axis does not exist, is named twice or is empty.
    #[track_caller]
    #[must_use]
    pub fn min(self, axes: impl AsRef<[usize]>) -> Self {
        let axes = axes.as_ref().to_vec();
        let y = self.value().min(&axes);
        self.tape()
            .record(&[self], y, move |step| pick(step, &axes))
    }

    fn all_axes(self) -> Vec<usize> {
        (0..self.value().rank()).collect()
    }
}

/// `shape` with `axes` of size 1.
fn kept(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    let sizes = shape.iter().enumerate();
    sizes
        .map(|(axis, &size)| if axes.contains(&axis) { 1 } else { size })
        .collect()
}

/// Every element gets its sum's gradient times `share`.
fn spread<T: Float>(step: &mut Adjoint<'_, T>, axes: &[usize], share: T) {
    let shape = step.input(0).shape();
    let dy = step.output_gradient.reshape(kept(shape, axes));
    let dx = dy.broadcast_to(shape).iter().map(|dy| share * dy).collect();
    step.add(0, dx);
}

/// The first element that equals its extreme gets the gradient.
fn pick<T: Float>(step: &mut Adjoint<'_, T>, axes: &[usize]) {
    let x = step.input(0);
    let kept = kept(x.shape(), axes);
    let extremes = step.output().reshape(&kept);
    // The place in y of every element of x, by broadcasting y's places.
    let places = Tensor::from_fn(&kept, |place| place);
    let mut dy = step.output_gradient().to_vec();
    let mut dx = Vec::with_capacity(x.len());
    let extremes = extremes.broadcast_to(x.shape());
    for ((x, extreme), place) in x
        .iter()
        .zip(extremes.iter())
        .zip(places.broadcast_to(x.shape()).iter())
    {
        let is_extreme = x == extreme || x.is_nan();
        let own = if is_extreme {
            std::mem::take(&mut dy[place])
        } else {
            T::ZERO
        };
        dx.push(own);
    }
    step.add(0, dx);
}

#[cfg(test)]
mod tests {
    use crate::ops::{sample, seeded};
    use crate::{Tape, gradcheck};
    use plywood_tensor::Tensor;

    #[test]
    fn gradients_agree_with_differences() {
        let cases: [(&[usize], &[usize]); 8] = [
            (&[], &[]),
            (&[4], &[0]),
            (&[2, 3], &[0]),
            (&[2, 3], &[1]),
            (&[2, 3, 4], &[0, 2]),
            (&[2, 3, 4], &[1]),
            (&[1, 1], &[0, 1]),
            (&[2, 5], &[]),
        ];
        for (seed, (shape, axes)) in seeded(3, cases) {
            let x = [sample(seed, shape)];
            gradcheck(&x, |_, v| v[0].sum(axes)).unwrap();
            gradcheck(&x, |_, v| v[0].mean(axes)).unwrap();
            gradcheck(&x, |_, v| v[0].max(axes)).unwrap();
            gradcheck(&x, |_, v| v[0].min(axes)).unwrap();
            gradcheck(&x, |_, v| v[0].mean_all() * v[0].sum_all()).unwrap();
        }
        gradcheck(&[sample(3, [0, 2])], |_, v| v[0].sum([0])).unwrap();
    }

    #[test]
    fn ties_send_the_gradient_to_the_first() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from_vec(
            [2, 3],
            vec![1.0_f32, 5.0, 5.0, 2.0, 2.0, 2.0],
        ));
        let largest = x.max([1]).sum_all().backward();
        assert_eq!(largest.of(x).to_vec(), [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
        let smallest = x.min([0, 1]).backward();
        assert_eq!(smallest.of(x).to_vec(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
