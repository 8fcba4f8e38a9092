//! One naive reference an operation: plain `f64` loops straight from the formulas.
//!
//! They are slow and short on purpose, share nothing with the kernels they judge, and are themselves held against PyTorch
//! and Keras by this crate's tests. Slices are row-major, layouts are Plywood's: images N×H×W×C, weights
//! `[rows][columns][in / groups][out]` and `[in][out]`, one sequence `[step][feature]`.

pub mod activation;
pub mod chapter;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod embedding;
pub mod loss;
pub mod matmul;
pub mod norm;
pub mod numeric;
pub mod pool2d;
pub mod rnn;
pub mod softmax;
pub mod window;

pub use matmul::matmul;
pub use numeric::numeric_gradient;
pub use window::Window;
