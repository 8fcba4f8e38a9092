//! Sample kinds: what a network takes and yields, as types.
//!
//! A kind is never constructed; it is the type argument of batches, data sets and networks. Its numbers lie in a
//! `Batch`, row after row.

use crate::{Item, Shape, Size};
use core::fmt::Debug;

/// A kind of sample: its shape, and what one of its numbers is stored as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of sample",
    label = "not a kind of sample",
    note = "kinds are `Image<H, W, C>`, `Vector<N>`, `Token<V>`, `Logits<N>`, `Probabilities<N>`, `Class<N>`, `Real<N>`, a `Sequence<…>` of one, or several in a tuple"
)]
pub trait Sample: 'static + Send + Sync {
    /// The shape that the size rules see.
    const SHAPE: Shape;
    /// `T` for real numbers, `u32` for tokens and classes.
    type Element<T: Element>: Element;
    /// Numbers in one row: in a sample, or in a step of a sequence.
    const ROW: usize = Self::SHAPE.elements().get();

    /// The numbers as tokens, if this kind consists of such; none else.
    fn tokens<T: Element>(_numbers: &[Self::Element<T>]) -> Option<&[u32]> {
        None
    }
}

/// A kind of sample that a [`Sequence`] may consist of: every kind but a sequence.
#[diagnostic::on_unimplemented(
    message = "a `Sequence` does not consist of `{Self}`",
    label = "not a kind of sample that steps can be of",
    note = "write `Sequence<Vector<8>>`, `Sequence<Token<10_000>>`, …; a sequence of sequences is none"
)]
pub trait SequenceItem: Sample {}

/// A kind of sample that may stand beside others in a tuple: rows of numbers.
///
/// The numbers of a tuple lie side by side, those of the first kind first. A class stands there as a number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not stand beside other kinds of samples",
    label = "not a row of numbers",
    note = "tuples are of `Image`, `Vector`, `Logits`, `Probabilities`, `Real` and, as targets, `Class`; what a sequence has more than one of is a `Sequence<(…)>`"
)]
pub trait Side: SequenceItem {}

/// Several kinds of samples side by side: `(Logits<10>, Vector<4>)`.
pub trait Sides: Sample {
    /// Their shapes, in order.
    const SIDES: &'static [Shape];

    /// What is stored, as the numbers that it is.
    fn numbers<T: Element>(stored: &[Self::Element<T>]) -> &[T];
}

/// Number `I` of several kinds side by side.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no kind number {I}",
    label = "kinds of a tuple are counted from 0"
)]
pub trait SideAt<const I: usize>: Sides {
    /// The kind.
    type Kind: Side;
    /// Numbers of a row before it.
    const START: usize;
}

/// What a number of a sample may be stored as.
pub trait Element: Copy + Default + PartialEq + Debug + Send + Sync + 'static {}
impl<E: Copy + Default + PartialEq + Debug + Send + Sync + 'static> Element for E {}

/// `H × W` places of `C` channels, channels last: row `h`, column `w`, channel `c` is number `(h·W + w)·C + c`.
#[derive(Clone, Copy, Debug)]
pub struct Image<const H: usize, const W: usize, const C: usize>;
/// `N` numbers.
#[derive(Clone, Copy, Debug)]
pub struct Vector<const N: usize>;
/// A sequence of `S`; its length is a matter of run time.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<S>(core::marker::PhantomData<S>);
/// An index below `VOCABULARY`.
#[derive(Clone, Copy, Debug)]
pub struct Token<const VOCABULARY: usize>;
/// `N` unnormalised log-probabilities, one a class.
#[derive(Clone, Copy, Debug)]
pub struct Logits<const N: usize>;
/// `N` numbers between zero and one.
#[derive(Clone, Copy, Debug)]
pub struct Probabilities<const N: usize>;
/// A class index below `N`.
#[derive(Clone, Copy, Debug)]
pub struct Class<const N: usize>;
/// `N` real numbers to be met by regression.
#[derive(Clone, Copy, Debug)]
pub struct Real<const N: usize>;

impl<const H: usize, const W: usize, const C: usize> Sample for Image<H, W, C> {
    const SHAPE: Shape = Shape::image(H, W, C);
    type Element<T: Element> = T;
}
impl<const H: usize, const W: usize, const C: usize> SequenceItem for Image<H, W, C> {}
impl<const H: usize, const W: usize, const C: usize> Side for Image<H, W, C> {}

