//! Pointwise non-linearities.
//!
//! Those that a preceding operation can end with have a derivative that follows from the output y:
//!
//! ```text
//! relu        y = max(x, 0)             dx = dy if y > 0 else 0
//! leaky_relu  y = x if x > 0 else s·x   dx = dy if y > 0 else s·dy      (s > 0)
//! sigmoid     y = 1 / (1 + e⁻ˣ)         dx = dy·y·(1 − y)
//! tanh        y = tanh x                dx = dy·(1 − y²)
//! ```
//!
//! The others need the input x:
//!
//! ```text
//! gelu        y = x·Φ(x)                dx = dy·(Φ(x) + x·φ(x))         (Φ, φ: the standard normal distribution)
//! silu        y = x·σ(x)                dx = dy·σ(x)·(1 + x·(1 − σ(x)))
//! ```

use crate::var::Var;
use plywood_kernels::Float;
use plywood_kernels::elementwise;
pub use plywood_kernels::elementwise::{gelu_backward, gelu_forward, silu_backward, silu_forward};
use plywood_shape::Activation;
use plywood_tensor::Tensor;

/// y = activation(x), in place.
pub fn activation_forward<T: Float>(function: Activation, values: &mut [T]) {
    elementwise::activation_forward_in_place(function, values);
}

/// dx from the output `y` and dy, in place: `gradient` is dy before and dx after.
///
/// # Panics
/// If the lengths differ.
pub fn activation_backward<T: Float>(function: Activation, y: &[T], gradient: &mut [T]) {
    elementwise::activation_backward_in_place(function, y, gradient);
}

impl<'t, T: Float> Var<'t, T> {
    /// activation(self), element by element.
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        let mut y = Tensor::clone(&self.value());
        activation_forward(activation, y.data_mut());
        self.tape().record(&[self], y, move |step| {
            let mut dx = step.output_gradient().to_vec();
            activation_backward(activation, step.output().data(), &mut dx);
            step.add(0, dx);
        })
    }

    /// max(self, 0).
    #[must_use]
    pub fn relu(self) -> Self {
        self.activation(Activation::Relu)
    }

    /// self where positive, else slope·self.
    #[must_use]
    pub fn leaky_relu(self, slope: f64) -> Self {
        self.activation(Activation::LeakyRelu(slope))
    }

    /// 1 / (1 + e⁻ˣ).
    #[must_use]
    pub fn sigmoid(self) -> Self {
        self.activation(Activation::Sigmoid)
    }

    /// The hyperbolic tangent.
    #[must_use]
    pub fn tanh(self) -> Self {
        self.activation(Activation::Tanh)
    }

    /// x·Φ(x), with Φ the standard normal distribution function (Hendrycks and Gimpel, 2016; not the tanh form).
    #[must_use]
    pub fn gelu(self) -> Self {
        self.gated(gelu_forward, gelu_backward)
    }

    /// x·σ(x), with σ the sigmoid (also called swish).
    #[must_use]
    pub fn silu(self) -> Self {
        self.gated(silu_forward, silu_backward)
    }

    fn gated(self, forward: fn(&[T], &mut [T]), backward: fn(&[T], &[T], &mut [T])) -> Self {
        let x = self.value();
        let mut y = Tensor::zeros(x.shape());
        forward(x.data(), y.data_mut());
        self.tape().record(&[self], y, move |step| {
            let mut dx = vec![T::ZERO; step.input(0).len()];
            backward(step.input(0).data(), step.output_gradient(), &mut dx);
            step.add(0, dx);
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck;
    use crate::ops::{sample, seeded};

    #[test]
    fn gradients_agree_with_differences() {
        for (seed, len) in seeded(5, [0, 1, 2, 7, 40]) {
            let x = [sample(seed, [len])];
            gradcheck(&x, |_, v| v[0].relu()).unwrap();
            gradcheck(&x, |_, v| v[0].leaky_relu(0.2)).unwrap();
            gradcheck(&x, |_, v| v[0].sigmoid()).unwrap();
            gradcheck(&x, |_, v| v[0].tanh()).unwrap();
            gradcheck(&x, |_, v| (v[0] * 3.0).gelu()).unwrap();
            gradcheck(&x, |_, v| (v[0] * 3.0).silu()).unwrap();
        }
    }
}
