//! The layer table of a network: what is known of every layer without running it.
//!
//! A network within another takes part in the table of the whole with rows of its own, so a row can be moved: its name says which
//! networks it lies in, and what it reads is counted from where its own network begins.

use crate::chain::ALIGNMENT;
use crate::{Plan, Text};
use core::fmt;

/// The most networks that a layer lies in, one within the other.
const MOST_NETWORKS: usize = 8;

/// A layer of a network as the layer table shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerInfo {
    /// The name in the list, or one made of kind and position: `dense_8`; behind the names of the networks within the network that it
    /// lies in: `encoder.dense_8`. It prefixes the keys of saved weights.
    pub name: Name,
    /// The type in the list: `Conv2d`.
    pub kind: &'static str,
    /// What the layer makes of its input.
    pub plan: Plan,
    /// Where its parameters start in the network's flat buffer.
    pub offset: usize,
    /// Where its running state starts in the network's state buffer.
    pub state_offset: usize,
    /// The position of the layer that computes this one with itself; its own where it stands alone.
    pub fused_into: usize,
    /// What it reads.
    pub inputs: Inputs,
    /// Whether training leaves its numbers as they are.
    pub frozen: bool,
}

/// The name of a layer, behind those of the networks that it lies in: printed as `encoder.dense_8`.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// The layer's own first, then outwards.
    parts: [&'static str; MOST_NETWORKS + 1],
    len: usize,
}

/// The positions of the layers whose outputs a layer reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inputs {
    positions: &'static [Option<usize>],
    /// Where the layer's own network begins in the table.
    base: usize,
    /// What that network reads.
    source: Option<usize>,
}

impl Name {
    /// A name in no network but one.
    #[must_use]
    pub const fn new(own: &'static str) -> Self {
        let mut parts = [""; MOST_NETWORKS + 1];
        parts[0] = own;
        Self { parts, len: 1 }
    }

    /// The name seen from outside of network `network`.
    ///
    /// # Panics
    /// If more than eight networks lie one within the other.
    #[must_use]
    pub const fn within(mut self, network: &'static str) -> Self {
        assert!(
            self.len <= MOST_NETWORKS,
            "more than eight networks lie one within the other\nhelp: write the layers of the innermost out"
        );
        self.parts[self.len] = network;
        self.len += 1;
        self
    }

    /// The name behind some text.
    #[must_use]
    pub const fn behind(&self, mut text: Text) -> Text {
        let mut part = self.len;
        while part > 0 {
            part -= 1;
            text = text.text(self.parts[part]);
            if part > 0 {
                text = text.text(".");
            }
        }
        text
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.parts[..self.len] == other.parts[..other.len]
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        let parts = self.parts[..self.len].iter().rev().copied();
        parts.eq(other.split('.'))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts[..self.len].iter().rev().enumerate() {
            f.write_str(if index > 0 { "." } else { "" })?;
            f.write_str(part)?;
        }
        Ok(())
    }
}

impl Inputs {
    /// What a layer reads that lies in no network but one: positions in its table, `None` for the network's input.
    #[must_use]
    pub const fn new(positions: &'static [Option<usize>]) -> Self {
        Self {
            positions,
            base: 0,
            source: None,
        }
    }

    /// The same seen from a network whose layer `source` is read by the layer's network, which begins at position `base`.
    #[must_use]
    pub const fn within(mut self, base: usize, source: Option<usize>) -> Self {
        self.base += base;
        self.source = match self.source {
            Some(position) => Some(position + base),
            None => source,
        };
        self
    }

    /// The positions in the table of the whole network; `None` for its input.
    pub fn iter(&self) -> impl Iterator<Item = Option<usize>> + use<> {
        let Self { base, source, .. } = *self;
        let position = move |input: &Option<usize>| input.map_or(source, |own| Some(base + own));
        self.positions.iter().map(position)
    }
}

