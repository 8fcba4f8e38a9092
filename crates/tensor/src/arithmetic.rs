//! Arithmetic with broadcasting: `map`, `zip` and the operators.
//!
//! Operands meet by NumPy's rules ([`broadcast_shape`]). Operators take tensors, views and references to them, and
//! numbers on either side.

use crate::layout::broadcast_shape;
use crate::tensor::{Storage, Tensor, TensorBase};
use plywood_kernels::Float;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

impl<S: Storage> TensorBase<S> {
    /// `function` of every element.
    pub fn map<U: Copy>(&self, mut function: impl FnMut(S::Elem) -> U) -> Tensor<U> {
        let values = match self.as_slice() {
            Some(slice) => slice.iter().map(|&x| function(x)).collect(),
            None => self.iter().map(function).collect(),
        };
        Tensor::from_vec(self.shape(), values)
    }

    /// `function` of every pair of elements that broadcasting brings together.
    ///
    /// ```
    /// use plywood_tensor::Tensor;
    ///
    /// let rows = Tensor::from_vec([2, 1], vec![10.0_f32, 20.0]);
    /// let columns = Tensor::from_vec([3], vec![1.0_f32, 2.0, 3.0]);
    /// let larger = rows.zip(&columns, |a, b| a + b);
    /// assert_eq!(larger.to_vec(), [11.0, 12.0, 13.0, 21.0, 22.0, 23.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not meet.
    #[track_caller]
    pub fn zip<R: Storage, U: Copy>(
        &self,
        other: &TensorBase<R>,
        mut function: impl FnMut(S::Elem, R::Elem) -> U,
    ) -> Tensor<U> {
        if let (true, Some(a), Some(b)) = (
            self.shape() == other.shape(),
            self.as_slice(),
            other.as_slice(),
        ) {
            let values = a.iter().zip(b).map(|(&a, &b)| function(a, b)).collect();
            return Tensor::from_vec(self.shape(), values);
        }
        let Some(shape) = broadcast_shape(self.shape(), other.shape()) else {
            panic!(
                "shapes {:?} and {:?} do not broadcast",
                self.shape(),
                other.shape()
            )
        };
        let (a, b) = (self.broadcast_to(&shape), other.broadcast_to(&shape));
        let values = a.iter().zip(b.iter()).map(|(a, b)| function(a, b));
        Tensor::from_vec(&shape, values.collect())
    }
}

impl<S: Storage> TensorBase<S>
where
    S::Elem: Float,
{
    /// Whether the shapes are equal and |self − other| ≤ atol + rtol·|other| everywhere.
    pub fn all_close<R: Storage<Elem = S::Elem>>(
        &self,
        other: &TensorBase<R>,
        rtol: f64,
        atol: f64,
    ) -> bool {
        self.shape() == other.shape()
            && self.iter().zip(other.iter()).all(|(a, b)| {
                let (a, b) = (a.to_f64(), b.to_f64());
                a == b || (a - b).abs() <= atol + rtol * b.abs()
            })
    }
}

impl<T: Float> Tensor<T> {
    /// Every element becomes `function` of itself and the one of `other` in its place; `other` is broadcast.
    ///
    /// # Panics
    /// If `other` does not stretch to this shape.
    #[track_caller]
    pub fn zip_assign<R: Storage>(
        &mut self,
        other: &TensorBase<R>,
        mut function: impl FnMut(T, R::Elem) -> T,
    ) {
        let other = other.broadcast_to(self.shape());
        for (x, y) in self.storage.iter_mut().zip(other.iter()) {
            *x = function(*x, y);
        }
    }
}

/// Implements an operator between tensors, whether owned or borrowed, and its assigning form.
macro_rules! operator {
    ($trait:ident $method:ident, $assign:ident $assign_method:ident, $($left:ty, $right:ty);+) => {
        $(impl<S: Storage, R: Storage<Elem = S::Elem>> $trait<$right> for $left
        where
            S::Elem: Float,
        {
            type Output = Tensor<S::Elem>;

            #[track_caller]
            fn $method(self, other: $right) -> Tensor<S::Elem> {
                self.zip(&other, |a, b| $trait::$method(a, b))
            }
        })+

        impl<T: Float, R: Storage<Elem = T>> $assign<&TensorBase<R>> for Tensor<T> {
            #[track_caller]
            fn $assign_method(&mut self, other: &TensorBase<R>) {
                self.zip_assign(other, |a, b| $trait::$method(a, b));
            }
        }
    };
    ($($trait:ident $method:ident, $assign:ident $assign_method:ident;)+) => {
        $(operator!($trait $method, $assign $assign_method,
            TensorBase<S>, TensorBase<R>; TensorBase<S>, &TensorBase<R>;
            &TensorBase<S>, TensorBase<R>; &TensorBase<S>, &TensorBase<R>);)+
    };
}

