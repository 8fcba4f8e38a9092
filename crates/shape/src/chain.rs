//! What follows from a whole list of plans: offsets, totals, and whether the list ends where it should.

use crate::{Fault, Item, Plan, Rule, Shape, Size};

/// Numbers to which every layer's parameters are aligned: sixteen `f32` are one cache line.
pub const ALIGNMENT: usize = 16;

/// A layer of a network as the layer table shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerInfo {
    /// The name in the list, or one made of kind and position: `dense_8`. It prefixes the keys of saved weights.
    pub name: &'static str,
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
    /// The positions of the layers whose outputs it reads; `None` for the network's input.
    pub inputs: &'static [Option<usize>],
}

/// Where each layer's parameters start in the flat buffer.
///
/// Tables whose gradient is scattered come first, so that what the lanes sum is one range; every start is a multiple
/// of [`ALIGNMENT`].
#[must_use]
pub const fn offsets<const N: usize>(chain: &[Plan; N]) -> [usize; N] {
    let mut offsets = [0; N];
    let mut next = 0;
    let mut sparse = true;
    loop {
        let mut i = 0;
        while i < N {
            if chain[i].sparse == sparse {
                offsets[i] = next;
                next += chain[i].parameter_count().next_multiple_of(ALIGNMENT);
            }
            i += 1;
        }
        if !sparse {
            return offsets;
        }
        sparse = false;
    }
}

/// Where each layer's running state starts in the state buffer.
#[must_use]
pub const fn state_offsets<const N: usize>(chain: &[Plan; N]) -> [usize; N] {
    let mut offsets = [0; N];
    let mut next = 0;
    let mut i = 0;
    while i < N {
        offsets[i] = next;
        next += chain[i].state_count().next_multiple_of(ALIGNMENT);
        i += 1;
    }
    offsets
}

/// The length of the flat parameter buffer, gaps of alignment included.
#[must_use]
pub const fn buffer_len(chain: &[Plan]) -> usize {
    let mut len = 0;
    let mut i = 0;
    while i < chain.len() {
        len += chain[i].parameter_count().next_multiple_of(ALIGNMENT);
        i += 1;
    }
    len
}

/// The length of the state buffer, gaps of alignment included.
#[must_use]
pub const fn state_len(chain: &[Plan]) -> usize {
    let mut len = 0;
    let mut i = 0;
    while i < chain.len() {
        len += chain[i].state_count().next_multiple_of(ALIGNMENT);
        i += 1;
    }
    len
}

/// The length of the leading part of the flat buffer whose gradients are scattered.
#[must_use]
pub const fn sparse_len(chain: &[Plan]) -> usize {
    let mut len = 0;
    let mut i = 0;
    while i < chain.len() {
        if chain[i].sparse {
            len += chain[i].parameter_count().next_multiple_of(ALIGNMENT);
        }
        i += 1;
    }
    len
}

/// How many numbers the list trains.
#[must_use]
pub const fn parameters(chain: &[Plan]) -> usize {
    let mut count = 0;
    let mut i = 0;
    while i < chain.len() {
        count += chain[i].parameter_count();
        i += 1;
    }
    count
}

/// Floating-point operations of the products, forward, a sample or a step; a multiply-add counts as two.
#[must_use]
pub const fn flops(chain: &[Plan]) -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < chain.len() {
        sum += chain[i].flops;
        i += 1;
    }
    sum
}

/// Likewise for a training step: forward, weight gradient and input gradient cost the same, and the first layer with
/// parameters computes no input gradient.
#[must_use]
pub const fn training_flops(chain: &[Plan]) -> usize {
    let mut i = 0;
    while i < chain.len() {
        if chain[i].parameter_count() > 0 {
            return 3 * flops(chain) - chain[i].flops;
        }
        i += 1;
    }
    3 * flops(chain)
}

