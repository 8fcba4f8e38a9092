//! Tensors put together: side by side along an axis, or on top of each other along a new one.

use crate::tensor::{Tensor, TensorView};

impl<T: Copy> Tensor<T> {
    /// The `parts` one behind the other along `axis`.
    ///
    /// ```
    /// use plywood_tensor::Tensor;
    ///
    /// let a = Tensor::from_vec([2, 1], vec![1.0_f32, 2.0]);
    /// let b = Tensor::from_vec([2, 2], vec![3.0_f32, 4.0, 5.0, 6.0]);
    /// let both = Tensor::concat(1, &[a.view(), b.view()]);
    /// assert_eq!(both.to_vec(), [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no part, no such axis, or the parts differ in another axis.
    #[track_caller]
    pub fn concat(axis: usize, parts: &[TensorView<'_, T>]) -> Self {
        let first = parts.first().expect("concat: at least one part is needed");
        first.layout.check_axis(axis);
        let mut shape = first.shape().to_vec();
        for part in &parts[1..] {
            let mut expected = first.shape().to_vec();
            let does_fit = part.rank() == expected.len() && {
                expected[axis] = part.shape()[axis];
                part.shape() == expected
            };
            assert!(
                does_fit,
                "concat: shapes {:?} and {:?} differ in another axis than {axis}",
                first.shape(),
                part.shape()
            );
            shape[axis] += part.shape()[axis];
        }
        let outer: usize = shape[..axis].iter().product();
        let values: Vec<Vec<T>> = parts.iter().map(|part| part.to_vec()).collect();
        let mut data = Vec::with_capacity(shape.iter().product());
        for i in 0..outer {
            for values in &values {
                let len = values.len() / outer;
                data.extend_from_slice(&values[i * len..(i + 1) * len]);
            }
        }
        Self::from_vec(shape, data)
    }

    /// The `parts`, all of one shape, along a new axis before `axis`.
    ///
    /// # Panics
    /// If there is no part, `axis` exceeds the number of axes, or the shapes differ.
    #[track_caller]
    pub fn stack(axis: usize, parts: &[TensorView<'_, T>]) -> Self {
        let first = parts.first().expect("stack: at least one part is needed");
        for part in &parts[1..] {
            assert!(
                part.shape() == first.shape(),
                "stack: shapes {:?} and {:?} differ",
                first.shape(),
                part.shape()
            );
        }
        let mut widened = Vec::with_capacity(parts.len());
        for part in parts {
            widened.push(part.insert_axis(axis));
        }
        Self::concat(axis, &widened)
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    #[test]
    fn parts_of_any_strides_join_along_any_axis() {
        let a = Tensor::<f32>::arange(6).into_shape([2, 3]);
        let below = Tensor::concat(0, &[a.view(), a.slice(0, 1..2)]);
        assert_eq!(below.shape(), [3, 3]);
        assert_eq!(below.select(0, 2).to_vec(), [3.0, 4.0, 5.0]);
        let beside = Tensor::concat(1, &[a.transpose(), a.transpose().slice(1, 0..1)]);
        assert_eq!(
            beside.to_vec(),
            [0.0, 3.0, 0.0, 1.0, 4.0, 1.0, 2.0, 5.0, 2.0]
        );
        let nothing = Tensor::concat(1, &[a.slice(1, 0..0), a.slice(1, 3..)]);
        assert_eq!(nothing.shape(), [2, 0]);
    }

    #[test]
    fn stacking_makes_an_axis() {
        let (a, b) = (Tensor::<f32>::zeros([2]), Tensor::<f32>::ones([2]));
        assert_eq!(
            Tensor::stack(0, &[a.view(), b.view()]).to_vec(),
            [0.0, 0.0, 1.0, 1.0]
        );
        assert_eq!(
            Tensor::stack(1, &[a.view(), b.view()]).to_vec(),
            [0.0, 1.0, 0.0, 1.0]
        );
    }

    #[test]
    #[should_panic(expected = "concat: shapes [2, 3] and [3, 3] differ in another axis than 1")]
    fn shapes_that_do_not_fit_are_named() {
        let (a, b) = (Tensor::<f32>::zeros([2, 3]), Tensor::<f32>::zeros([3, 3]));
        Tensor::concat(1, &[a.view(), b.view()]);
    }
}
