//! Sum, difference, product, quotient, larger and smaller of two values, with broadcasting.
//!
//! ```text
//! y = f(a, b)      da = Σ dy·∂f/∂a      db = Σ dy·∂f/∂b
//! ```
//!
//! The sums go over the axes that broadcasting stretched. Where a and b are equal, the gradient of the larger and of the
//! smaller goes to a.

use crate::gradients::Adjoint;
use crate::var::Var;
use plywood_kernels::Float;
use plywood_tensor::Tensor;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A function of two numbers and its derivatives with respect to both.
#[derive(Clone, Copy)]
struct Binary<T> {
    value: fn(T, T) -> T,
    slopes: fn(T, T) -> [T; 2],
}

impl<T: Float> Binary<T> {
    #[track_caller]
    fn apply<'t>(self, a: Var<'t, T>, b: Var<'t, T>) -> Var<'t, T> {
        let y = a.value().zip(&*b.value(), self.value);
        a.tape().record(&[a, b], y, move |step| self.backward(step))
    }

    fn backward(self, step: &mut Adjoint<'_, T>) {
        let dy = step.output_gradient;
        let (a, b) = (step.input(0), step.input(1));
        for i in 0..2 {
            if step.needs(i) {
                let slopes = a.zip(b, |a, b| (self.slopes)(a, b)[i]);
                step.add(i, sum_to(&(slopes * dy), step.input(i).shape()));
            }
        }
    }
}

/// Sums over the axes that broadcasting `shape` to this tensor's shape stretched; row-major elements of `shape`.
pub(crate) fn sum_to<T: Float>(tensor: &Tensor<T>, shape: &[usize]) -> Vec<T> {
    let new_axes = tensor.rank() - shape.len();
    let is_stretched =
        |&axis: &usize| axis < new_axes || shape[axis - new_axes] != tensor.shape()[axis];
    let axes: Vec<usize> = (0..tensor.rank()).filter(is_stretched).collect();
    if axes.is_empty() {
        return tensor.to_vec();
    }
    tensor.sum(axes).into_vec()
}

impl<'t, T: Float> Var<'t, T> {
    /// The larger of two values, element by element.
    ///
    /// # Panics
    /// If the shapes do not broadcast or the values belong to different tapes.
    #[track_caller]
    #[must_use]
    pub fn maximum(self, other: Self) -> Self {
        let larger = Binary {
            value: |a: T, b| if a >= b { a } else { b },
            slopes: |a, b| choose(a >= b),
        };
        larger.apply(self, other)
    }

    /// The smaller of two values, element by element.
    ///
    /// # Panics
    /// If the shapes do not broadcast or the values belong to different tapes.
    #[track_caller]
    #[must_use]
    pub fn minimum(self, other: Self) -> Self {
        let smaller = Binary {
            value: |a: T, b| if a <= b { a } else { b },
            slopes: |a, b| choose(a <= b),
        };
        smaller.apply(self, other)
    }

    /// `factor`·self + `offset`.
    #[must_use]
    pub fn affine(self, factor: f64, offset: f64) -> Self {
        let (factor, offset) = (T::from_f64(factor), T::from_f64(offset));
        let y = self.value().map(|x| factor * x + offset);
        self.tape().record(&[self], y, move |step| {
            let dx = step.output_gradient().iter().map(|&dy| factor * dy);
            step.add(0, dx.collect());
        })
    }
}

/// The derivatives where one of the two is passed on.
fn choose<T: Float>(is_first: bool) -> [T; 2] {
    if is_first {
        [T::ONE, T::ZERO]
    } else {
        [T::ZERO, T::ONE]
    }
}

/// Implements an operator between values.
macro_rules! operator {
    ($($trait:ident $method:ident, $value:expr, $slopes:expr;)+) => {$(
        impl<T: Float> $trait for Var<'_, T> {
            type Output = Self;

            #[track_caller]
            fn $method(self, other: Self) -> Self {
                Binary { value: $value, slopes: $slopes }.apply(self, other)
            }
        }
    )+};
}

