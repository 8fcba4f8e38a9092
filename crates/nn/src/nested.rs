//! A network within another: how its layers and steps take part in the tables of the whole.
//!
//! ```text
//! rows of the whole  =  own rows | the rows of a network within, moved | own rows | …
//! ```
//!
//! Tables are flat: the engine sees one list of steps, whoever wrote them. What a step of the network within knows of places in the
//! list, in the parameters and in the state is moved to where the network begins; a pass over it is its own generated pass, which
//! counts from there ([`Run::part`](crate::Run::part)).

use crate::arena::Carved;
use crate::network::{Element, Lane, Network, Step, Visitor};
use crate::run::Run;
use plywood_kernels::AlignedVec;
use plywood_shape::{LayerInfo, Plan, Sample, Shape, chain, table};
use std::ops::Range;

/// Rows of a table that lie one behind the other.
#[derive(Debug)]
pub enum Part<'a, R> {
    /// Of the network itself.
    Own(&'a [R]),
    /// Of a network within it.
    Network(&'a [R], Place),
}

/// Where a network lies within another.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// What it is called there.
    pub name: &'static str,
    /// The position of its first layer.
    pub layer: usize,
    /// The layer whose output it reads; `None` for the input of the whole.
    pub source: Option<usize>,
    /// Where its parameters start.
    pub offset: usize,
    /// Where its running state starts.
    pub state_offset: usize,
    /// Whether training leaves its numbers as they are.
    pub frozen: bool,
    /// Whether nothing that it reads is trained.
    pub reads_still: bool,
    /// Whether it is applied to every step of a sequence.
    pub each_step: bool,
}

impl Place {
    const fn plan(&self, mut plan: Plan) -> Plan {
        if self.frozen {
            plan = plan.frozen();
        }
        if self.each_step {
            plan = plan.each_step();
        }
        plan
    }

    const fn step(&self, step: Step) -> Step {
        Step {
            plan: self.plan(step.plan),
            offset: self.offset + step.offset,
            state_offset: self.state_offset + step.state_offset,
            layer: self.layer + step.layer,
            frozen: self.frozen || step.frozen,
            still: self.reads_still && (self.frozen || step.still),
        }
    }

    const fn layer(&self, info: LayerInfo) -> LayerInfo {
        LayerInfo {
            name: info.name.within(self.name),
            kind: info.kind,
            plan: self.plan(info.plan),
            offset: self.offset + info.offset,
            state_offset: self.state_offset + info.state_offset,
            fused_into: self.layer + info.fused_into,
            inputs: info.inputs.within(self.layer, self.source),
            frozen: self.frozen || info.frozen,
        }
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident of $row:ty, moved by $moved:ident;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub const fn $table<const N: usize>(parts: &[Part<'_, $row>]) -> [$row; N] {
            let mut rows = [match parts[0] {
                Part::Own(rows) | Part::Network(rows, _) => rows[0],
            }; N];
            let (mut next, mut part) = (0, 0);
            while part < parts.len() {
                let (Part::Own(from) | Part::Network(from, _)) = parts[part];
                let mut i = 0;
                while i < from.len() {
                    rows[next] = match &parts[part] {
                        Part::Own(_) => from[i],
                        Part::Network(_, place) => place.$moved(from[i]),
                    };
                    next += 1;
                    i += 1;
                }
                part += 1;
            }
            rows
        }
    )*};
}

tables! {
    /// The table of steps.
    steps of Step, moved by step;
    /// The table of layers.
    layers of LayerInfo, moved by layer;
}

/// The positions at which items of such lengths begin, and behind them where the last one ends.
#[must_use]
pub const fn starts<const N: usize>(lens: &[usize]) -> [usize; N] {
    let mut starts = [0; N];
    let mut i = 0;
    while i < lens.len() {
        starts[i + 1] = starts[i] + lens[i];
        i += 1;
    }
    starts
}

/// What a network is for another that it lies in.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    name: &'static str,
    takes: Shape,
    yields: Shape,
    /// Numbers of its parameters and of its state.
    lens: (usize, usize),
    /// Whether it begins with a table.
    scatters: bool,
}

impl Declared {
    /// What `N` is.
    #[must_use]
    pub const fn of<N: Network>() -> Self {
        let () = N::FITS;
        Self {
            name: N::NAME,
            takes: <N::Input as Sample>::SHAPE,
            yields: <N::Output as Sample>::SHAPE,
            lens: table::buffer_lens(N::LAYERS),
            scatters: !N::STEPS.is_empty() && N::STEPS[0].plan.sparse,
        }
    }

