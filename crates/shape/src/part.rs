//! One of several kinds of samples side by side, in samples and in steps of sequences alike.
//!
//! What looks at one output of several does not care whether the network yields `(A, B)` or `Sequence<(A, B)>`: its
//! part number 0 is an `A`, or a `Sequence<A>`.

use crate::{Element, Sample, Sequence, SequenceItem, SideAt, Sides};

/// What has a part number `I`: several kinds side by side, or a sequence of such.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no part number {I}",
    label = "no tuple of kinds, nor a sequence of one, with as many kinds",
    note = "the parts of `(A, B)` are `A`, number 0, and `B`, number 1; those of `Sequence<(A, B)>` are `Sequence<A>` and `Sequence<B>`"
)]
pub trait PartAt<const I: usize>: Sample {
    /// Kind number `I`; of a sequence, the sequence of it.
    type Part: Sample;
    /// Numbers of a row before it.
    const START: usize;

    /// What is stored, as the numbers that it is.
    fn numbers<T: Element>(stored: &[Self::Element<T>]) -> &[T];
}

impl<const I: usize, S: SideAt<I>> PartAt<I> for S {
    type Part = S::Kind;
    const START: usize = <S as SideAt<I>>::START;

    fn numbers<T: Element>(stored: &[S::Element<T>]) -> &[T] {
        <S as Sides>::numbers(stored)
    }
}

impl<const I: usize, S: SideAt<I> + SequenceItem> PartAt<I> for Sequence<S> {
    type Part = Sequence<S::Kind>;
    const START: usize = <S as SideAt<I>>::START;

    fn numbers<T: Element>(stored: &[S::Element<T>]) -> &[T] {
        <S as Sides>::numbers(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::PartAt;
    use crate::{Class, Logits, Real, Sample, Sequence, Shape};

    type Pair = (Logits<3>, Real<2>);

    /// Shape and place of a part.
    fn part<const I: usize, S: PartAt<I>>() -> (Shape, usize) {
        (S::Part::SHAPE, S::START)
    }

    #[test]
    fn parts_of_sequences_are_sequences() {
        let reals = <Real<2> as Sample>::SHAPE;
        assert_eq!(part::<0, Pair>(), (<Logits<3> as Sample>::SHAPE, 0));
        assert_eq!(part::<1, Pair>(), (reals, 3));
        assert_eq!(part::<1, Sequence<Pair>>(), (reals.in_sequence(), 3));
        assert_eq!(part::<2, (Class<9>, Class<9>, Real<2>)>(), (reals, 2));
    }

    #[test]
    fn what_is_stored_are_numbers() {
        let stored = [1.0, 2.0, 3.0];
        let numbers = <Sequence<(Class<2>, Real<2>)> as PartAt<0>>::numbers::<f32>(&stored);
        assert_eq!(numbers, stored);
    }
}
