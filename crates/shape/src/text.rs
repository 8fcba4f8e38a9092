//! Text that a `const fn` can write, so that a fault found by constant evaluation reads like one found by the macro.

use crate::{Item, Shape, Size};

const CAPACITY: usize = 640;

/// A short text of at most 640 bytes; what does not fit is dropped.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Text {
    /// The empty text.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            len: 0,
        }
    }

    /// The text so far.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        let (written, _) = self.bytes.split_at(self.len);
        match core::str::from_utf8(written) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    /// Appends `text`, whole or not at all.
    #[must_use]
    pub const fn text(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        if self.len + bytes.len() > CAPACITY {
            return self;
        }
        let mut i = 0;
        while i < bytes.len() {
            self.bytes[self.len + i] = bytes[i];
            i += 1;
        }
        self.len += bytes.len();
        self
    }

    /// Appends `n` in decimal.
    #[must_use]
    pub const fn number(self, n: usize) -> Self {
        let mut digits = [0u8; 20];
        let mut start = digits.len();
        let mut rest = n;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let (_, written) = digits.split_at(start);
        match core::str::from_utf8(written) {
            Ok(text) => self.text(text),
            Err(_) => self,
        }
    }

    /// Appends a size; an unknown one is `?`.
    #[must_use]
    pub const fn size(self, size: Size) -> Self {
        match size {
            Size::Known(n) => self.number(n),
            Size::Unknown => self.text("?"),
            Size::Overflow => self.text("(too large)"),
        }
    }

    /// Appends a shape as its type is written: `Sequence<Vector<64>>`.
    #[must_use]
    pub const fn shape(self, shape: Shape) -> Self {
        if shape.sequence {
            self.text("Sequence<").item(shape.item).text(">")
        } else {
            self.item(shape.item)
        }
    }

    const fn item(self, item: Item) -> Self {
        match item {
            Item::Image {
                height,
                width,
                channels,
            } => self
                .text("Image<")
                .size(height)
                .text(", ")
                .size(width)
                .text(", ")
                .size(channels)
                .text(">"),
            Item::Vector(n) => self.text("Vector<").size(n).text(">"),
            Item::Token(n) => self.text("Token<").size(n).text(">"),
            Item::Logits(n) => self.text("Logits<").size(n).text(">"),
            Item::Probabilities(n) => self.text("Probabilities<").size(n).text(">"),
            Item::Class(n) => self.text("Class<").size(n).text(">"),
            Item::Real(n) => self.text("Real<").size(n).text(">"),
            Item::Unknown => self.text("?"),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Display for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::Text;
    use crate::{Shape, Size};

    #[test]
    fn writes_numbers_and_shapes() {
        const TEXT: Text = Text::new()
            .number(0)
            .text(" ")
            .number(usize::MAX)
            .text(" ")
            .shape(Shape::vector(64).in_sequence())
            .size(Size::Unknown);
        assert_eq!(
            TEXT.as_str(),
            "0 18446744073709551615 Sequence<Vector<64>>?"
        );
    }

    #[test]
    fn drops_what_does_not_fit() {
        let mut text = Text::new();
        for _ in 0..200 {
            text = text.text("four ");
        }
        assert_eq!(text.as_str().len(), 640);
    }
}
