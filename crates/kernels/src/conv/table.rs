//! The kernels of both element types, compiled in this crate once.
//!
//! What is generic is compiled again by every crate that uses it, and these kernels are large: a tile for every level,
//! pass and number of pixels. So both types' entry functions stand in statics of this crate, and the generic functions
//! look theirs up.

use std::any::Any;

use super::mono::Mono;
use super::narrow::Narrow;
use super::pooled::BySample;
use super::windows::ByWindow;
use super::winners::{Prepare, Sparse};
use super::winograd::{Scheme, Winograd};
use super::{BackwardPool, ForwardPool, Implementation};
use crate::float::Float;
use crate::simd::Isa;

/// The entry functions for elements of type `T`; arguments are checked.
pub(super) struct Table<T: Float> {
    /// Best first within a level, the reference last.
    pub(super) implementations: &'static [Implementation<T>],
    pub(super) pool_of_one_channel: fn(Isa, ForwardPool<'_, T>),
    pub(super) pool_by_window: fn(Isa, ForwardPool<'_, T>),
    pub(super) pool_by_sample: fn(Isa, ForwardPool<'_, T>),
    pub(super) pool_in_tiles_of_two: fn(Isa, ForwardPool<'_, T>),
    pub(super) pool_in_tiles_of_four: fn(Isa, ForwardPool<'_, T>),
    pub(super) through_winners: fn(Isa, BackwardPool<'_, T>),
    pub(super) narrow: fn(Isa, Narrow<'_, T>),
    pub(super) prepare_winners: fn(Isa, Prepare<'_, T>),
}

static SINGLE: Table<f32> = Table::new(Implementation::SINGLE);
static DOUBLE: Table<f64> = Table::new(Implementation::DOUBLE);

impl<T: Float> Table<T> {
    const fn new(implementations: &'static [Implementation<T>]) -> Self {
        Self {
            implementations,
            pool_of_one_channel: |isa, pass| T::dispatch_on(isa, Mono(pass)),
            pool_by_window: |isa, pass| T::dispatch_on(isa, ByWindow(pass)),
            pool_by_sample: |isa, pass| T::dispatch_on(isa, BySample(pass)),
            pool_in_tiles_of_two: |isa, pass| T::dispatch_on(isa, Winograd(Scheme::Two, pass)),
            pool_in_tiles_of_four: |isa, pass| T::dispatch_on(isa, Winograd(Scheme::Four, pass)),
            through_winners: |isa, pass| T::dispatch_on(isa, Sparse(pass)),
            narrow: |isa, pass| T::dispatch_on(isa, pass),
            prepare_winners: |isa, weights| T::dispatch_on(isa, weights),
        }
    }

    /// The table of this type.
    pub(super) fn get() -> &'static Self {
        let tables: [&'static dyn Any; 2] = [&SINGLE, &DOUBLE];
        let mut own = tables.into_iter().filter_map(|table| table.downcast_ref());
        own.next().expect("f32 and f64 are all the types there are")
    }
}