    /// Reports what is wrong with it at its place in a list.
    ///
    /// # Panics
    /// With the fault of `plan`, if there is one; or if its table does not read the whole's input.
    #[track_caller]
    pub const fn report(&self, plan: &Plan, is_first: bool) {
        plan.report();
        assert!(
            !self.scatters || is_first,
            "a network that begins with a table reads the input of the whole\nhelp: put it first"
        );
    }

    /// What it makes of what reaches it.
    #[must_use]
    pub const fn plan(&self, input: Shape) -> Plan {
        chain::network(self.name, (self.takes, self.yields), self.lens, input)
    }
}

/// A copy of the network within `whole` whose numbers start there.
#[must_use]
pub fn taken<N: Network>(whole: &impl Network<Scalar = N::Scalar>, offsets: (usize, usize)) -> N {
    let (parameters, state) = table::buffer_lens(N::LAYERS);
    let part = |values: &[N::Scalar], start: usize, len: usize| {
        let mut part = AlignedVec::zeroed(len);
        part.copy_from_slice(&values[start..][..len]);
        part
    };
    N::of_numbers(
        part(whole.parameters(), offsets.0, parameters),
        part(whole.state(), offsets.1, state),
    )
}

/// Puts the numbers of a network where those of the network within `whole` start.
pub fn put<N: Network>(
    whole: &mut impl Network<Scalar = N::Scalar>,
    offsets: (usize, usize),
    part: &N,
) {
    let (parameters, state) = (part.parameters(), part.state());
    whole.parameters_mut()[offsets.0..][..parameters.len()].copy_from_slice(parameters);
    whole.state_mut()[offsets.1..][..state.len()].copy_from_slice(state);
}

/// Runs a segment of the network that is `steps` of a run forward; all of them, if it is frozen, since its samples share nothing then.
pub fn forward<N: Network>(
    steps: Range<usize>,
    (segment, is_frozen): (usize, bool),
    run: &Run<'_, N::Scalar>,
    x: &[Element<N>],
    mut memory: Carved<'_, N::Scalar>,
) {
    let own = run.part(steps.start);
    let mut memory = run.memory(steps, &mut memory);
    for segment in segments::<N>(segment, is_frozen) {
        N::forward(segment, &own, x, memory.again());
    }
}

/// Runs it backward, with the gradient of its input where that is wanted.
pub fn backward<N: Network>(
    steps: Range<usize>,
    (segment, is_frozen): (usize, bool),
    run: &Run<'_, N::Scalar>,
    x: &[Element<N>],
    mut memory: Carved<'_, N::Scalar>,
    (lane, is_wanted): (&mut Lane<'_, N::Scalar>, bool),
) {
    let own = run.part(steps.start);
    let mut memory = run.memory(steps, &mut memory);
    for segment in segments::<N>(segment, is_frozen).rev() {
        let memory = memory.again();
        if is_wanted {
            N::backward::<true>(segment, &own, x, memory, lane);
        } else {
            N::backward::<false>(segment, &own, x, memory, lane);
        }
    }
}

/// The network's segments that run in `segment` of it.
fn segments<N: Network>(segment: usize, is_frozen: bool) -> Range<usize> {
    if is_frozen {
        0..N::SEGMENTS
    } else {
        segment..segment + 1
    }
}

/// Shows the network's steps to `visitor`, the first of them as step `first`.
pub fn visit<N: Network>(first: usize, visitor: &mut impl Visitor<N::Scalar>) {
    N::visit(first, visitor);
}

/// Scatters to the table that is the network's first step.
pub fn scatter<N: Network>(
    input: &[Element<N>],
    deferred: &[N::Scalar],
    start: usize,
    part: &mut [N::Scalar],
) {
    N::scatter(input, deferred, start, part);
}

/// What reaches a network, as what it reads.
#[must_use]
pub fn read<N: Network>(x: &[impl ReadAs<Element<N>>]) -> &[Element<N>] {
    ReadAs::read(x)
}

/// Numbers of one type read as another, which is the same.
#[diagnostic::on_unimplemented(
    message = "a network that reads tokens stands first in a list whose input is tokens, and there alone",
    label = "this network reads `{E}` and not `{Self}`"
)]
pub trait ReadAs<E>: Sized {
    /// The same numbers.
    fn read(x: &[Self]) -> &[E];
}

impl<E> ReadAs<E> for E {
    fn read(x: &[E]) -> &[E] {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::starts;

    #[test]
    fn items_begin_where_those_before_end() {
        assert_eq!(starts::<4>(&[1, 5, 2]), [0, 1, 6, 8]);
        assert_eq!(starts::<1>(&[]), [0]);
    }
}
