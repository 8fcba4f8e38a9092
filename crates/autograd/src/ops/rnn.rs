//! Simple recurrent layer over whole sequences, and what the recurrent operations share.
//!
//! ```text
//! h' = tanh(x·W + h·U + b)
//! g  = dh' ⊙ (1 − h'²)       dh += g·Uᵀ       dx = g·Wᵀ       dW += xᵀ·g       dU += hᵀ·g       db += g
//! ```
//!
//! The forward and backward passes over slices, with their layouts, are those of [`plywood_kernels::rnn`].

pub use plywood_kernels::rnn::{
    Backward, Forward, Sequence, SimpleRnn, StateGradient, WeightGradients, Weights,
};

use super::scratch;
use crate::gradients::Adjoint;
use crate::var::Var;
use plywood_kernels::Float;
use plywood_shape::layers::Returns;
use plywood_tensor::Tensor;

/// The parameters of a recurrent operation with G gates.
#[derive(Clone, Copy, Debug)]
pub struct Recurrent<'t, T: Float> {
    /// \[features\]\[G·units\], of the inputs.
    pub weight: Var<'t, T>,
    /// \[units\]\[G·units\], of the state.
    pub recurrent: Var<'t, T>,
    /// \[G·units\]; \[2\]\[G·units\] for a GRU that resets after the product.
    pub bias: Var<'t, T>,
}

/// How sequences are read.
#[derive(Clone, Default, Debug)]
pub struct Reading {
    /// Valid steps of every sample; empty where all are valid. A padded step leaves the state as it was.
    pub lengths: Vec<u32>,
    /// Whether the last step is read first.
    pub reverse: bool,
}

/// A recurrent kernel over a block of sequences.
pub(super) trait Cell: Copy + 'static {
    /// Its name, in messages.
    const NAME: &'static str;
    /// Products side by side in the columns of a weight.
    const GATES: usize;
    fn sequence(&self) -> Sequence;
    fn saved_len(&self) -> usize;
    fn scratch_len(&self) -> usize;
    fn prepared_len(&self) -> usize;
    fn prepare<T: Float>(&self, weights: &Weights<'_, T>, prepared: &mut [T]);
    fn bias_shape(&self) -> Vec<usize> {
        vec![Self::GATES * self.sequence().units]
    }
    fn forward<T: Float>(&self, pass: Forward<'_, T>);
    fn backward<T: Float>(&self, pass: Backward<'_, T>);
}

/// Stamps [`Cell`] for a kernel, whose methods have the same names.
macro_rules! cell {
    ($kernel:ty, $name:literal, $gates:literal $(, $extra:item)?) => {
        impl $crate::ops::rnn::Cell for $kernel {
            const NAME: &'static str = $name;
            const GATES: usize = $gates;
            fn sequence(&self) -> $crate::ops::rnn::Sequence {
                self.sequence
            }
            fn saved_len(&self) -> usize {
                <$kernel>::saved_len(self)
            }
            fn scratch_len(&self) -> usize {
                <$kernel>::scratch_len(self)
            }
            fn prepared_len(&self) -> usize {
                <$kernel>::prepared_len(self)
            }
            fn prepare<T: plywood_kernels::Float>(
                &self,
                weights: &$crate::ops::rnn::Weights<'_, T>,
                prepared: &mut [T],
            ) {
                <$kernel>::prepare(self, weights, prepared);
            }
            $($extra)?
            fn forward<T: plywood_kernels::Float>(&self, pass: $crate::ops::rnn::Forward<'_, T>) {
                <$kernel>::forward(self, pass);
            }
            fn backward<T: plywood_kernels::Float>(&self, pass: $crate::ops::rnn::Backward<'_, T>) {
                <$kernel>::backward(self, pass);
            }
        }
    };
}
pub(super) use cell;

cell!(SimpleRnn, "simple_rnn", 1);

impl<'t, T: Float> Var<'t, T> {
    /// The states of a simple recurrent layer after every step.
    ///
    /// # Shapes
    /// `self` \[steps\]\[samples\]\[features\]; yields \[steps\]\[samples\]\[units\], in the order of time.
    ///
    /// # Panics
    /// If the shapes do not fit, a length exceeds the steps, or values belong to different tapes.
    #[track_caller]
    pub fn simple_rnn(self, parameters: Recurrent<'t, T>, reading: Reading) -> Self {
        run(self, parameters, reading, |sequence| SimpleRnn { sequence })
    }
}

/// The states of a recurrent kernel, as a value on the tape.
#[track_caller]
pub(super) fn run<'t, T: Float, C: Cell>(
    x: Var<'t, T>,
    parameters: Recurrent<'t, T>,
    reading: Reading,
    cell: impl FnOnce(Sequence) -> C,
) -> Var<'t, T> {
    let values = [x, parameters.weight, parameters.recurrent, parameters.bias].map(Var::value);
    let shapes = values.each_ref().map(|value| value.shape().to_vec());
    let cell = cell(sequence(&shapes, reading.reverse));
    check::<C>(&cell, &shapes);
    let [x_value, weight, recurrent, bias] = &values;
    let mut saved = vec![T::ZERO; cell.saved_len()];
    let weights = weights(weight, recurrent, bias);
    let mut prepared = vec![T::ZERO; cell.prepared_len()];
    cell.prepare(&weights, &mut prepared);
    cell.forward(Forward {
        x: x_value.data(),
        weights,
        prepared: &prepared,
        lengths: &reading.lengths,
        saved: &mut saved,
        scratch: &mut scratch(cell.scratch_len()),
    });
    let sequence = cell.sequence();
    let shape = [sequence.steps, sequence.samples, sequence.units];
    let states = Tensor::from_slice(shape, sequence.states(&saved));
    let inputs = [x, parameters.weight, parameters.recurrent, parameters.bias];
    x.tape().record(&inputs, states, move |step| {
        way_back(&cell, &reading.lengths, saved.clone(), step);
    })
}

