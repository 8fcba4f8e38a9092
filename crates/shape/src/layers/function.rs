//! Activations from outside of the library.

use super::pointwise::same_shape;
use crate::{Plan, Shape, Size};

/// `Activation(F)`: a function of the user's, number by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointwise<F> {
    /// The function.
    pub function: F,
}

impl<F> Pointwise<F> {
    /// The layer that applies `function`.
    #[must_use]
    pub const fn new(function: F) -> Self {
        Self { function }
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        same_shape("Activation", input)
    }
}

/// A layer and what is applied to its output number by number, as one: what that reads is kept, and is no output of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Then<L, F> {
    /// The layer.
    pub layer: L,
    /// The function.
    pub function: F,
}

impl<L, F> Then<L, F> {
    /// `function` behind `layer`.
    #[must_use]
    pub const fn new(layer: L, function: F) -> Self {
        Self { layer, function }
    }

    /// The plan of both, from the plan of each.
    #[must_use]
    pub const fn plan(&self, layer: Plan, function: Plan) -> Plan {
        if layer.fault.is_some() {
            return layer;
        }
        if function.fault.is_some() {
            return function;
        }
        let mut plan = layer;
        let kept = Size::Known(plan.saved.per_row).plus(layer.output.elements());
        plan.saved.per_row = kept.get_or(0);
        plan.output = function.output;
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::{Pointwise, Then};
    use crate::Shape;
    use crate::layers::Dense;

    #[test]
    fn what_the_function_reads_is_kept() {
        let (dense, cube) = (Dense::new(7), Pointwise::new(()));
        let first = dense.plan(Shape::vector(3));
        let plan = Then::new(dense, cube).plan(first, cube.plan(first.output));
        assert_eq!((plan.output, plan.saved.per_row), (Shape::vector(7), 7));
        assert!(cube.plan(Shape::token(3)).fault.is_some());
    }
}
