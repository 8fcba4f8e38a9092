//! Layers that change numbers and no shape: activations that stand alone, softmax, dropout, noise.

use crate::layer::{Flow, Layer, Memory, Pass};
use plywood_kernels::elementwise;
use plywood_kernels::{Float, softmax};
use plywood_shape::Activation;
use plywood_shape::layers::{Dropout, Gelu, LeakyRelu, Noise, Relu, Sigmoid, Silu, Softmax, Tanh};

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
    if !pass.training || layer.rate == 0.0 {
        return;
    }
    each_row(pass, values, |first_element, values| {
        let mask = elementwise::Dropout {
            random: pass.noise.random,
            first_element,
            keep: 1.0 - layer.rate,
        };
        mask.apply(values);
    });
}

/// Shows every row with the number of its first element, which follows from the sample's place in the batch and the step.
fn each_row<T: Float>(pass: &Pass<'_, T>, values: &mut [T], mut see: impl FnMut(u64, &mut [T])) {
    let row = pass.plan.input.elements().get();
    if row == 0 {
        return;
    }
    for (index, values) in values.chunks_exact_mut(row).enumerate() {
        let (t, n) = (index / pass.rows.samples, index % pass.rows.samples);
        let sample = (pass.noise.first_sample + n) as u64;
        see((sample << SAMPLE_BITS) + (t * row) as u64, values);
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

impl<T: Float> Layer<T> for Noise {
    fn forward(&self, pass: &Pass<'_, T>, x: &[T], y: &mut [T], _: Memory<'_, T>) {
        y.copy_from_slice(x);
        if !pass.training || self.deviation == 0.0 {
            return;
        }
        let deviation = T::from_f64(self.deviation);
        each_row(pass, y, |first_element, values| {
            for (element, value) in (first_element..).zip(values) {
                *value += deviation * pass.noise.random.normal_at(element);
            }
        });
    }

    fn backward(&self, _: &Pass<'_, T>, flow: Flow<'_, T>, _: Memory<'_, T>) {
        if let Some(dx) = flow.dx {
            dx.copy_from_slice(flow.dy);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::layer::{Layer, Memory, Noise as Source, Pass};
    use plywood_kernels::random::Random;
    use plywood_shape::layers::Noise;
    use plywood_shape::{Rows, Shape};

    /// What the layer makes of zeros: samples from `first` on, three steps each.
    fn noise(training: bool, first: usize, samples: usize) -> Vec<f64> {
        let layer = Noise::new(0.5);
        let plan = layer.plan(Shape::vector(1000).in_sequence());
        let pass = Pass {
            plan: &plan,
            rows: Rows { samples, steps: 3 },
            lengths: &[],
            training,
            keeps: training,
            noise: Source {
                random: Random {
                    seed: 7,
                    stream: 70_000,
                    step: 4,
                },
                first_sample: first,
            },
            parameters: &[],
            state: &[],
            prepared: &[],
            lookup: None,
            shared: &[],
            shared_gradient: &[],
        };
        let memory = Memory {
            saved: &mut [],
            bytes: &mut [],
            carried: &mut [],
            scratch: &mut [],
        };
        let mut y = vec![f64::NAN; 3 * samples * 1000];
        layer.forward(&pass, &vec![0.0; y.len()], &mut y, memory);
        y
    }

    #[test]
    fn noise_is_normal_and_there_in_training_alone() {
        assert!(noise(false, 0, 2).iter().all(|y| *y == 0.0));
        let y = noise(true, 0, 20);
        let count = y.len() as f64;
        let mean = y.iter().sum::<f64>() / count;
        let deviation = (y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / count).sqrt();
        let within = y.iter().filter(|y| y.abs() < 0.5).count() as f64 / count;
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((deviation - 0.5).abs() < 0.01, "deviation {deviation}");
        assert!(
            (within - 0.683).abs() < 0.01,
            "within one deviation {within}"
        );
    }

    #[test]
    fn noise_belongs_to_the_place_in_the_batch() {
        let together = noise(true, 0, 4);
        let alone = noise(true, 2, 1);
        for t in 0..3 {
            assert_eq!(
                together[(t * 4 + 2) * 1000..][..1000],
                alone[t * 1000..][..1000]
            );
        }
    }
}
