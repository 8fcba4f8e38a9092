//! The non-generic way into the cells, so that crates above do not compile them again.
//!
//! What is generic is compiled by every crate that uses it, and a cell is large: a loop over steps for every level and
//! pass. These methods are compiled here, once a type.

use super::{gru, lstm, simple};
use crate::float::Float;
use crate::simd::Isa;

macro_rules! compiled_once {
    ($($method:ident: $pass:ty),* $(,)?) => {
        /// The passes of all cells, at the level `isa`; arguments are checked.
        pub(crate) trait RnnElement: Sized {
            $(fn $method(isa: Isa, pass: $pass);)*
        }

        compiled_once!(impl f32: $($method: $pass),*);
        compiled_once!(impl f64: $($method: $pass),*);
    };
    (impl $element:ty: $($method:ident: $pass:ty),*) => {
        impl RnnElement for $element {
            $(#[inline(never)]
            fn $method(isa: Isa, pass: $pass) {
                <$element>::dispatch_on(isa, pass);
            })*
        }
    };
}

compiled_once! {
    simple_forward: simple::ForwardPass<'_, Self>,
    simple_backward: simple::BackwardPass<'_, Self>,
    gru_forward: gru::ForwardPass<'_, Self>,
    gru_backward: gru::BackwardPass<'_, Self>,
    lstm_forward: lstm::ForwardPass<'_, Self>,
    lstm_backward: lstm::BackwardPass<'_, Self>,
}