/// Sends the gradient of the states back; `saved` is overwritten.
fn way_back<T: Float, C: Cell>(
    cell: &C,
    lengths: &[u32],
    mut saved: Vec<T>,
    step: &mut Adjoint<'_, T>,
) {
    let zeros = |i: usize| vec![T::ZERO; step.input(i).len()];
    let (mut dweight, mut drecurrent, mut dbias) = (zeros(1), zeros(2), zeros(3));
    let mut dx = step.zeros(0);
    cell.backward(Backward {
        x: step.input(0).data(),
        weights: weights(step.input(1), step.input(2), step.input(3)),
        lengths,
        saved: &mut saved,
        dstates: StateGradient::new(
            Returns::Sequence,
            step.output_gradient(),
            cell.sequence().units,
        ),
        dx: dx.as_deref_mut(),
        gradients: WeightGradients {
            weight: &mut dweight,
            recurrent: &mut drecurrent,
            bias: &mut dbias,
        },
        scratch: &mut scratch(cell.scratch_len()),
    });
    if let Some(dx) = dx {
        step.add(0, dx);
    }
    step.add(1, dweight);
    step.add(2, drecurrent);
    step.add(3, dbias);
}

fn weights<'a, T: Float>(
    weight: &'a Tensor<T>,
    recurrent: &'a Tensor<T>,
    bias: &'a Tensor<T>,
) -> Weights<'a, T> {
    Weights {
        weight: weight.data(),
        recurrent: recurrent.data(),
        bias: bias.data(),
    }
}

/// The sizes that x and the recurrent weight give; 0 for what they lack.
fn sequence(shapes: &[Vec<usize>; 4], reverse: bool) -> Sequence {
    let size = |value: usize, axis: usize| shapes[value].get(axis).copied().unwrap_or(0);
    Sequence {
        samples: size(0, 1),
        steps: size(0, 0),
        features: size(0, 2),
        units: size(2, 0),
        reverse,
    }
}

