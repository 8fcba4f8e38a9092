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

#[cfg(test)]
mod tests {
    use crate::Tape;
    use plywood_tensor::Tensor;

    #[test]
    fn every_use_of_a_value_adds_to_its_gradient() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from_vec([2], vec![3.0_f64, -1.0]));
        let square = x * x;
        let y = (square + square * x + x).sum_all();
        // 2x + 3x² + 1
        assert_eq!(y.backward().of(x).to_vec(), [34.0, 2.0]);
    }

    #[test]
    fn a_tape_can_be_walked_again_and_goes_on() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::scalar(2.0_f32));
        let y = x * x;
        let first = y.backward().of(x).item();
        let z = y * x;
        assert_eq!((first, y.backward().of(x).item()), (4.0, 4.0));
        assert_eq!(z.backward().of(x).item(), 12.0);
        assert_eq!(z.backward().of(y).item(), 2.0);
    }

    #[test]
    fn nothing_goes_through_a_detached_value() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::scalar(3.0_f64));
        let y = x * x.detach();
        assert_eq!(y.backward().of(x).item(), 3.0);
        assert!(!x.detach().takes_gradient());
    }

    #[test]
    fn nothing_is_recorded_without_gradient() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::scalar(3.0_f64));
        let inside = tape.no_gradient(|| x * x);
        assert!(!inside.takes_gradient());
        let outside = inside * x;
        assert_eq!(outside.backward().of(x).item(), 9.0);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            tape.no_gradient(|| panic!("inside"))
        }));
        assert!(result.is_err() && (x * x).takes_gradient());
    }

    #[test]
    fn a_seed_weighs_the_elements() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from_vec([2], vec![3.0_f64, 4.0]));
        let seed = Tensor::from_vec([2], vec![1.0, 10.0]);
        assert_eq!((x * x).backward_from(seed).of(x).to_vec(), [6.0, 80.0]);
    }

    #[test]
    fn what_does_not_matter_has_no_gradient() {
        let tape = Tape::new();
        let (x, other) = (
            tape.leaf(Tensor::scalar(1.0_f32)),
            tape.leaf(Tensor::ones([2])),
        );
        let late = x * x;
        let later = tape.leaf(Tensor::ones([3]));
        let mut gradients = late.backward();
        assert_eq!(gradients.get(other), None);
        assert_eq!(gradients.take(other), Tensor::zeros([2]));
        assert_eq!(gradients.take(later), Tensor::zeros([3]));
        assert_eq!(gradients.take(x).item(), 2.0);
    }

    #[test]
    #[should_panic(expected = "shape [2] is not a single number")]
    fn only_a_number_starts_the_way_back() {
        let _ = Tape::new().leaf(Tensor::<f32>::ones([2])).backward();
    }

    #[test]
    #[should_panic(expected = "a seed of shape [3] for a value of shape [2]")]
    fn a_seed_has_the_shape_of_the_value() {
        let _ = Tape::new()
            .leaf(Tensor::<f32>::ones([2]))
            .backward_from(Tensor::ones([3]));
    }

    #[test]
    #[should_panic(expected = "computed from constants alone")]
    fn a_constant_has_no_way_back() {
        let _ = Tape::new().constant(Tensor::scalar(1.0_f32)).backward();
    }

    #[test]
    #[should_panic(expected = "this value is a constant and has no gradient")]
    fn a_constant_has_no_gradient() {
        let tape = Tape::new();
        let (x, constant) = (
            tape.leaf(Tensor::scalar(1.0_f32)),
            tape.constant(Tensor::scalar(2.0)),
        );
        (x * constant).backward().of(constant);
    }

    #[test]
    #[should_panic(expected = "gradients: this value belongs to another tape")]
    fn gradients_know_their_tape() {
        let (one, other) = (Tape::new(), Tape::new());
        let (x, y) = (
            one.leaf(Tensor::scalar(1.0_f32)),
            other.leaf(Tensor::scalar(1.0)),
        );
        x.backward().of(y);
    }
}
