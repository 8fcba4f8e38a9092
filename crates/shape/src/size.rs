//! A size that may not be known yet, with arithmetic that neither wraps nor panics.

/// One dimension of a shape, or one size among a layer's arguments.
///
/// `Unknown` stands for what cannot be read where the rule is evaluated: a constant that the macro cannot see, or what
/// follows a fault. Rules are silent about it. `Overflow` is what arithmetic past `usize` yields; a plan that meets it
/// is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// The value itself.
    Known(usize),
    /// Not known where the rule is evaluated.
    Unknown,
    /// The result of arithmetic that left the range of `usize`.
    Overflow,
}

use Size::{Known, Overflow, Unknown};

impl Size {
    /// The value.
    ///
    /// # Panics
    /// If the size is not known: a plan without a fault, evaluated from constants, has known sizes only.
    #[must_use]
    pub const fn get(self) -> usize {
        match self {
            Known(n) => n,
            Unknown => panic!("this size is not known"),
            Overflow => panic!("this size overflows usize"),
        }
    }

    /// The value, or `other` where it is not known.
    #[must_use]
    pub const fn get_or(self, other: usize) -> usize {
        match self {
            Known(n) => n,
            Unknown | Overflow => other,
        }
    }

    /// Whether both are known to be the same; an unknown size is the same as any.
    #[must_use]
    pub const fn fits(self, other: Self) -> bool {
        match (self, other) {
            (Known(a), Known(b)) => a == b,
            _ => true,
        }
    }

    /// Whether the size is known to be `n`.
    #[must_use]
    pub const fn is(self, n: usize) -> bool {
        matches!(self, Known(m) if m == n)
    }

    /// Whether the size is known and the product or sum that made it left the range of `usize`.
    #[must_use]
    pub const fn is_overflow(self) -> bool {
        matches!(self, Overflow)
    }

    /// `self + other`.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Known(a), Known(b)) => Self::checked(a.checked_add(b)),
            (Overflow, _) | (_, Overflow) => Overflow,
            _ => Unknown,
        }
    }

    /// `self · other`; zero times anything is zero.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        match (self, other) {
            (Known(0), _) | (_, Known(0)) => Known(0),
            (Known(a), Known(b)) => Self::checked(a.checked_mul(b)),
            (Overflow, _) | (_, Overflow) => Overflow,
            _ => Unknown,
        }
    }

    const fn checked(result: Option<usize>) -> Self {
        match result {
            Some(n) => Known(n),
            None => Overflow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Size::{Known, Overflow, Unknown};

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(Known(3).times(Known(4)), Known(12));
        assert_eq!(Known(usize::MAX).plus(Known(1)), Overflow);
        assert_eq!(Known(usize::MAX).times(Known(2)), Overflow);
        assert_eq!(Overflow.plus(Unknown), Overflow);
        assert_eq!(Unknown.times(Known(2)), Unknown);
        assert_eq!(Known(0).times(Unknown), Known(0));
    }

    #[test]
    fn unknown_fits_everything() {
        assert!(Unknown.fits(Known(3)) && Known(3).fits(Unknown));
        assert!(Known(3).fits(Known(3)) && !Known(3).fits(Known(4)));
    }
}
