//! Where several lists of layers come together again: their outputs are added up, or put side by side.

use crate::{Extent, Fault, Item, Plan, Rule, Shape, Size};

/// How the outputs of lists that read the same input become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// `Residual { … }`: what the list makes of its input is added to that input.
    Residual,
    /// `Add { { … }, { … } }`: the outputs are added up.
    Add,
    /// `Concat { { … }, { … } }`: the outputs lie side by side along an axis.
    Concat(Axis),
    /// `Inputs { { … }, { … } }`: what lists make of different inputs lies side by side.
    Inputs,
    /// `Outputs { { … }, { … } }`: all numbers of one output lie behind all of the one before, whatever their shapes.
    Outputs,
}

/// The axis along which outputs lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Axis {
    /// Rows of an image.
    Height,
    /// Columns of an image.
    Width,
    /// Channels of an image, features of a vector: the last axis.
    #[default]
    Features,
}

impl Join {
    /// How it is written in a list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Residual => "Residual",
            Self::Add => "Add",
            Self::Concat(_) => "Concat",
            Self::Inputs => "Inputs",
            Self::Outputs => "Outputs",
        }
    }

    /// The axis along which outputs lie side by side, if they do.
    #[must_use]
    pub const fn axis(self) -> Option<Axis> {
        match self {
            Self::Residual | Self::Add => None,
            Self::Concat(axis) => Some(axis),
            Self::Inputs | Self::Outputs => Some(Axis::Features),
        }
    }

    /// The shape rule: what comes of `outputs`, which the lists make of `input`; the input itself where a list is empty, as the
    /// first of a `Residual` is.
    ///
    /// The gradient of the output is kept for all lists, and where there may be several, the sum of their input gradients.
    #[must_use]
    pub const fn plan(self, input: Shape, outputs: &[Shape]) -> Plan {
        if input.is_index() {
            let rule = Rule::Kind {
                takes: "real numbers",
            };
            return Plan::fault(input, Fault::new(self.name(), rule, input));
        }
        let mut output = match outputs {
            [] => input,
            [first, ..] => *first,
        };
        let mut i = 1;
        while i < outputs.len() {
            output = match self.two(output, outputs[i]) {
                Some(output) => output,
                None => {
                    let rule = Rule::Branch {
                        first: output,
                        number: i + 1,
                    };
                    return Plan::fault(input, Fault::new(self.name(), rule, outputs[i]));
                }
            };
            i += 1;
        }
        let mut plan = Plan::yields(input, output);
        plan.stepwise = true;
        let kept = output.elements().get_or(0);
        let sum = match self {
            Self::Residual => 0,
            Self::Add | Self::Concat(_) | Self::Inputs | Self::Outputs => {
                input.elements().get_or(0)
            }
        };
        plan.saved = if output.sequence == input.sequence {
            Extent {
                per_row: kept + sum,
                per_sample: 0,
            }
        } else {
            Extent {
                per_row: sum,
                per_sample: kept,
            }
        };
        plan
    }

    /// What comes of the outputs of two lists, if they fit. What is not known fits.
    const fn two(self, first: Shape, second: Shape) -> Option<Shape> {
        if matches!(first.item, Item::Unknown) || matches!(second.item, Item::Unknown) {
            // What is wrong there was said there; what is known is whether steps come out.
            return Some(Shape {
                item: Item::Unknown,
                sequence: first.sequence || second.sequence,
            });
        }
        if first.sequence != second.sequence {
            return None;
        }
        let axis = self.axis();
        let item = match (first.item, second.item) {
            _ if matches!(self, Self::Outputs) => {
                Item::Vector(first.elements().plus(second.elements()))
            }
            (
                Item::Image {
                    height,
                    width,
                    channels,
                },
                Item::Image {
                    height: other_height,
                    width: other_width,
                    channels: other_channels,
                },
            ) => {
                let height = size(height, other_height, matches!(axis, Some(Axis::Height)));
                let width = size(width, other_width, matches!(axis, Some(Axis::Width)));
                let channels = size(
                    channels,
                    other_channels,
                    matches!(axis, Some(Axis::Features)),
                );
                match (height, width, channels) {
                    (Some(height), Some(width), Some(channels)) => Item::Image {
                        height,
                        width,
                        channels,
                    },
                    _ => return None,
                }
            }
            _ if first.is_vector_like() && second.is_vector_like() => {
                let is_along = matches!(axis, Some(Axis::Features));
                if axis.is_some() && !is_along {
                    return None;
                }
                match size(first.elements(), second.elements(), is_along) {
                    Some(features) => Item::Vector(features),
                    None => return None,
                }
            }
            _ => return None,
        };
        Some(Shape {
            item,
            sequence: first.sequence,
        })
    }
}

