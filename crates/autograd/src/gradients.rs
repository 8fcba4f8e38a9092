//! Gradients: what a walk back over the tape yields, and what an operation sees of it.

use crate::tape::{Entry, Tape};
use crate::var::Var;
use plywood_kernels::Float;
use plywood_tensor::Tensor;
use std::fmt;

/// The derivatives of one value with respect to the values it was computed from.
pub struct Gradients<'t, T: Float> {
    /// One a value of the tape; `None` where nothing arrived.
    pub(crate) tensors: Vec<Option<Tensor<T>>>,
    tape: &'t Tape<T>,
}

impl<'t, T: Float> Gradients<'t, T> {
    pub(crate) fn new(tape: &'t Tape<T>, len: usize) -> Self {
        Self {
            tensors: vec![None; len],
            tape,
        }
    }

    /// The gradient of `var`; `None` if the value that was differentiated does not depend on it.
    ///
    /// # Panics
    /// If `var` belongs to another tape or is a constant.
    #[track_caller]
    pub fn get(&self, var: Var<'_, T>) -> Option<&Tensor<T>> {
        assert!(
            std::ptr::eq(self.tape, var.tape),
            "gradients: this value belongs to another tape"
        );
        assert!(
            var.takes_gradient(),
            "gradients: this value is a constant and has no gradient; make it with Tape::leaf"
        );
        self.tensors.get(var.index)?.as_ref()
    }

    /// The gradient of `var`.
    ///
    /// # Panics
    /// If `var` belongs to another tape or is a constant, or if the value that was differentiated does not depend on it.
    #[track_caller]
    pub fn of(&self, var: Var<'_, T>) -> &Tensor<T> {
        self.get(var)
            .expect("the value that was differentiated depends on this one")
    }

    /// The gradient of `var`, without a copy; 0 everywhere if the result does not depend on it.
    ///
    /// # Panics
    /// If `var` belongs to another tape or is a constant.
    #[track_caller]
    pub fn take(&mut self, var: Var<'_, T>) -> Tensor<T> {
        self.get(var);
        let tensor = self.tensors.get_mut(var.index).and_then(Option::take);
        tensor.unwrap_or_else(|| Tensor::zeros(var.shape()))
    }
}

impl<T: Float> fmt::Debug for Gradients<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrived = self.tensors.iter().flatten().count();
        f.debug_struct("Gradients")
            .field("arrived", &arrived)
            .finish()
    }
}

/// One operation on the way back: its values, the gradient of its output, and where its inputs' gradients go.
pub struct Adjoint<'a, T: Float> {
    pub(crate) entries: &'a [Entry<T>],
    pub(crate) entry: &'a Entry<T>,
    pub(crate) output_gradient: &'a Tensor<T>,
    pub(crate) gradients: &'a mut [Option<Tensor<T>>],
}

impl<'a, T: Float> Adjoint<'a, T> {
    /// The gradient of the output, row-major.
    pub fn output_gradient(&self) -> &'a [T] {
        self.output_gradient.data()
    }

    /// The value of the output.
    pub fn output(&self) -> &'a Tensor<T> {
        &self.entry.value
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.entry.inputs.len()
    }

    /// The value of input `i`.
    ///
    /// # Panics
    /// If there is no such input.
    #[track_caller]
    pub fn input(&self, i: usize) -> &'a Tensor<T> {
        &self.entries[self.entry.inputs[i]].value
    }

    /// Whether input `i` takes a gradient; for one that does not, none need be computed.
    ///
    /// # Panics
    /// If there is no such input.
    #[track_caller]
    pub fn needs(&self, i: usize) -> bool {
        self.entries[self.entry.inputs[i]].takes_gradient
    }

    /// Zeros in the number of input `i`'s elements, to be filled and [added](Adjoint::add); `None` if it takes no gradient.
    ///
    /// # Panics
    /// If there is no such input.
    #[track_caller]
    pub fn zeros(&self, i: usize) -> Option<Vec<T>> {
        self.needs(i).then(|| vec![T::ZERO; self.input(i).len()])
    }

    /// Adds `gradient`, row-major, to that of input `i`. Nothing happens if it takes none.
    ///
    /// # Panics
    /// If there is no such input, or if `gradient` has another length than its value.
    #[track_caller]
    pub fn add(&mut self, i: usize, gradient: Vec<T>) {
        let value = self.input(i);
        assert!(
            gradient.len() == value.len(),
            "gradient of input {i}: {} elements for shape {:?}",
            gradient.len(),
            value.shape()
        );
        if !self.needs(i) {
            return;
        }
        match &mut self.gradients[self.entry.inputs[i]] {
            Some(sum) => {
                for (sum, term) in sum.data_mut().iter_mut().zip(gradient) {
                    *sum += term;
                }
            }
            empty => *empty = Some(Tensor::from_vec(value.shape(), gradient)),
        }
    }
}

impl<T: Float> fmt::Debug for Adjoint<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adjoint")
            .field("inputs", &self.entry.inputs)
            .finish()
    }
}
