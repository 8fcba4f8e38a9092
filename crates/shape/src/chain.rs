//! What follows from a whole list of plans: offsets, and whether the list ends where it should.

use crate::fault::NETWORK;
use crate::{Fault, Fill, Item, Plan, Rule, Shape, Size};

/// Numbers to which every layer's parameters are aligned: sixteen `f32` are one cache line.
pub const ALIGNMENT: usize = 16;

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

/// Bytes that a sample, or a step, keeps live of a step between forward and backward pass, at `bytes` a number.
///
/// What a fused layer holds in registers does not count: the plan is that of the executed step.
#[must_use]
pub const fn activation_bytes(plan: &Plan, bytes: usize) -> usize {
    let numbers = plan.output.elements().get_or(0) + plan.saved.per_row + plan.saved.per_sample;
    numbers * bytes + plan.saved_bytes.per_row
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
    let is_meant = match (produced.item, declared.item) {
        (Item::Probabilities(_), Item::Logits(_)) => false,
        (Item::Probabilities(_), Item::Probabilities(_)) => true,
        (_, Item::Probabilities(_)) => false,
        _ => !produced.is_index(),
    };
    if is_meant && produced.fits(declared) {
        return None;
    }
    let rule = Rule::Output { declared };
    Some(Fault::new(NETWORK, rule, produced))
}

/// The fault of a list's end, as [`output_fault`] says; none if a layer of the list is at fault, since what comes out follows from that.
#[must_use]
pub const fn end_fault(chain: &[Plan], produced: Shape, declared: Shape) -> Option<Fault> {
    let mut i = 0;
    while i < chain.len() {
        if chain[i].fault.is_some() {
            return None;
        }
        i += 1;
    }
    output_fault(produced, declared)
}

/// What a network within another, called `name`, makes of what reaches it: it takes `takes` and yields `yields`, and has `lens` numbers
/// of parameters and of state, gaps of alignment included.
#[must_use]
pub const fn network(
    name: &'static str,
    (takes, yields): (Shape, Shape),
    lens: (usize, usize),
    input: Shape,
) -> Plan {
    if !input.is_unknown() && !input.fits(takes) {
        return Plan::fault(input, Fault::new(name, Rule::Takes { takes }, input));
    }
    let (parameters, state) = (Size::Known(lens.0), Size::Known(lens.1));
    let plan = Plan::yields(input, yields);
    plan.offset("parameters", &[parameters], Fill::Zeros)
        .state("state", &[state], Fill::Zeros)
}

/// One step of what reaches a layer that is applied step by step; what is no sequence stays as it is.
#[must_use]
pub const fn step_of(input: Shape) -> Shape {
    Shape::of(input.item)
}

/// The plan of a layer that is applied step by step to `input`, from its plan for one step.
#[must_use]
pub const fn each_step(input: Shape, plan: Plan) -> Plan {
    if !input.sequence && !input.is_unknown() {
        let fault = Fault::new("TimeDistributed", Rule::NeedsSequence, input);
        return Plan::fault(input, fault);
    }
    plan.each_step()
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
    Some(Fault::new(NETWORK, Rule::Empty, input))
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
        let parameters: usize = CNN.iter().map(Plan::parameter_count).sum();
        assert_eq!(parameters, 93_322);
        assert_eq!(CNN.iter().map(|plan| plan.flops).sum::<usize>(), 5_588_480);
        assert_eq!(offsets(&CNN)[2], 320);
    }

    #[test]
    fn scattered_tables_come_first() {
        let gru = Gru::new(8).returns(Returns::Sequence);
        let tokens = Shape::token(100).in_sequence();
        let table = Embedding::new(8).plan(tokens);
        let chain = [gru.plan(table.output), table];
        assert_eq!(offsets(&chain), [800, 0]);
    }

    #[test]
    fn a_network_within_another_takes_what_it_declares() {
        let takes = (Shape::vector(4), Shape::vector(2));
        let plan = network("Encoder", takes, (32, 0), Shape::vector(4));
        assert_eq!((plan.output, plan.parameter_count()), (takes.1, 32));
        let wrong = network("Encoder", takes, (32, 0), Shape::vector(5));
        let says = wrong.message();
        assert!(
            says.as_str()
                .starts_with("Encoder takes Vector<4>, but Vector<5> reaches it"),
            "{says:?}"
        );
        let unknown = network("Encoder", takes, (32, 0), Shape::UNKNOWN);
        assert_eq!((unknown.output, unknown.fault), (takes.1, None));
    }

    #[test]
    fn a_layer_is_applied_to_every_step_of_a_sequence_alone() {
        let flat = |input| each_step(input, Flatten.plan(step_of(input)));
        let images = Shape::image(2, 3, 1).in_sequence();
        assert_eq!(flat(images).output, Shape::vector(6).in_sequence());
        assert!(flat(images).stepwise);
        assert!(flat(Shape::image(2, 3, 1)).fault.is_some());
        assert!(flat(Shape::UNKNOWN).fault.is_none());
    }

    #[test]
    fn the_end_of_a_faulty_list_is_not_looked_at() {
        let dense = Dense::new(12);
        let (good, bad) = (
            dense.plan(Shape::vector(4)),
            dense.plan(Shape::image(2, 2, 1)),
        );
        let end = |chain: &[Plan]| end_fault(chain, Shape::vector(12), Shape::vector(10)).is_some();
        assert!(end(&[good]) && !end(&[bad, good]));
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
