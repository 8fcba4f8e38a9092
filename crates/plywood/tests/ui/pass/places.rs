//! Networks stand wherever items do: several in a module, in a function's body, in a block; derives and conditions pass through.
#![deny(warnings)]

use plywood::prelude::*;

plywood::model! {
    #[derive(PartialEq)]
    First: Vector<4> => Logits<2> { Dense(2) }
}

plywood::model! {
    /// With a part that is declared further down, and one of another module.
    Second: Vector<4> => Logits<2> { Third, other::Part<4>, Dense(2) }
}

plywood::model! {
    #[cfg_attr(all(), derive(PartialEq))]
    Third: Vector<4> => Vector<4> { Dense(4), Relu }
}

#[cfg(any())]
plywood::model! { First: Nothing => Nothing { } }

mod other {
    plywood::model! {
        pub Part<const N: usize>: plywood::prelude::Vector<N> => plywood::prelude::Vector<N> { Dense(N) }
    }
}

plywood::model! {
    /// Sizes called like the expansion's own type parameters, and reckoned with.
    Reckoned<const U: usize, const V: usize>: Vector<U> => Vector<U> { Dense(V - 1), Dense(64 / V), Dense(U) }
}

plywood::model! { Holds<const N: usize>: Vector<N> => Vector<N> { Reckoned<N, 4>, Reckoned<N, N> } }

plywood::model! {
    /// Parts, applied step by step, within blocks.
    Blocks: Sequence<Vector<4>> => Sequence<Vector<2>> {
        Residual { TimeDistributed { Third } }, TimeDistributed { Residual { Third }, Dense(2) },
    }
}

plywood::model! {
    Joined: (Vector<2>, Vector<2>) => (Vector<4>, Vector<4>) { Inputs { {}, {} }, Outputs { {}, {} } }
}

fn in_a_body<const N: usize>() -> usize {
    plywood::model! { Local: Vector<4> => Logits<3> { Dense(3) } }
    plywood::model! { Other: Vector<4> => Logits<3> { local: Local, Dense(3) } }
    N + Other::PARAMETERS
}

pub(crate) fn main() {
    let (first, same) = (First::new(Seed(1)), First::new(Seed(1)));
    assert!(first == same && first != First::new(Seed(2)));
    assert!(Third::new(Seed(1)) == Third::new(Seed(1)));
    assert_eq!(Second::new(Seed(1)).third_0().dense_0().weight().len(), 16);
    assert_eq!(in_a_body::<1>(), 1 + 15 + 12);
    assert_eq!(Holds::<3>::new(Seed(1)).reckoned_0().dense_0().bias().len(), 3);
    assert_eq!((Blocks::PARAMETERS, Joined::PARAMETERS), (20 + 20 + 10, 0));
    let in_a_block = {
        plywood::model! { Local: Vector<1> => Vector<1> { Dense(1) } }
        Local::PARAMETERS
    };
    assert_eq!(in_a_block, 2);
}