/// How many numbers a network has that are parameters, trained or frozen.
#[must_use]
pub const fn parameters(layers: &[LayerInfo]) -> usize {
    let mut count = 0;
    let mut i = 0;
    while i < layers.len() {
        count += layers[i].plan.parameter_count();
        i += 1;
    }
    count
}

/// The lengths of the flat buffers of parameters and of state, gaps of alignment included.
#[must_use]
pub const fn buffer_lens(layers: &[LayerInfo]) -> (usize, usize) {
    let (mut parameters, mut state) = (0, 0);
    let mut i = 0;
    while i < layers.len() {
        let plan = &layers[i].plan;
        parameters += plan.parameter_count().next_multiple_of(ALIGNMENT);
        state += plan.state_count().next_multiple_of(ALIGNMENT);
        i += 1;
    }
    (parameters, state)
}

/// Floating-point operations of the products, forward, a sample or a step; a multiply-add counts as two.
#[must_use]
pub const fn flops(layers: &[LayerInfo]) -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < layers.len() {
        sum += layers[i].plan.flops;
        i += 1;
    }
    sum
}

/// Likewise for a training step: forward, weight gradient and input gradient cost the same. The first layer that is trained has no
/// input gradient to compute, and nothing goes back through those before it.
#[must_use]
pub const fn training_flops(layers: &[LayerInfo]) -> usize {
    let mut sum = 0;
    let mut is_reached = false;
    let mut i = 0;
    while i < layers.len() {
        let LayerInfo { plan, frozen, .. } = &layers[i];
        let starts = !is_reached && !*frozen && plan.parameter_count() > 0;
        sum += plan.flops
            * match is_reached {
                false => 1 + starts as usize,
                true => 3,
            };
        is_reached |= starts;
        i += 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use crate::layers::{Dense, Flatten};
    use std::string::ToString;
    use std::vec::Vec;

    const fn row(plan: Plan, frozen: bool) -> LayerInfo {
        LayerInfo {
            name: Name::new("layer"),
            kind: "Dense",
            plan,
            offset: 0,
            state_offset: 0,
            fused_into: 0,
            inputs: Inputs::new(&[None]),
            frozen,
        }
    }

    #[test]
    fn names_grow_outwards() {
        let name = Name::new("dense").within("encoder").within("left");
        assert_eq!(name.to_string(), "left.encoder.dense");
        assert!(name == "left.encoder.dense" && name != "dense");
        assert!(name != Name::new("dense"));
    }

    #[test]
    fn inputs_move_with_their_network() {
        let read = |inputs: Inputs| inputs.iter().collect::<Vec<_>>();
        let inputs = Inputs::new(&[None, Some(2)]);
        assert_eq!(read(inputs), [None, Some(2)]);
        let moved = inputs.within(3, Some(1));
        assert_eq!(read(moved), [Some(1), Some(5)]);
        assert_eq!(read(moved.within(10, None)), [Some(11), Some(15)]);
        let first = inputs.within(0, None);
        assert_eq!(read(first.within(4, Some(3))), [Some(3), Some(6)]);
    }

    #[test]
    fn frozen_layers_cost_less_to_train() {
        let flat = Flatten.plan(Shape::image(2, 2, 1));
        let (first, second) = (Dense::new(8), Dense::new(2));
        let (first, second) = (first.plan(flat.output), second.plan(Shape::vector(8)));
        let (a, b) = (first.flops, second.flops);
        let cost = |frozen: [bool; 2]| {
            let rows = [
                row(flat, false),
                row(first, frozen[0]),
                row(second, frozen[1]),
            ];
            training_flops(&rows)
        };
        assert_eq!(cost([false, false]), 2 * a + 3 * b);
        assert_eq!(cost([true, false]), a + 2 * b);
        assert_eq!(cost([false, true]), 2 * a + 3 * b);
        assert_eq!(cost([true, true]), a + b);
        assert_eq!(parameters(&[row(first, true), row(second, false)]), 40 + 18);
        assert_eq!(
            buffer_lens(&[row(first, true), row(second, false)]),
            (80, 0)
        );
    }
}