/// Bytes that a sample, or a step, keeps live between forward and backward pass, at `bytes` a number.
///
/// `steps` are the executed plans: what a fused layer holds in registers does not count.
#[must_use]
pub const fn activation_bytes(steps: &[Plan], bytes: usize) -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < steps.len() {
        let plan = &steps[i];
        let numbers = plan.output.elements().get_or(0) + plan.saved.per_row + plan.saved.per_sample;
        sum += numbers * bytes + plan.saved_bytes.per_row;
        i += 1;
    }
    sum
}

/// The fault of a list that yields `produced` where the network declares `declared`, if it is one.
///
/// A vector may be declared as what it means: `Vector`, `Logits` or `Real`. Probabilities come out of `Softmax` or
/// `Sigmoid` alone, and pass as a `Vector` or as `Real`; never as `Logits`, which a loss would normalise again.
#[must_use]
pub const fn output_fault(produced: Shape, declared: Shape) -> Option<Fault> {
    if produced.is_unknown() {
        return None;
    }
    let fits = match (produced.item, declared.item) {
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
        (Item::Probabilities(n), Item::Probabilities(m) | Item::Vector(m) | Item::Real(m))
        | (
            Item::Vector(n) | Item::Logits(n) | Item::Real(n),
            Item::Vector(m) | Item::Logits(m) | Item::Real(m),
        ) => n.fits(m),
        _ => false,
    };
    if fits && produced.sequence == declared.sequence {
        return None;
    }
    let rule = Rule::Output { declared };
    Some(Fault::new("the network", rule, produced))
}

/// The fault of a network that takes `input`, if it is one: a size of zero.
#[must_use]
pub const fn input_fault(input: Shape) -> Option<Fault> {
    let vocabulary = match input.item {
        Item::Token(n) | Item::Class(n) => n,
        _ => Size::Known(1),
    };
    if !input.elements().is(0) && !vocabulary.is(0) {
        return None;
    }
    let rule = Rule::Zero {
        argument: "the size of the input",
    };
    Some(Fault::new("the network", rule, input))
}

/// Panics with the message of `fault`, if there is one; for `const _: () = …;`.
///
/// # Panics
/// If there is a fault.
#[track_caller]
pub const fn report(fault: Option<Fault>) {
    if let Some(fault) = fault {
        panic!("{}", fault.message().as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Conv2d, Dense, Embedding, Flatten, Gru, MaxPool2d, Returns};

    /// The chapter's convolutional network.
    const CNN: [Plan; 8] = {
        let c1 = Conv2d::new(32).plan(Shape::image(28, 28, 1));
        let p1 = MaxPool2d::new([2, 2]).plan(c1.output);
        let c2 = Conv2d::new(64).plan(p1.output);
        let p2 = MaxPool2d::new([2, 2]).plan(c2.output);
        let c3 = Conv2d::new(64).plan(p2.output);
        let flat = Flatten.plan(c3.output);
        let d1 = Dense::new(64).plan(flat.output);
        let d2 = Dense::new(10).plan(d1.output);
        [c1, p1, c2, p2, c3, flat, d1, d2]
    };

    #[test]
    fn the_chapters_network_has_the_known_totals() {
        assert_eq!(parameters(&CNN), 93_322);
        assert_eq!(flops(&CNN), 5_588_480);
        assert_eq!(training_flops(&CNN), 16_376_064);
        assert_eq!(offsets(&CNN)[2], 320);
    }

    #[test]
    fn scattered_tables_come_first() {
        let gru = Gru::new(8).returns(Returns::Sequence);
        let tokens = Shape::token(100).in_sequence();
        let table = Embedding::new(8).plan(tokens);
        let chain = [gru.plan(table.output), table];
        assert_eq!(offsets(&chain), [800, 0]);
        assert_eq!(sparse_len(&chain), 800);
    }

    #[test]
    fn probabilities_do_not_pass_for_logits() {
        let n = Size::Known(10);
        let probabilities = Shape::of(Item::Probabilities(n));
        let logits = Shape::of(Item::Logits(n));
        assert!(output_fault(probabilities, logits).is_some());
        assert!(output_fault(Shape::vector(10), logits).is_none());
        assert!(output_fault(Shape::vector(12), logits).is_some());
        assert!(output_fault(Shape::vector(10).in_sequence(), logits).is_some());
    }
}
