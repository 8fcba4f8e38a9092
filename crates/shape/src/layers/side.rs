//! One of several kinds of samples that lie side by side.

use crate::{Item, Plan, Shape};

/// What a list of `Inputs { { … }, { … } }` begins with: the numbers of one of the network's inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Numbers of a row before it.
    pub start: usize,
    /// What it is.
    pub shape: Shape,
}

impl Side {
    /// Number `number` of `sides`.
    ///
    /// # Panics
    /// If there is no such side.
    #[must_use]
    pub const fn of(sides: &[Shape], number: usize) -> Self {
        let mut start = 0;
        let mut i = 0;
        while i < number {
            start += sides[i].elements().get();
            i += 1;
        }
        Self {
            start,
            shape: sides[number],
        }
    }

    /// The shape rule.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        let output = match input.item {
            Item::Unknown => Shape::UNKNOWN,
            _ => input.with_item(self.shape.item),
        };
        Plan::stepwise(input, output)
    }
}

#[cfg(test)]
mod tests {
    use super::Side;
    use crate::Shape;

    #[test]
    fn sides_follow_each_other() {
        let sides = [Shape::image(2, 2, 3), Shape::vector(5)];
        let second = Side::of(&sides, 1);
        assert_eq!((second.start, second.shape), (12, sides[1]));
        let plan = second.plan(Shape::vector(17).in_sequence());
        assert_eq!(plan.output, Shape::vector(5).in_sequence());
    }
}