operator! {
    Add add, AddAssign add_assign;
    Sub sub, SubAssign sub_assign;
    Mul mul, MulAssign mul_assign;
    Div div, DivAssign div_assign;
}

/// Implements an operator between a tensor and a number.
macro_rules! scalar_operator {
    ($($trait:ident $method:ident, $assign:ident $assign_method:ident for $t:ty;)+) => {$(
        impl<S: Storage<Elem = $t>> $trait<$t> for TensorBase<S> {
            type Output = Tensor<$t>;

            fn $method(self, number: $t) -> Tensor<$t> {
                self.map(|x| $trait::$method(x, number))
            }
        }

        impl<S: Storage<Elem = $t>> $trait<$t> for &TensorBase<S> {
            type Output = Tensor<$t>;

            fn $method(self, number: $t) -> Tensor<$t> {
                self.map(|x| $trait::$method(x, number))
            }
        }

        impl<S: Storage<Elem = $t>> $trait<&TensorBase<S>> for $t {
            type Output = Tensor<$t>;

            fn $method(self, tensor: &TensorBase<S>) -> Tensor<$t> {
                tensor.map(|x| $trait::$method(self, x))
            }
        }

        impl $assign<$t> for Tensor<$t> {
            fn $assign_method(&mut self, number: $t) {
                self.storage.iter_mut().for_each(|x| *x = $trait::$method(*x, number));
            }
        }
    )+};
}

scalar_operator! {
    Add add, AddAssign add_assign for f32;
    Add add, AddAssign add_assign for f64;
    Sub sub, SubAssign sub_assign for f32;
    Sub sub, SubAssign sub_assign for f64;
    Mul mul, MulAssign mul_assign for f32;
    Mul mul, MulAssign mul_assign for f64;
    Div div, DivAssign div_assign for f32;
    Div div, DivAssign div_assign for f64;
}

impl<S: Storage> Neg for &TensorBase<S>
where
    S::Elem: Float,
{
    type Output = Tensor<S::Elem>;

    fn neg(self) -> Tensor<S::Elem> {
        self.map(|x| -x)
    }
}

impl<S: Storage> Neg for TensorBase<S>
where
    S::Elem: Float,
{
    type Output = Tensor<S::Elem>;

    fn neg(self) -> Tensor<S::Elem> {
        -&self
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    #[test]
    fn operators_take_tensors_views_and_numbers() {
        let a = Tensor::from_vec([2, 2], vec![1.0_f32, 2.0, 3.0, 4.0]);
        assert_eq!((&a + &a).to_vec(), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!((&a - a.transpose()).to_vec(), [0.0, -1.0, 1.0, 0.0]);
        assert_eq!((a.select(0, 0) * &a).to_vec(), [1.0, 4.0, 3.0, 8.0]);
        assert_eq!((&a / 2.0).to_vec(), [0.5, 1.0, 1.5, 2.0]);
        assert_eq!((1.0 - &a).to_vec(), [0.0, -1.0, -2.0, -3.0]);
        assert_eq!((-a.clone() + 1.0).to_vec(), [0.0, -1.0, -2.0, -3.0]);
        let mut b = a.clone();
        b += &a.slice(0, 1..2);
        b *= 2.0;
        assert_eq!(b.to_vec(), [8.0, 12.0, 12.0, 16.0]);
    }

    #[test]
    fn a_column_and_a_row_make_a_matrix() {
        let column = Tensor::from_vec([2, 1], vec![1.0_f64, 2.0]);
        let row = Tensor::from_vec([3], vec![10.0, 20.0, 30.0]);
        let sum = &column + &row;
        assert_eq!(sum.shape(), [2, 3]);
        assert_eq!(sum.to_vec(), [11.0, 21.0, 31.0, 12.0, 22.0, 32.0]);
        assert_eq!((&sum * Tensor::scalar(2.0))[[1, 2]], 64.0);
        let empty = Tensor::<f64>::zeros([0, 3]);
        assert_eq!((&empty + &row).shape(), [0, 3]);
    }

    #[test]
    #[should_panic(expected = "shapes [2, 3] and [2] do not broadcast")]
    fn shapes_that_do_not_meet_are_named() {
        let _ = Tensor::<f32>::zeros([2, 3]) + Tensor::<f32>::zeros([2]);
    }

    #[test]
    fn closeness_has_both_tolerances() {
        let a = Tensor::from_vec([2], vec![1.0_f64, 100.0]);
        let b = Tensor::from_vec([2], vec![1.001, 100.1]);
        assert!(a.all_close(&b, 1e-2, 0.0) && a.all_close(&b, 0.0, 0.11));
        assert!(!a.all_close(&b, 1e-4, 1e-3));
        assert!(!a.all_close(&b.slice(0, 0..1), 1.0, 1.0));
        assert!(!Tensor::scalar(f64::NAN).all_close(&Tensor::scalar(f64::NAN), 1.0, 1.0));
    }
}
