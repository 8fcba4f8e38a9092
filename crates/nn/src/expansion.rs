//! What the expansion of `model!` names, in one place; nothing here is meant to be written by hand.
//!
//! Generated code reaches it as `<library>::__private`. Beside the re-exports there are three small things that only
//! generated code needs: a conversion, a report, and a message for a layer without a shape rule.

pub use crate::arena::Carved;
pub use crate::graph::Graph;
pub use crate::initialise::Seed;
pub use crate::junction::Junction;
pub use crate::layer::Layer;
pub use crate::nested;
pub use crate::network::{
    Element, Lane, LayerView, Network, Step, Visitor, activation_bytes, fresh,
};
pub use crate::run::{Back, Run};
pub use crate::summary::Summary;
pub use plywood_kernels::{AlignedVec, Float};
pub use plywood_shape::{
    Activation, Inputs, LayerInfo, Name, Padding, Plan, Sample, Sides, Vector, chain, layers, table,
};

use plywood_shape::Shape;

/// The numbers of a buffer in another type.
#[must_use]
pub fn cast<T: Float, U: Float>(values: &[T]) -> AlignedVec<U> {
    let mut converted = AlignedVec::zeroed(values.len());
    for (to, from) in converted.iter_mut().zip(values) {
        *to = U::from_f64(from.to_f64());
    }
    converted
}

/// Reports what is wrong with the plan of a layer from outside the library, at its place in a list.
///
/// # Panics
/// With the fault's message, if there is one; or if the layer asks for what only built-in layers can do.
#[track_caller]
pub const fn report_custom(plan: &Plan, is_first: bool) {
    plan.report();
    assert!(
        !plan.output.is_unknown() || plan.input.is_unknown(),
        "the layer's plan does not say what comes out\nhelp: a layer that keeps the shape yields `input`"
    );
    assert!(
        plan.coupling == 0,
        "only the built-in BatchNorm couples the samples of a batch\nhelp: leave `couples` out of the layer's plan"
    );
    assert!(
        !plan.sparse || is_first,
        "a layer that scatters its gradient reads the network's input\nhelp: put it first, or leave `scatters` out of its plan"
    );
}

/// What a type has that stands in a list without a shape rule of its own.
pub trait MissingPlan {
    /// Never called: the bound refuses it.
    fn plan(&self, _input: Shape) -> Plan
    where
        Self: ShapeRule,
    {
        Plan::yields(Shape::UNKNOWN, Shape::UNKNOWN)
    }
}

impl<L> MissingPlan for L {}

/// Implemented by nothing: the bound that gives [`MissingPlan`] its message.
#[diagnostic::on_unimplemented(
    message = "the layer `{Self}` has no shape rule",
    label = "what comes out of it?",
    note = "add to `impl {Self}`: `pub const fn plan(&self, input: Shape) -> Plan`; see examples/04-custom-layer.rs"
)]
pub trait ShapeRule {}
