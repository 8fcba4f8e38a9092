//! The update rules of the optimizers, each one pass over parameters, gradients and moments.
//!
//! The formulas are PyTorch's: moments start from 0, ε stands outside of the root, Adam corrects its bias. A pass treats
//! each element alone and runs its last partial vector through the same code, so it may be cut anywhere. Every gradient is
//! multiplied by `gradient_scale` first, which serves clipping by the global norm ([`sum_of_squares`]).

mod adagrad;
mod adam;
mod norm;
mod pass;
mod rms_prop;
mod sgd;
#[cfg(test)]
mod tests;

pub use adagrad::Adagrad;
pub use adam::{Adam, WeightDecay};
pub use norm::sum_of_squares;
pub use rms_prop::RmsProp;
pub use sgd::Sgd;