/// The sum along the axis, and along any other the size that both have.
const fn size(first: Size, second: Size, is_along: bool) -> Option<Size> {
    if is_along {
        return Some(first.plus(second));
    }
    match (first, second) {
        (Size::Known(a), Size::Known(b)) if a != b => None,
        (Size::Known(_), _) => Some(first),
        _ => Some(second),
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Join};
    use crate::{Item, Rule, Shape, Size};

    const IMAGE: Shape = Shape::image(8, 6, 4);

    fn output(join: Join, outputs: &[Shape]) -> Option<Shape> {
        let plan = join.plan(IMAGE, outputs);
        plan.fault.is_none().then_some(plan.output)
    }

    #[test]
    fn what_is_added_has_one_shape() {
        assert_eq!(output(Join::Residual, &[IMAGE, IMAGE]), Some(IMAGE));
        let narrow = Shape::image(8, 5, 4);
        assert_eq!(output(Join::Residual, &[IMAGE, narrow]), None);
        let fault = Join::Add.plan(IMAGE, &[narrow, narrow, IMAGE]).fault;
        let rule = Rule::Branch {
            first: narrow,
            number: 3,
        };
        assert_eq!(
            fault.map(|fault| (fault.rule, fault.input)),
            Some((rule, IMAGE))
        );
    }

    #[test]
    fn what_lies_side_by_side_differs_along_one_axis() {
        let along = |axis, second| output(Join::Concat(axis), &[IMAGE, second]);
        let deep = Shape::image(8, 6, 9);
        assert_eq!(along(Axis::Features, deep), Some(Shape::image(8, 6, 13)));
        assert_eq!(along(Axis::Height, deep), None);
        let high = Shape::image(2, 6, 4);
        assert_eq!(along(Axis::Height, high), Some(Shape::image(10, 6, 4)));
        let broad = Shape::image(8, 1, 4);
        assert_eq!(along(Axis::Width, broad), Some(Shape::image(8, 7, 4)));
        let vectors = [Shape::vector(3), Shape::vector(4), Shape::vector(1)];
        let all = output(Join::Concat(Axis::Features), &vectors);
        assert_eq!(all, Some(Shape::vector(8)));
        assert_eq!(output(Join::Concat(Axis::Height), &vectors), None);
    }

    #[test]
    fn sequences_and_kinds_do_not_mix_and_what_is_unknown_fits() {
        let vector = Shape::vector(3);
        assert_eq!(output(Join::Add, &[vector, vector.in_sequence()]), None);
        assert_eq!(output(Join::Add, &[vector, IMAGE]), None);
        assert_eq!(
            output(Join::Add, &[vector, Shape::UNKNOWN]),
            Some(Shape::UNKNOWN)
        );
        let open = Shape::of(Item::Vector(Size::Unknown));
        assert_eq!(output(Join::Add, &[open, vector]), Some(vector));
        assert!(Join::Add.plan(Shape::token(5), &[vector]).fault.is_some());
    }

    #[test]
    fn gradients_are_kept() {
        let plan = Join::Add.plan(IMAGE, &[IMAGE, IMAGE]);
        assert_eq!(plan.saved.len(5, 5), 2 * 5 * 8 * 6 * 4);
        let sequence = Shape::vector(3).in_sequence();
        let plan =
            Join::Concat(Axis::Features).plan(sequence, &[Shape::vector(4), Shape::vector(2)]);
        assert_eq!(plan.saved.len(10, 2), 10 * 3 + 2 * 6);
    }
}
