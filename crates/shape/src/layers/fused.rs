//! Layers that the macro makes of several: one pass over memory where the list wrote two.

use super::{BatchNorm, Conv2d, MaxPool2d};
use crate::{Plan, Shape};

/// A convolution with its activation and the max-pool behind it, as one layer.
///
/// The convolution's output exists only in registers; the place of every maximum is kept in one byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvPool2d {
    /// The convolution, its activation included.
    pub conv: Conv2d,
    /// The pool.
    pub pool: MaxPool2d,
}

impl ConvPool2d {
    /// `pool` behind `conv`.
    #[must_use]
    pub const fn new(conv: Conv2d, pool: MaxPool2d) -> Self {
        Self { conv, pool }
    }

    /// The shape rule: the convolution's, then the pool's.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        let conv = self.conv.plan(input);
        if conv.fault.is_some() {
            return conv;
        }
        let pool = self.pool.plan(conv.output);
        if pool.fault.is_some() {
            return pool;
        }
        let mut plan = conv;
        plan.output = pool.output;
        plan.saved_bytes = pool.saved_bytes;
        plan
    }
}

/// A batch normalisation with its activation and the max-pool behind it, as one layer.
///
/// The pool's windows tile the image, so that every normalised number belongs to at most one of them; none is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormPool2d {
    /// The normalisation, its activation included.
    pub norm: BatchNorm,
    /// The pool.
    pub pool: MaxPool2d,
}

impl BatchNormPool2d {
    /// `pool` behind `norm`.
    ///
    /// # Panics
    /// If the windows of the pool do not tile the image.
    #[must_use]
    pub const fn new(norm: BatchNorm, pool: MaxPool2d) -> Self {
        assert!(
            pool.window.is_tiling(),
            "the windows of the pool do not lie side by side"
        );
        Self { norm, pool }
    }

    /// The shape rule: the normalisation's, then the pool's.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        let norm = self.norm.plan(input);
        if norm.fault.is_some() {
            return norm;
        }
        let pool = self.pool.plan(norm.output);
        if pool.fault.is_some() {
            return pool;
        }
        let mut plan = norm;
        plan.output = pool.output;
        plan
    }
}
