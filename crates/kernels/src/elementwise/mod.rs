//! Operations that treat each element alone.

mod activation;

#[cfg(test)]
pub(crate) use activation::ActivationForward;
pub use activation::{Activation, activation_forward};
