//! What reaches the next layer, as far as it can be read while the macro expands.

use crate::fault::{Faults, Place};
use crate::kinds;
use plywood_shape::layers::Join;
use plywood_shape::{Fault, Plan, Shape, chain};
use syn::Type;

/// What reaches the next layer.
///
/// Behind a layer of the user's, not even whether samples are sequences is known; a shape has no word for that, so both
/// are tried, and a rule is broken only if it is broken either way.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    shape: Shape,
    may_be_either: bool,
}

impl Reach {
    /// What comes out of a layer that cannot be asked.
    pub const UNKNOWN: Self = Self {
        shape: Shape::UNKNOWN,
        may_be_either: true,
    };

    /// The given shape, or nothing known.
    #[must_use]
    pub fn of(shape: Option<Shape>) -> Self {
        shape.map_or(Self::UNKNOWN, |shape| Self {
            shape,
            may_be_either: false,
        })
    }

    /// The shape as far as it is known.
    #[must_use]
    pub fn shape(self) -> Shape {
        self.shape
    }

    /// Whether nothing about the shape is left to constant evaluation.
    #[must_use]
    pub fn is_certain(self) -> bool {
        !self.may_be_either && kinds::is_certain(self.shape)
    }

    fn alternatives(self) -> impl Iterator<Item = Shape> {
        let alone = Shape {
            sequence: false,
            ..self.shape
        };
        let both = [alone, alone.in_sequence()];
        let only = self.shape;
        let either = self.may_be_either;
        both.into_iter()
            .filter(move |shape| either || *shape == only)
    }

    /// The fault that a rule finds whichever shape it is.
    pub fn fault(self, rule: impl Fn(Shape) -> Option<Fault>) -> Option<Fault> {
        let mut faults = self.alternatives().map(rule);
        let first = faults.next().flatten()?;
        faults.all(|fault| fault.is_some()).then_some(first)
    }

    /// Passes a layer. Its fault, if it cannot take what reaches it.
    pub fn advance(&mut self, plan: impl Fn(Shape) -> Plan) -> Option<Fault> {
        let fault = self.fault(|shape| plan(shape).fault);
        let mut outputs = self.alternatives().map(&plan);
        let outputs: Vec<Shape> = outputs
            .by_ref()
            .filter(|plan| plan.fault.is_none())
            .map(|plan| plan.output)
            .collect();
        *self = match outputs[..] {
            [] => Self::UNKNOWN,
            [shape] => Self {
                shape,
                may_be_either: false,
            },
            [first, second, ..] => Self {
                shape: first,
                may_be_either: first.sequence != second.sequence,
            },
        };
        fault
    }

    /// One step of this. The fault, if it is no sequence.
    pub fn step(self) -> (Self, Option<Fault>) {
        let fault = self.fault(|shape| {
            let step = chain::step_of(shape);
            chain::each_step(shape, Plan::yields(step, step)).fault
        });
        let shape = chain::step_of(self.shape);
        (Self::of(Some(shape)), fault)
    }

    /// A sequence of this.
    #[must_use]
    pub fn in_sequence(self) -> Self {
        Self::of(Some(self.shape.in_sequence()))
    }

    /// What comes of several, which lists of a block make of this one. The fault, if they do not go together.
    pub fn join(self, outputs: &[Self], join: Join) -> (Self, Option<Fault>) {
        if self.may_be_either || outputs.iter().any(|output| output.may_be_either) {
            return (Self::UNKNOWN, None);
        }
        let outputs: Vec<Shape> = outputs.iter().map(|output| output.shape).collect();
        let plan = join.plan(self.shape, &outputs);
        match plan.fault {
            Some(fault) => (Self::UNKNOWN, Some(fault)),
            None => (Self::of(Some(plan.output)), None),
        }
    }

    /// Notes an input of size zero; nothing is known behind it.
    pub fn refuse_empty(&mut self, input: &Type, faults: &mut Faults) {
        if let Some(fault) = chain::input_fault(self.shape) {
            faults.rule(Place::of(input), &fault);
            *self = Self::UNKNOWN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reach;
    use plywood_shape::Shape;
    use plywood_shape::layers::{Dense, Gru};

    #[test]
    fn behind_an_unknown_layer_a_sequence_is_possible() {
        let mut reach = Reach::UNKNOWN;
        assert!(reach.advance(|shape| Dense::new(8).plan(shape)).is_none());
        assert!(reach.advance(|shape| Gru::new(4).plan(shape)).is_none());
        assert_eq!(reach.shape(), Shape::vector(4));
        assert!(reach.advance(|shape| Gru::new(4).plan(shape)).is_some());
    }

    #[test]
    fn nothing_is_known_behind_a_fault() {
        let mut reach = Reach::of(Some(Shape::image(3, 3, 1)));
        assert!(reach.advance(|shape| Dense::new(8).plan(shape)).is_some());
        assert!(reach.advance(|shape| Gru::new(4).plan(shape)).is_none());
    }
}
