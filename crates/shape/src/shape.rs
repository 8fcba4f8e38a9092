//! The shape of what flows between two layers, as a value.

use crate::{Size, Text};

/// What one sample, or one step of a sequence, consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// `height × width × channels` numbers, channels last.
    Image {
        /// Rows of the image.
        height: Size,
        /// Columns of the image.
        width: Size,
        /// Numbers at each place.
        channels: Size,
    },
    /// That many numbers.
    Vector(Size),
    /// One index below the vocabulary's size.
    Token(Size),
    /// That many unnormalised log-probabilities.
    Logits(Size),
    /// That many numbers between zero and one.
    Probabilities(Size),
    /// One class index below that number.
    Class(Size),
    /// That many real targets.
    Real(Size),
    /// What follows a fault.
    Unknown,
}

/// The shape of what flows between two layers: an item, or a sequence of items.
///
/// The number of samples and the number of steps are known only at run time and are no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// What a sample, or a step, consists of.
    pub item: Item,
    /// Whether a sample is a sequence of such items.
    pub sequence: bool,
}

impl Shape {
    /// What follows a fault.
    pub const UNKNOWN: Self = Self::of(Item::Unknown);

    /// A single `item`.
    #[must_use]
    pub const fn of(item: Item) -> Self {
        Self {
            item,
            sequence: false,
        }
    }

    /// An image of known size, channels last.
    #[must_use]
    pub const fn image(height: usize, width: usize, channels: usize) -> Self {
        Self::of(Item::Image {
            height: Size::Known(height),
            width: Size::Known(width),
            channels: Size::Known(channels),
        })
    }

    /// A vector of known size.
    #[must_use]
    pub const fn vector(features: usize) -> Self {
        Self::of(Item::Vector(Size::Known(features)))
    }

    /// A token out of a vocabulary of known size.
    #[must_use]
    pub const fn token(vocabulary: usize) -> Self {
        Self::of(Item::Token(Size::Known(vocabulary)))
    }

    /// A sequence of this item.
    #[must_use]
    pub const fn in_sequence(self) -> Self {
        Self {
            item: self.item,
            sequence: true,
        }
    }

    /// Another item in place of this one; a sequence stays a sequence.
    #[must_use]
    pub const fn with_item(self, item: Item) -> Self {
        Self {
            item,
            sequence: self.sequence,
        }
    }

    /// The numbers in one row: in one sample, or in one step of a sequence. A token and a class are one number.
    #[must_use]
    pub const fn elements(self) -> Size {
        match self.item {
            Item::Image {
                height,
                width,
                channels,
            } => height.times(width).times(channels),
            Item::Vector(n) | Item::Logits(n) | Item::Probabilities(n) | Item::Real(n) => n,
            Item::Token(_) | Item::Class(_) => Size::Known(1),
            Item::Unknown => Size::Unknown,
        }
    }

    /// The size of the last axis: channels of an image, features of anything else.
    #[must_use]
    pub const fn features(self) -> Size {
        match self.item {
            Item::Image { channels, .. } => channels,
            _ => self.elements(),
        }
    }

    /// Whether this can be taken for `other`: one or a sequence alike, and the same sizes, as far as they are known. Rows of numbers
    /// can be taken for each other, whatever they mean.
    #[must_use]
    pub const fn fits(self, other: Self) -> bool {
        let items = match (self.item, other.item) {
            (
                Item::Image {
                    height,
                    width,
                    channels,
                },
                Item::Image {
                    height: h,
                    width: w,
                    channels: c,
                },
            ) => height.fits(h) && width.fits(w) && channels.fits(c),
            (Item::Token(n), Item::Token(m)) | (Item::Class(n), Item::Class(m)) => n.fits(m),
            _ => {
                self.is_vector_like()
                    && other.is_vector_like()
                    && self.features().fits(other.features())
            }
        };
        items && self.sequence == other.sequence
    }

    /// Whether the item is a row of real numbers without further structure.
    #[must_use]
    pub const fn is_vector_like(self) -> bool {
        matches!(
            self.item,
            Item::Vector(_) | Item::Logits(_) | Item::Probabilities(_) | Item::Real(_)
        )
    }

    /// Whether the item consists of indices, which only an embedding reads.
    #[must_use]
    pub const fn is_index(self) -> bool {
        matches!(self.item, Item::Token(_) | Item::Class(_))
    }

    /// Whether anything about the shape is not known.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self.item, Item::Unknown)
    }

    /// The shape as its type is written, `Image<28, 28, 1>`; unknown sizes are `?`.
    #[must_use]
    pub const fn text(self) -> Text {
        Text::new().shape(self)
    }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, Shape};
    use crate::Size;
    use std::string::ToString;

    #[test]
    fn counts_a_row() {
        assert_eq!(Shape::image(3, 4, 5).elements(), Size::Known(60));
        assert_eq!(Shape::image(3, 4, 5).features(), Size::Known(5));
        assert_eq!(Shape::token(100).in_sequence().elements(), Size::Known(1));
        assert_eq!(Shape::UNKNOWN.elements(), Size::Unknown);
    }

    #[test]
    fn rows_of_numbers_can_be_taken_for_each_other() {
        let n = |n| Size::Known(n);
        let logits = Shape::of(Item::Logits(n(4)));
        assert!(logits.fits(Shape::vector(4)) && Shape::vector(4).fits(logits));
        assert!(!logits.fits(Shape::vector(5)));
        assert!(!logits.fits(Shape::vector(4).in_sequence()));
        assert!(!Shape::token(4).fits(Shape::vector(1)));
        assert!(Shape::token(4).fits(Shape::token(4)) && !Shape::token(4).fits(Shape::token(5)));
        assert!(!Shape::image(2, 2, 1).fits(Shape::vector(4)));
        let unknown = Shape::of(Item::Vector(Size::Unknown));
        assert!(unknown.fits(Shape::vector(4)));
    }

    #[test]
    fn reads_like_its_type() {
        assert_eq!(
            Shape::token(9).in_sequence().to_string(),
            "Sequence<Token<9>>"
        );
    }
}