operator! {
    Add add, |a, b| a + b, |_, _| [T::ONE, T::ONE];
    Sub sub, |a, b| a - b, |_, _| [T::ONE, -T::ONE];
    Mul mul, |a, b| a * b, |a, b| [b, a];
    Div div, |a, b| a / b, |a, b| [T::ONE / b, -(a / b) / b];
}

/// Implements an operator between a value and a number.
macro_rules! number_operator {
    ($($trait:ident $method:ident, $x:ident $number:ident => $right:expr, $left:expr;)+) => {$(
        impl<T: Float> $trait<f64> for Var<'_, T> {
            type Output = Self;

            fn $method(self, $number: f64) -> Self {
                let $x = self;
                $right
            }
        }

        impl<'t, T: Float> $trait<Var<'t, T>> for f64 {
            type Output = Var<'t, T>;

            fn $method(self, $x: Var<'t, T>) -> Var<'t, T> {
                let $number = self;
                $left
            }
        }
    )+};
}

number_operator! {
    Add add, x number => x.affine(1.0, number), x.affine(1.0, number);
    Sub sub, x number => x.affine(1.0, -number), x.affine(-1.0, number);
    Mul mul, x number => x.affine(number, 0.0), x.affine(number, 0.0);
    Div div, x number => x.affine(1.0 / number, 0.0), x.reciprocal().affine(number, 0.0);
}

impl<T: Float> Neg for Var<'_, T> {
    type Output = Self;

    fn neg(self) -> Self {
        self.affine(-1.0, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::{sample, seeded};
    use crate::{Tape, Var, gradcheck};
    use plywood_tensor::Tensor;

    /// A function of two values on a tape.
    type Function = for<'t> fn(Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>;

    #[test]
    fn gradients_agree_with_differences() {
        let shapes: [(&[usize], &[usize]); 7] = [
            (&[], &[]),
            (&[3], &[3]),
            (&[2, 3], &[3]),
            (&[2, 1], &[4]),
            (&[1], &[2, 3, 2]),
            (&[0, 2], &[2]),
            (&[2, 1, 3], &[4, 1]),
        ];
        let functions: [Function; 6] = [
            |a, b| a + b,
            |a, b| a - b,
            |a, b| a * b,
            |a, b| a / (b * b + 0.5),
            |a, b| a.maximum(b),
            |a, b| a.minimum(b),
        ];
        for (seed, (a, b)) in seeded(4, shapes) {
            for function in functions {
                let inputs = [sample(seed, a), sample(seed + 100, b)];
                gradcheck(&inputs, |_, v| function(v[0], v[1])).unwrap();
            }
        }
    }

    #[test]
    fn numbers_stand_on_either_side() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::scalar(4.0_f64));
        let y = 3.0 - (2.0 * x + 1.0) / 2.0 + (8.0 / x) * 0.5 - (-x) + (1.0 + x);
        assert_eq!(y.item(), 3.0 - 4.5 + 1.0 + 4.0 + 5.0);
        assert_eq!(y.backward().of(x).item(), -1.0 - 0.25 + 1.0 + 1.0);
    }

    #[test]
    fn equal_values_send_the_gradient_to_the_first() {
        let tape = Tape::new();
        let (a, b) = (
            tape.leaf(Tensor::scalar(1.0_f32)),
            tape.leaf(Tensor::scalar(1.0)),
        );
        let gradients = (a.maximum(b) + a.minimum(b)).backward();
        assert_eq!((gradients.of(a).item(), gradients.of(b).item()), (2.0, 0.0));
    }

    #[test]
    #[should_panic(expected = "this value belongs to another tape")]
    fn values_of_two_tapes_do_not_meet() {
        let (one, other) = (Tape::<f32>::new(), Tape::new());
        let _ = one.leaf(Tensor::scalar(1.0)) + other.leaf(Tensor::scalar(1.0));
    }
}
