//! Several inputs or outputs: where a network declares a tuple of kinds, and which lists belong to them.
//!
//! ```text
//! pub Net: (Image<28, 28, 1>, Vector<4>) => (Logits<10>, Real<2>) {
//!     Inputs { { Conv2d(8), Relu, Flatten }, { Dense(8) } },       a list for each input; what they yield lies side by side
//!     Dense(32), Relu,
//!     Outputs { { Dense(10) }, { Dense(2) } },                     a list for each output
//! }
//! ```

use crate::ast::{Layer, Network};
use crate::fault::{Faults, Place};
use crate::kinds::{shape_of, step_of};
use plywood_shape::Shape;
use syn::{Type, TypeTuple};

/// The block that begins a list of several inputs.
pub const INPUTS: &str = "Inputs";
/// The block that ends a list of several outputs.
pub const OUTPUTS: &str = "Outputs";

/// The kinds of a tuple.
#[derive(Debug)]
pub struct Sides<'a> {
    /// The tuple itself, for a sequence that of a step.
    pub tuple: &'a TypeTuple,
    /// Whether there is one a step of a sequence.
    pub sequence: bool,
}

impl<'a> Sides<'a> {
    /// The kinds of `(A, B)` or `Sequence<(A, B)>`; `None` for any other type.
    #[must_use]
    pub fn of(kind: &'a Type) -> Option<Self> {
        if let Some(step) = step_of(kind) {
            return Self::of(step).map(|sides| Self {
                sequence: true,
                ..sides
            });
        }
        match kind {
            Type::Tuple(tuple) if tuple.elems.len() > 1 => Some(Self {
                tuple,
                sequence: false,
            }),
            _ => None,
        }
    }

    /// The shape of one of them, as far as it can be read.
    #[must_use]
    pub fn shape(&self, number: usize) -> Option<Shape> {
        let kind = self.tuple.elems.get(number)?;
        shape_of(kind).map(|shape| Shape {
            sequence: self.sequence,
            ..shape
        })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.tuple.elems.len()
    }
}

/// Notes where `Inputs` and `Outputs` stand and should not, or should and do not.
pub fn check(network: &Network, faults: &mut Faults) {
    let (layers, name) = (&network.layers, &network.name);
    let is = |layer: Option<&Layer>, block: &str| {
        layer.is_some_and(|layer| layer.is_bare() && layer.kind() == block)
    };
    let (first, last) = (layers.first(), layers.last());
    if let Some(sides) = Sides::of(&network.input) {
        match first.filter(|_| is(first, INPUTS)) {
            Some(block) => count(block, &sides, "inputs", faults),
            None => {
                let place = first.map_or(Place::of(name), |first| first.place);
                let what = format!(
                    "`{name}` declares {} inputs, which no `Inputs` takes apart",
                    sides.count()
                );
                let help = "begin the list with `Inputs { { … }, { … } }`, a list for each";
                faults.push(place, what, help);
            }
        }
    }
    if let Some(sides) = Sides::of(&network.output) {
        match last.filter(|_| is(last, OUTPUTS)) {
            Some(block) => count(block, &sides, "outputs", faults),
            None => {
                let place = last.map_or(Place::of(name), |last| last.place);
                let what = format!(
                    "`{name}` declares {} outputs, but the list ends in one",
                    sides.count()
                );
                let help = "end the list with `Outputs { { … }, { … } }`, a list for each";
                faults.push(place, what, help);
            }
        }
    }
    for (index, layer) in layers.iter().enumerate() {
        let begins = index == 0 && Sides::of(&network.input).is_some();
        let ends = index + 1 == layers.len() && Sides::of(&network.output).is_some();
        misplaced(layer, begins, ends, faults);
    }
}

fn count(block: &Layer, sides: &Sides<'_>, what: &str, faults: &mut Faults) {
    let lists = block.block.as_ref().map_or(0, Vec::len);
    // That there should be several lists is said of every block.
    if lists > 1 && lists != sides.count() {
        let kind = block.kind();
        let message = format!(
            "`{kind}` holds {lists} lists, but the network declares {} {what}",
            sides.count()
        );
        faults.push(
            Place::of(&block.path),
            message,
            "write a list for each, `{}` for one that stays as it is",
        );
    }
}

fn misplaced(layer: &Layer, begins: bool, ends: bool, faults: &mut Faults) {
    let kind = layer.kind().to_string();
    let fault = match kind.as_str() {
        INPUTS if !begins => Some((
            "`Inputs` begins a network of several inputs, and stands nowhere else",
            "declare them as a tuple, written out: `Name: (Image<28, 28, 1>, Vector<4>) => …`; lists that read the same input are a `Concat { { … }, { … } }`",
        )),
        OUTPUTS if !ends => Some((
            "`Outputs` ends a network of several outputs, and stands nowhere else",
            "declare them as a tuple, written out: `Name: … => (Logits<10>, Vector<4>)`; what goes on from several lists is a `Concat { { … }, { … } }`",
        )),
        _ => None,
    };
    if let Some((what, help)) = fault.filter(|_| layer.is_bare()) {
        faults.push(Place::of(&layer.path), what, help);
    }
    for layer in layer.block.iter().flatten().flatten() {
        misplaced(layer, false, false, faults);
    }
}

#[cfg(test)]
mod tests {
    use super::Sides;
    use plywood_shape::Shape;
    use syn::parse_quote;

    #[test]
    fn tuples_have_sides_and_other_kinds_have_none() {
        let kind = parse_quote!((Image<4, 4, 1>, Vector<3>));
        let sides = Sides::of(&kind).unwrap();
        assert_eq!((sides.count(), sides.sequence), (2, false));
        assert_eq!(sides.shape(0), Some(Shape::image(4, 4, 1)));
        assert_eq!(sides.shape(2), None);
        let kind = parse_quote!(plywood::Sequence<(Vector<3>, Vector<5>)>);
        let sides = Sides::of(&kind).unwrap();
        assert_eq!(sides.shape(1), Some(Shape::vector(5).in_sequence()));
        assert!(Sides::of(&parse_quote!(Sequence<Vector<3>>)).is_none());
        assert!(Sides::of(&parse_quote!(Logits<10>)).is_none());
        assert!(Sides::of(&parse_quote!((Logits<10>,))).is_none());
    }
}
