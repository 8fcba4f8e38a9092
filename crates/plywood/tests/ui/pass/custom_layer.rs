//! A type of the user's stands in a list, with arguments, by name and by path, first, last and after a sequence.
#![deny(warnings)]

use plywood::prelude::*;
use plywood::{Fill, Float, Flow, Layer, Memory, Pass, Plan, Shape};

/// `y = factor · x`, a factor for every feature.
pub struct Scale<const FIRST: usize>(f64);

impl<const FIRST: usize> Scale<FIRST> {
    pub const fn new(start: f64) -> Self {
        Self(start)
    }

    pub const fn times(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }

    pub const fn plan(&self, input: Shape) -> Plan {
        Plan::yields(input, input).parameter("factor", &[input.features()], Fill::Constant(self.0))
    }
}

impl<T: Float, const FIRST: usize> Layer<T> for Scale<FIRST> {
    fn forward(&self, _: &Pass<'_, T>, _: &[T], _: &mut [T], _: Memory<'_, T>) {}
    fn backward(&self, _: &Pass<'_, T>, _: Flow<'_, T>, _: Memory<'_, T>) {}
}

plywood::model! {
    pub Net: Sequence<Vector<5>> => Logits<4> {
        scale: Scale<0>(2.0, times: 1.5),
        Dense(4), Relu,
        self::Scale::<1>(1.0),
        Gru(4),
        self::Scale<2>(1.0),
    }
}

pub(crate) fn main() {
    let net = Net::new(Seed(1));
    assert_eq!(net.scale().tensor("factor"), Some(&[3.0; 5][..]));
    assert_eq!(net.scale_3().parameters().len(), 4);
    assert_eq!(Net::LAYERS[5].kind, "Scale");
}
