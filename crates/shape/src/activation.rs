//! Activations that an operation can apply to its own output.

/// An element-wise function fused behind a convolution, a product or a normalisation.
///
/// These are the functions whose derivative follows from their own output, so that nothing but the output is kept for
/// the backward pass. `Gelu` and `Silu` need their input and stay layers of their own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `y = x`
    Identity,
    /// `y = max(x, 0)`
    Relu,
    /// `y = x` where `x > 0`, else `slope · x`; the slope is positive.
    LeakyRelu(f64),
    /// `y = 1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `y = tanh x`
    Tanh,
}
