//! Inference step by step: sequences whose next step is not there yet, as of a microphone, a sensor, a typing hand.

use super::profile::Timer;
use super::projected::ProjectedTable;
use crate::arena::{Arena, Purpose};
use crate::network::{Element, Network, Step};
use crate::prepare::prepare;
use crate::run::{Layout, Run};
use plywood_kernels::AlignedVec;
use plywood_shape::{LayerInfo, Precision, Rows, Sample, Shape, Text};

/// Feeds a network one step of some sequences at a time and remembers in between what its recurrent layers carry on.
///
/// A step's output has the same bits as that of [`Session::predict`](super::Session::predict) over the whole sequence; of a network
/// that makes one output of a sequence, it is what there would be if the sequence ended here. Nothing is allocated from one
/// step to the next, and all work is done by the thread that asks for it: several threads take a stream each.
///
/// ```
/// use plywood_nn::engine::Stream;
/// use plywood_nn::{Element, Network};
///
/// /// What a network makes of a sequence that arrives row by row.
/// fn follow<N: Network>(network: &N, rows: impl Iterator<Item = Vec<Element<N>>>) {
///     let mut stream = Stream::new(network, 1);
///     for row in rows {
///         let output = stream.push(&row);
///         println!("{output:?}");
///     }
/// }
/// ```
///
/// Where a recurrent layer reads an embedding, a new stream multiplies its table by the layer's weight, if that takes no more than 16 MiB, so
/// that a step looks the product up.
///
/// A network with a layer that reads from the end of a sequence takes no stream: it does not compile. A layer of one's own that
/// computes every step by itself says so in its plan ([`Plan::stepwise`](plywood_shape::Plan::stepwise)).
#[derive(Debug)]
pub struct Stream<'n, N: Network> {
    network: &'n N,
    layout: Layout,
    prepared: AlignedVec<N::Scalar>,
    table: Option<ProjectedTable<N::Scalar>>,
    arena: Arena<N::Scalar>,
    rows: Rows,
}

impl<'n, N: Network> Stream<'n, N> {
    /// Fails to build if the network cannot be fed step by step, which `cargo check` finds with a line of your own:
    /// `const _: () = Stream::<Net>::CHECKED;`.
    pub const CHECKED: () = {
        if let Some(why) = refusal(N::NAME, N::Input::SHAPE, N::STEPS, N::LAYERS) {
            panic!("{}", why.as_str());
        }
    };

    /// `streams` sequences side by side, all at their beginning.
    #[must_use]
    pub fn new(network: &'n N, streams: usize) -> Self {
        const { Self::CHECKED };
        let layout = Layout::for_inference::<N>(Precision::Full);
        let mut prepared = AlignedVec::zeroed(layout.prepared_len);
        prepare::<N>(
            &layout,
            network.parameters(),
            &mut prepared,
            Timer::default(),
        );
        let rows = Rows {
            samples: streams,
            steps: 1,
        };
        let scratch = layout.scratch_len::<N>(rows, false);
        let mut table = ProjectedTable::of::<N>(&layout);
        if let Some(table) = &mut table {
            table.make::<N>(&layout, network.parameters(), &prepared);
        }
        Self {
            network,
            layout,
            prepared,
            table,
            arena: Arena::new(N::STEPS, rows, scratch, Purpose::Pieces),
            rows,
        }
    }

    /// The outputs at the next step of every sequence.
    ///
    /// # Shapes
    /// `input` \[streams\] rows of a step, one after the other; the outputs likewise.
    ///
    /// # Panics
    /// If `input` has another length.
    #[track_caller]
    pub fn push(&mut self, input: &[Element<N>]) -> &[N::Scalar] {
        let expected = self.rows.samples * N::Input::ROW;
        assert!(
            input.len() == expected,
            "{}: a step of {} sequences has {expected} numbers, not {}",
            N::NAME,
            self.rows.samples,
            input.len()
        );
        let run = Run {
            steps: self.layout.steps(),
            layout: &self.layout,
            first: 0,
            parameters: self.network.parameters(),
            state: self.network.state(),
            prepared: &self.prepared,
            lookup: self
                .table
                .as_ref()
                .and_then(|table| table.lookup::<N>(input)),
            shared: &[],
            shared_gradient: &[],
            rows: self.rows,
            lengths: &[],
            training: false,
            seed: 0,
            time: 0,
            first_sample: 0,
            alone: false,
            timer: Timer::default(),
        };
        for segment in 0..N::SEGMENTS {
            N::forward(segment, &run, input, self.arena.carve(self.rows));
        }
        self.arena.output(N::STEPS, self.rows).0
    }

