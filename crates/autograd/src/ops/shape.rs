//! Operations that move elements and compute nothing: the gradient moves back.

use crate::var::Var;
use plywood_kernels::Float;
use plywood_tensor::{Slice, Tensor};

impl<'t, T: Float> Var<'t, T> {
    /// The same elements in another shape.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    #[must_use]
    pub fn reshape(self, shape: impl AsRef<[usize]>) -> Self {
        let y = self.value().reshape(shape);
        self.tape().record(&[self], y, |step| {
            step.add(0, step.output_gradient().to_vec());
        })
    }

    /// Axes in another order: axis `a` of the result is axis `order[a]` of this.
    ///
    /// # Panics
    /// If `order` does not name every axis once.
    #[track_caller]
    #[must_use]
    pub fn permute(self, order: &[usize]) -> Self {
        let y = self.value().permute(order).to_tensor();
        let mut back = vec![0; order.len()];
        for (to, &from) in order.iter().enumerate() {
            back[from] = to;
        }
        self.tape().record(&[self], y, move |step| {
            step.add(0, step.output_gradient.permute(&back).to_vec());
        })
    }

    /// The last two axes exchanged.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    #[must_use]
    pub fn transpose(self) -> Self {
        let y = self.value().transpose().to_tensor();
        self.tape().record(&[self], y, |step| {
            step.add(0, step.output_gradient.transpose().to_vec());
        })
    }

    /// One axis run backwards.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    #[must_use]
    pub fn flip(self, axis: usize) -> Self {
        let y = self.value().flip(axis).to_tensor();
        self.tape().record(&[self], y, move |step| {
            step.add(0, step.output_gradient.flip(axis).to_vec());
        })
    }

    /// A range of one axis.
    ///
    /// # Panics
    /// If there is no such axis or the range reaches past its end.
    #[track_caller]
    #[must_use]
    pub fn slice(self, axis: usize, range: impl Into<Slice>) -> Self {
        let range = range.into();
        let y = self.value().slice(axis, range).to_tensor();
        self.tape().record(&[self], y, move |step| {
            let mut dx = Tensor::zeros(step.input(0).shape());
            dx.view_mut()
                .slice_mut(axis, range)
                .assign(step.output_gradient);
            step.add(0, dx.into_vec());
        })
    }

    /// Index `i` of `axis`; the axis disappears.
    ///
    /// # Panics
    /// If there is no such axis or index.
    #[track_caller]
    #[must_use]
    pub fn select(self, axis: usize, i: usize) -> Self {
        let y = self.value().select(axis, i).to_tensor();
        self.tape().record(&[self], y, move |step| {
            let mut dx = Tensor::zeros(step.input(0).shape());
            dx.view_mut()
                .select_mut(axis, i)
                .assign(step.output_gradient);
            step.add(0, dx.into_vec());
        })
    }

    /// Stretched to `shape` by NumPy's rules; the gradient is summed over what was stretched.
    ///
    /// # Panics
    /// If it does not stretch to that shape.
    #[track_caller]
    #[must_use]
    pub fn broadcast_to(self, shape: &[usize]) -> Self {
        let y = self.value().broadcast_to(shape).to_tensor();
        self.tape().record(&[self], y, |step| {
            let shape = step.input(0).shape();
            step.add(0, super::arithmetic::sum_to(step.output_gradient, shape));
        })
    }

    /// Zeros before and after each axis: `widths[axis]` = \[before, after\].
    ///
    /// # Panics
    /// If there is not one pair for every axis.
    #[track_caller]
    #[must_use]
    pub fn pad(self, widths: &[[usize; 2]]) -> Self {
        let x = self.value();
        assert!(
            widths.len() == x.rank(),
            "pad: {} pairs for shape {:?}",
            widths.len(),
            x.shape()
        );
        let sizes = x.shape().iter().zip(widths);
        let shape: Vec<usize> = sizes
            .clone()
            .map(|(size, [before, after])| before + size + after)
            .collect();
        let ranges: Vec<Slice> = sizes
            .map(|(size, [before, _])| Slice::from(*before..before + size))
            .collect();
        let mut y = Tensor::zeros(shape);
        y.view_mut().slices_mut(&ranges).assign(&*x);
        self.tape().record(&[self], y, move |step| {
            step.add(0, step.output_gradient.slices(&ranges).to_vec());
        })
    }

    /// The `parts` one behind the other along `axis`.
    ///
    /// # Panics
    /// If there is no part, no such axis, the parts differ in another axis, or they belong to different tapes.
    #[track_caller]
    #[must_use]
    pub fn concat(axis: usize, parts: &[Self]) -> Self {
        let values: Vec<_> = parts.iter().map(|part| part.value()).collect();
        let views: Vec<_> = values.iter().map(|value| value.view()).collect();
        let y = Tensor::concat(axis, &views);
        parts[0].tape().record(parts, y, move |step| {
            let mut start = 0;
            for i in 0..step.inputs() {
                let end = start + step.input(i).shape()[axis];
                step.add(i, step.output_gradient.slice(axis, start..end).to_vec());
                start = end;
            }
        })
    }

    /// The `parts`, all of one shape, along a new axis before `axis`.
    ///
    /// # Panics
    /// If there is no part, `axis` exceeds the number of axes, the shapes differ, or the parts belong to different tapes.
    #[track_caller]
    #[must_use]
    pub fn stack(axis: usize, parts: &[Self]) -> Self {
        let values: Vec<_> = parts.iter().map(|part| part.value()).collect();
        let views: Vec<_> = values.iter().map(|value| value.view()).collect();
        let y = Tensor::stack(axis, &views);
        parts[0].tape().record(parts, y, move |step| {
            for i in 0..step.inputs() {
                step.add(i, step.output_gradient.select(axis, i).to_vec());
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::{sample, seeded};
    use crate::{Var, gradcheck};
    use plywood_tensor::Slice;

    /// A function of one value on a tape.
    type Function = for<'t> fn(Var<'t, f64>) -> Var<'t, f64>;

    #[test]
    fn gradients_agree_with_differences() {
        let functions: [Function; 16] = [
            |x| x.reshape([x.len()]),
            |x| x.permute(&[2, 0, 1]),
            |x| x.permute(&[0, 1, 2]),
            |x| x.transpose(),
            |x| x.flip(0),
            |x| x.flip(2),
            |x| x.slice(1, 1..),
            |x| x.slice(2, Slice::step(.., 2)),
            |x| x.slice(0, 0..0),
            |x| x.select(0, 0),
            |x| x.select(1, 1),
            |x| x.broadcast_to(&[2, x.shape()[0], 2, x.shape()[2]]),
            |x| x.pad(&[[0, 0], [1, 2], [0, 3]]),
            |x| Var::concat(2, &[x, x.square(), x]),
            |x| Var::stack(1, &[x, x.sin()]),
            |x| Var::concat(0, &[x]),
        ];
        for (seed, shape) in seeded(7, [[1, 2, 1], [2, 2, 3], [3, 2, 4]]) {
            for function in functions {
                // Weighted by itself, so that an element that went astray shows.
                gradcheck(&[sample(seed, shape)], |_, v| function(v[0]).square()).unwrap();
            }
        }
        gradcheck(&[sample(1, [2, 0])], |_, v| v[0].pad(&[[1, 0], [0, 1]])).unwrap();
    }

    #[test]
    fn parts_of_different_sizes_each_get_their_own_gradient() {
        let parts = [sample(1, [2, 1]), sample(2, [2, 0]), sample(3, [2, 3])];
        gradcheck(&parts, |_, v| Var::concat(1, v).square()).unwrap();
    }
}