impl<S: SequenceItem> Sample for Sequence<S> {
    const SHAPE: Shape = S::SHAPE.in_sequence();
    type Element<T: Element> = S::Element<T>;

    fn tokens<T: Element>(numbers: &[Self::Element<T>]) -> Option<&[u32]> {
        S::tokens::<T>(numbers)
    }
}

macro_rules! kinds {
    ($($kind:ident stores $element:ty),* $(,)?) => {$(
        impl<const N: usize> Sample for $kind<N> {
            const SHAPE: Shape = Shape::of(Item::$kind(Size::Known(N)));
            type Element<T: Element> = $element;
        }
        impl<const N: usize> SequenceItem for $kind<N> {}
        impl<const N: usize> Side for $kind<N> {}
    )*};
}

impl<const VOCABULARY: usize> Sample for Token<VOCABULARY> {
    const SHAPE: Shape = Shape::of(Item::Token(Size::Known(VOCABULARY)));
    type Element<T: Element> = u32;

    fn tokens<T: Element>(numbers: &[u32]) -> Option<&[u32]> {
        Some(numbers)
    }
}
impl<const VOCABULARY: usize> SequenceItem for Token<VOCABULARY> {}

kinds! {
    Vector stores T,
    Logits stores T,
    Probabilities stores T,
    Class stores u32,
    Real stores T,
}

macro_rules! tuples {
    ($(($($side:ident),+)),* $(,)?) => {$(
        impl<$($side: Side),+> Sample for ($($side,)+) {
            const SHAPE: Shape = {
                let row = Size::Known(0);
                $(let row = row.plus($side::SHAPE.elements());)+
                Shape::of(Item::Vector(row))
            };
            type Element<T: Element> = T;
        }
        impl<$($side: Side),+> SequenceItem for ($($side,)+) {}
        impl<$($side: Side),+> Sides for ($($side,)+) {
            const SIDES: &'static [Shape] = &[$($side::SHAPE),+];

            fn numbers<T: Element>(stored: &[T]) -> &[T] {
                stored
            }
        }
    )*};
}

macro_rules! sides {
    ($($index:literal of ($($before:ident),*) $side:ident ($($after:ident),*);)*) => {$(
        impl<$($before: Side,)* $side: Side $(, $after: Side)*> SideAt<$index>
            for ($($before,)* $side, $($after,)*)
        {
            type Kind = $side;
            const START: usize = 0 $(+ $before::ROW)*;
        }
    )*};
}

tuples! { (A, B), (A, B, C), (A, B, C, D) }

sides! {
    0 of () A (B);
    1 of (A) B ();
    0 of () A (B, C);
    1 of (A) B (C);
    2 of (A, B) C ();
    0 of () A (B, C, D);
    1 of (A) B (C, D);
    2 of (A, B) C (D);
    3 of (A, B, C) D ();
}

#[cfg(test)]
mod tests {
    use super::{Class, Image, Logits, Real, Sample, Sequence, SideAt, Sides, Token, Vector};
    use crate::Shape;

    #[test]
    fn types_carry_their_shape() {
        assert_eq!(<Image<28, 28, 1> as Sample>::SHAPE, Shape::image(28, 28, 1));
        assert_eq!(<Image<28, 28, 1> as Sample>::ROW, 784);
        assert_eq!(
            <Sequence<Token<9>> as Sample>::SHAPE,
            Shape::token(9).in_sequence()
        );
        assert_eq!(<Sequence<Vector<5>> as Sample>::ROW, 5);
    }

    #[test]
    fn tuples_lie_side_by_side() {
        type Pair = (Logits<10>, Image<2, 2, 1>);
        assert_eq!(<Pair as Sample>::ROW, 14);
        assert_eq!(Pair::SIDES[1], Shape::image(2, 2, 1),);
        assert_eq!(<Sequence<(Class<3>, Real<2>)> as Sample>::ROW, 3);
        assert_eq!(<(Class<3>, Real<2>, Vector<5>) as SideAt<2>>::START, 3);
    }

    #[test]
    fn tokens_are_known_as_such() {
        let tokens = [2, 7];
        let seen = <Sequence<Token<9>> as Sample>::tokens::<f32>(&tokens);
        assert_eq!(seen, Some(&tokens[..]));
        assert_eq!(<Sequence<Class<9>> as Sample>::tokens::<f32>(&tokens), None);
        assert_eq!(<Vector<2> as Sample>::tokens::<f32>(&[0.5, 1.0]), None);
    }
}