    /// Begins all sequences anew.
    pub fn reset(&mut self) {
        self.arena.restart();
    }

    /// Begins sequence `stream` anew, whatever the others are at.
    ///
    /// # Panics
    /// If there is no such sequence.
    #[track_caller]
    pub fn reset_one(&mut self, stream: usize) {
        let streams = self.rows.samples;
        assert!(stream < streams, "sequence {stream} of {streams}");
        self.arena.restart_sample(N::STEPS, self.rows, stream);
    }
}

/// Why a network that takes `input` cannot be fed step by step.
const fn refusal(
    name: &'static str,
    input: Shape,
    steps: &[Step],
    layers: &[LayerInfo],
) -> Option<Text> {
    if !input.sequence {
        let why = Text::new().text(name);
        let why = why.text(" takes no sequences, so there are no steps to feed it");
        return Some(why.text("\nhelp: `Session` runs it over samples"));
    }
    let mut i = 0;
    while i < steps.len() {
        if !steps[i].plan.takes_pieces() {
            let layer = &layers[steps[i].layer];
            let why = Text::new().text(layer.kind).text(" (layer `");
            let why = layer.name.behind(why)
                .text("` of ")
                .text(name)
                .text(") needs to see sequences as a whole, so no step can be computed before the last is there")
                .text("\nhelp: run whole sequences with `Session`, or leave the layer out");
            return Some(why);
        }
        i += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::refusal;
    use crate::network::Step;
    use plywood_shape::layers::{Bidirectional, Gru, Recurrent};
    use plywood_shape::{Inputs, LayerInfo, Name, Plan, Shape};

    fn message(kind: &'static str, plan: Plan) -> Option<String> {
        let layer = LayerInfo {
            name: Name::new("reader"),
            kind,
            plan,
            offset: 0,
            state_offset: 0,
            fused_into: 0,
            inputs: Inputs::new(&[None]),
            frozen: false,
        };
        let step = Step {
            plan,
            offset: 0,
            state_offset: 0,
            layer: 0,
            frozen: false,
            still: false,
        };
        refusal("Tagger", plan.input, &[step], &[layer]).map(|text| text.as_str().to_owned())
    }

    #[test]
    fn only_a_network_that_needs_no_later_step_is_fed_step_by_step() {
        let sequence = Shape::vector(3).in_sequence();
        let gru = Gru::new(4);
        assert_eq!(message("Gru", gru.plan(sequence)), None);
        let both = Bidirectional::new(Recurrent::Gru(gru)).plan(sequence);
        let expected = "Bidirectional (layer `reader` of Tagger) needs to see sequences as a whole, so no step can be \
                        computed before the last is there\n\
                        help: run whole sequences with `Session`, or leave the layer out";
        assert_eq!(message("Bidirectional", both).as_deref(), Some(expected));
        let mean = Plan::stepwise(sequence, Shape::vector(3));
        assert!(message("MeanOfSteps", mean).is_some());
        assert!(message("Unknown", Plan::yields(sequence, sequence)).is_some());
        assert_eq!(message("Square", Plan::stepwise(sequence, sequence)), None);
        let still = Plan::yields(Shape::vector(3), Shape::vector(3));
        let expected = "Tagger takes no sequences, so there are no steps to feed it\n\
                        help: `Session` runs it over samples";
        assert_eq!(message("Square", still).as_deref(), Some(expected));
    }
}
