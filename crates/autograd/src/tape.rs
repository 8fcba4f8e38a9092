//! The tape: a list of values in the order they were computed, each with the way back to what it was computed from.
//!
//! ```text
//! forward:   append (value, inputs, how to send a gradient back)
//! backward:  gradient of the last = seed; for each entry from last to first: add its share to the inputs' gradients
//! ```
//!
//! Gradients of a value that is used several times are added in the fixed order of that walk, so results do not vary.
//! A tape belongs to one thread (reverse mode as in Griewank and Walther, *Evaluating Derivatives*, 2008, chapter 3).

use crate::gradients::{Adjoint, Gradients};
use crate::var::Var;
use plywood_kernels::Float;
use plywood_tensor::Tensor;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// Sends the gradient of an entry back to its inputs.
pub(crate) type Backward<T> = Rc<dyn Fn(&mut Adjoint<'_, T>)>;

/// One value on the tape.
pub(crate) struct Entry<T: Float> {
    pub(crate) value: Rc<Tensor<T>>,
    pub(crate) inputs: Vec<usize>,
    /// `None` for a leaf, and for what takes no gradient.
    pub(crate) backward: Option<Backward<T>>,
    pub(crate) takes_gradient: bool,
}

/// Records operations on values, so that derivatives can be followed back.
///
/// Values are [`Var`]s: small handles that borrow the tape. The tape grows with every operation and is dropped as a
/// whole; a training loop makes one a step.
pub struct Tape<T: Float = f32> {
    pub(crate) entries: RefCell<Vec<Entry<T>>>,
    recording: Cell<bool>,
}

impl<T: Float> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Float> Tape<T> {
    /// An empty tape.
    pub fn new() -> Self {
        Self {
            entries: RefCell::new(Vec::new()),
            recording: Cell::new(true),
        }
    }

    /// A value that gradients are wanted for.
    pub fn leaf(&self, value: Tensor<T>) -> Var<'_, T> {
        self.push(Rc::new(value), Vec::new(), None, true)
    }

    /// A value that gradients are not wanted for.
    pub fn constant(&self, value: Tensor<T>) -> Var<'_, T> {
        self.share_constant(Rc::new(value))
    }

    pub(crate) fn share_constant(&self, value: Rc<Tensor<T>>) -> Var<'_, T> {
        self.push(value, Vec::new(), None, false)
    }

    /// Puts an operation on the tape: its `output`, computed from `inputs`, and how a gradient of the output goes back to them.
    ///
    /// `backward` reads values and the output's gradient from its [`Adjoint`] and [adds](Adjoint::add) to the inputs'
    /// gradients. It is kept only if one of the inputs takes a gradient. It may run several times.
    ///
    /// # Panics
    /// If an input belongs to another tape.
    #[track_caller]
    pub fn record(
        &self,
        inputs: &[Var<'_, T>],
        output: Tensor<T>,
        backward: impl Fn(&mut Adjoint<'_, T>) + 'static,
    ) -> Var<'_, T> {
        for input in inputs {
            self.check(*input);
        }
        let takes_gradient =
            self.recording.get() && inputs.iter().any(|input| input.takes_gradient());
        if !takes_gradient {
            return self.constant(output);
        }
        let inputs = inputs.iter().map(|input| input.index).collect();
        self.push(Rc::new(output), inputs, Some(Rc::new(backward)), true)
    }

    /// Runs `body` without recording: what it computes are constants.
    pub fn no_gradient<R>(&self, body: impl FnOnce() -> R) -> R {
        /// Restores the flag even if `body` panics.
        struct Restore<'a>(&'a Cell<bool>, bool);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let _restore = Restore(&self.recording, self.recording.replace(false));
        body()
    }

    /// Number of values on the tape.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// Whether nothing is on the tape.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[track_caller]
    pub(crate) fn check(&self, var: Var<'_, T>) {
        assert!(
            std::ptr::eq(self, var.tape),
            "this value belongs to another tape"
        );
    }

    fn push(
        &self,
        value: Rc<Tensor<T>>,
        inputs: Vec<usize>,
        backward: Option<Backward<T>>,
        takes_gradient: bool,
    ) -> Var<'_, T> {
        let mut entries = self.entries.borrow_mut();
        entries.push(Entry {
            value,
            inputs,
            backward,
            takes_gradient,
        });
        Var {
            tape: self,
            index: entries.len() - 1,
        }
    }

    /// Walks the tape back from `var`, whose gradient is `seed`.
    pub(crate) fn backward(&self, var: Var<'_, T>, seed: Tensor<T>) -> Gradients<'_, T> {
        let entries = self.entries.borrow();
        let mut gradients = Gradients::new(self, var.index + 1);
        gradients.tensors[var.index] = Some(seed);
        for (index, entry) in entries[..=var.index].iter().enumerate().rev() {
            let Some(backward) = &entry.backward else {
                continue;
            };
            let Some(gradient) = gradients.tensors[index].take() else {
                continue;
            };
            backward(&mut Adjoint {
                entries: &entries,
                entry,
                output_gradient: &gradient,
                gradients: &mut gradients.tensors,
            });
            gradients.tensors[index] = Some(gradient);
        }
        gradients
    }
}

impl<T: Float> fmt::Debug for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").field("len", &self.len()).finish()
    }
}
