//! A value on a tape.

use crate::gradients::Gradients;
use crate::tape::Tape;
use plywood_kernels::Float;
use plywood_tensor::Tensor;
use std::fmt;
use std::rc::Rc;

/// A handle of a value on a [`Tape`]; copies name the same value.
///
/// Using a value several times is fine: its gradient is the sum over all uses.
pub struct Var<'t, T: Float = f32> {
    pub(crate) tape: &'t Tape<T>,
    pub(crate) index: usize,
}

impl<T: Float> Clone for Var<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Float> Copy for Var<'_, T> {}

impl<'t, T: Float> Var<'t, T> {
    /// The tape it lies on.
    pub fn tape(self) -> &'t Tape<T> {
        self.tape
    }

    /// The value itself, shared with the tape.
    pub fn value(self) -> Rc<Tensor<T>> {
        Rc::clone(&self.tape.entries.borrow()[self.index].value)
    }

    /// Sizes of the value's axes.
    pub fn shape(self) -> Vec<usize> {
        self.value().shape().to_vec()
    }

    /// Number of the value's elements.
    pub fn len(self) -> usize {
        self.value().len()
    }

    /// Whether the value has no element.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value's only element.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[track_caller]
    pub fn item(self) -> T {
        self.value().item()
    }

    /// Whether a gradient can go through it: whether it is a leaf or was computed from one.
    pub fn takes_gradient(self) -> bool {
        self.tape.entries.borrow()[self.index].takes_gradient
    }

    /// The same value as a constant: no gradient goes through it.
    #[must_use]
    pub fn detach(self) -> Self {
        self.tape.share_constant(self.value())
    }

    /// The derivatives of this number with respect to everything it was computed from.
    ///
    /// # Panics
    /// If it is not a single number (see [`Var::backward_from`]), or if it was computed from constants alone.
    #[track_caller]
    pub fn backward(self) -> Gradients<'t, T> {
        let shape = self.shape();
        assert!(
            self.len() == 1,
            "backward: shape {shape:?} is not a single number; reduce it, or seed the gradient with backward_from"
        );
        self.backward_from(Tensor::ones(shape))
    }

    /// As [`Var::backward`], from the gradient `seed` of this value: the derivatives of Σ seed·value.
    ///
    /// # Panics
    /// If `seed` has another shape than the value, or if the value was computed from constants alone.
    #[track_caller]
    pub fn backward_from(self, seed: Tensor<T>) -> Gradients<'t, T> {
        assert!(
            seed.shape() == self.shape(),
            "backward_from: a seed of shape {:?} for a value of shape {:?}",
            seed.shape(),
            self.shape()
        );
        assert!(
            self.takes_gradient(),
            "backward: this value was computed from constants alone, so it has no gradient to follow"
        );
        self.tape.backward(self, seed)
    }
}

impl<T: Float> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Var")
            .field("index", &self.index)
            .field("shape", &self.shape())
            .finish()
    }
}