#[track_caller]
fn check<C: Cell>(cell: &C, shapes: &[Vec<usize>; 4]) {
    let Sequence {
        features, units, ..
    } = cell.sequence();
    let columns = C::GATES * units;
    let [x, weight, recurrent, bias] = shapes;
    let does_fit = x.len() == 3
        && *weight == [features, columns]
        && *recurrent == [units, columns]
        && *bias == cell.bias_shape();
    assert!(
        does_fit,
        "{}: input of shape {x:?}, weight of {weight:?}, recurrent weight of {recurrent:?}, bias of {bias:?}",
        C::NAME
    );
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Reading, Recurrent};
    use crate::ops::sample;
    use crate::{Tape, Var, gradcheck};

    /// Steps, samples, features, units, lengths.
    const CASES: [(usize, usize, usize, usize, &[u32]); 13] = [
        (1, 1, 1, 1, &[]),
        (2, 1, 3, 1, &[]),
        (7, 2, 2, 3, &[]),
        (3, 5, 4, 2, &[]),
        (4, 1, 1, 17, &[]),
        (0, 2, 3, 2, &[]),
        (3, 0, 2, 2, &[]),
        (2, 2, 0, 3, &[]),
        (3, 3, 2, 4, &[3, 1, 2]),
        (5, 2, 3, 3, &[0, 4]),
        (4, 1, 2, 5, &[2]),
        (2, 4, 1, 9, &[1, 2, 0, 2]),
        (6, 3, 2, 2, &[6, 6, 6]),
    ];

    /// Gradient checks of a recurrent operation in both directions.
    pub(in crate::ops) fn check_gradients(
        gates: usize,
        biases: usize,
        operation: impl for<'t> Fn(Var<'t, f64>, Recurrent<'t, f64>, Reading) -> Var<'t, f64>,
    ) {
        for (steps, samples, features, units, lengths) in CASES {
            let columns = gates * units;
            let bias_shape = if biases == 1 {
                vec![columns]
            } else {
                vec![biases, columns]
            };
            let inputs = [
                sample(1, [steps, samples, features]),
                sample(2, [features, columns]),
                sample(3, [units, columns]),
                sample(4, bias_shape),
            ];
            for reverse in [false, true] {
                let reading = Reading {
                    lengths: lengths.to_vec(),
                    reverse,
                };
                let checked = gradcheck(&inputs, |_, v| {
                    let parameters = Recurrent {
                        weight: v[1],
                        recurrent: v[2],
                        bias: v[3],
                    };
                    operation(v[0], parameters, reading.clone())
                });
                let case = (steps, samples, features, units, lengths, reverse);
                assert_eq!(checked, Ok(()), "{case:?}");
            }
        }
    }

    #[test]
    fn gradients_agree_with_differences() {
        check_gradients(1, 1, |x, parameters, reading| {
            x.simple_rnn(parameters, reading)
        });
    }

    #[test]
    fn the_way_back_can_be_walked_twice() {
        let tape = Tape::new();
        let x = tape.leaf(sample(1, [3, 2, 2]));
        let parameters = Recurrent {
            weight: tape.leaf(sample(2, [2, 3])),
            recurrent: tape.leaf(sample(3, [3, 3])),
            bias: tape.leaf(sample(4, [3])),
        };
        let y = x.simple_rnn(parameters, Reading::default());
        let [first, second] = [(); 2].map(|()| y.backward_from(sample(5, [3, 2, 3])));
        assert_eq!(first.of(x), second.of(x));
        assert_eq!(
            first.of(parameters.recurrent),
            second.of(parameters.recurrent)
        );
    }

    #[test]
    #[should_panic(expected = "simple_rnn: input of shape [3, 2, 2], weight of [3, 3]")]
    fn shapes_that_do_not_fit_are_named() {
        let tape = Tape::new();
        let parameters = Recurrent {
            weight: tape.leaf(sample(2, [3, 3])),
            recurrent: tape.leaf(sample(3, [3, 3])),
            bias: tape.leaf(sample(4, [3])),
        };
        tape.leaf(sample(1, [3, 2, 2]))
            .simple_rnn(parameters, Reading::default());
    }
}
