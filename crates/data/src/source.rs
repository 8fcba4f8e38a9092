//! What a loader draws examples from.

use plywood_kernels::Float;
use plywood_shape::Sample;
use plywood_tensor::Examples;

/// Something that has examples by number: a data set in memory, or files read as they are needed.
///
/// ```
/// use plywood_data::Source;
/// use plywood_kernels::Float;
/// use plywood_shape::{Real, Vector};
/// use plywood_tensor::Examples;
///
/// /// A hundred points of the line y = 2x.
/// struct Line;
/// impl Source for Line {
///     type Input = Vector<1>;
///     type Target = Real<1>;
///     fn len(&self) -> usize {
///         100
///     }
///     fn fill<T: Float>(&self, indices: &[u32], into: &mut Examples<Vector<1>, Real<1>, T>) {
///         into.resize(indices.len(), self.steps());
///         for (n, &index) in indices.iter().enumerate() {
///             let x = f64::from(index) / 100.0;
///             into.inputs.data_mut()[n] = T::from_f64(x);
///             into.targets.data_mut()[n] = T::from_f64(2.0 * x);
///         }
///     }
/// }
/// ```
pub trait Source {
    /// What goes into a network.
    type Input: Sample;
    /// What should come out.
    type Target: Sample;

    /// How many examples there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Steps of a sequence, padding included; one where examples are no sequences.
    fn steps(&self) -> usize {
        1
    }

    /// Overwrites `into` with the examples of these numbers, each below [`Source::len`], in this order.
    ///
    /// Allocates nothing once `into` has held as many.
    fn fill<T: Float>(&self, indices: &[u32], into: &mut Examples<Self::Input, Self::Target, T>);

    /// Likewise for one epoch of training; a source that varies its examples does so by `epoch` and number alone.
    fn fill_epoch<T: Float>(
        &self,
        _epoch: u32,
        indices: &[u32],
        into: &mut Examples<Self::Input, Self::Target, T>,
    ) {
        self.fill(indices, into);
    }
}

impl<S: Source> Source for &S {
    type Input = S::Input;
    type Target = S::Target;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn steps(&self) -> usize {
        (**self).steps()
    }

    fn fill<T: Float>(&self, indices: &[u32], into: &mut Examples<S::Input, S::Target, T>) {
        (**self).fill(indices, into);
    }

    fn fill_epoch<T: Float>(
        &self,
        epoch: u32,
        indices: &[u32],
        into: &mut Examples<S::Input, S::Target, T>,
    ) {
        (**self).fill_epoch(epoch, indices, into);
    }
}
