//! Layers that change numbers and no shape: activations that stand alone, softmax, dropout.

use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_kernels::elementwise;
use plywood_kernels::{Float, softmax};
use plywood_shape::Activation;
use plywood_shape::layers::{Dropout, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Softmax, Tanh};

/// Layers whose derivative follows from their own output.
macro_rules! from_output {
    ($($layer:ident is $activation:expr),*) => {$(
        impl<T: Float> Layer<T> for $layer {
            fn forward(&self, _: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
                let activation: fn(&Self) -> Activation = $activation;
                elementwise::activation_forward(activation(self), x, y);
            }

            fn backward(&self, _: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
                let activation: fn(&Self) -> Activation = $activation;
                if let Some(dx) = flow.dx {
                    elementwise::activation_backward(activation(self), flow.y, flow.dy, dx);
                }
            }
        }
    )*};
}

from_output! {
    Relu is |_| Activation::Relu,
    LeakyRelu is |layer| Activation::LeakyRelu(layer.slope),
    Sigmoid is |_| Activation::Sigmoid,
    Tanh is |_| Activation::Tanh
}

/// Layers whose derivative needs their input.
macro_rules! from_input {
    ($($layer:ident: $forward:ident, $backward:ident;)*) => {$(
        impl<T: Float> Layer<T> for $layer {
            fn forward(&self, _: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
                elementwise::$forward(x, y);
            }

            fn backward(&self, _: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
                if let Some(dx) = flow.dx {
                    elementwise::$backward(flow.x, flow.dy, dx);
                }
            }
        }
    )*};
}

from_input! {
    Gelu: gelu_forward, gelu_backward;
    Silu: silu_forward, silu_backward;
}

impl<T: Float> Layer<T> for Softmax {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        softmax::softmax_forward(x, y, pass.plan.input.features().get());
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        if let Some(dx) = flow.dx {
            let columns = pass.plan.input.features().get();
            softmax::softmax_backward(flow.y, flow.dy, dx, columns);
        }
    }
}

/// Random words that a sample has for itself: more than it has numbers.
const SAMPLE_BITS: u32 = 32;

/// Multiplies the rows by their mask. A number's mask follows from its place in the batch and in the sample, whatever
/// the block and however far the sequence is padded.
fn drop_out<T: Float>(layer: &Dropout, pass: &Pass<'_, T>, values: &mut [T]) {
    let row = pass.plan.input.elements().get();
    if !pass.training || layer.rate == 0.0 || row == 0 {
        return;
    }
    for (index, values) in values.chunks_exact_mut(row).enumerate() {
        let (t, n) = (index / pass.rows.samples, index % pass.rows.samples);
        let sample = (pass.noise.first_sample + n) as u64;
        let mask = elementwise::Dropout {
            random: pass.noise.random,
            first_element: (sample << SAMPLE_BITS) + (t * row) as u64,
            keep: 1.0 - layer.rate,
        };
        mask.apply(values);
    }
}

impl<T: Float> Layer<T> for Dropout {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        y.copy_from_slice(x);
        drop_out(self, pass, y);
    }

    fn backward(&self, pass: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        if let Some(dx) = flow.dx {
            dx.copy_from_slice(flow.dy);
            drop_out(self, pass, dx);
        }
    }
}
