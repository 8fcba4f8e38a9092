//! The order of execution: steps forward and back, and the stretches that they fall into.
//!
//! Steps lie in one line, whatever the blocks: the lists of a block one after the other, then its junction. The way back is the same
//! line reversed, with a word at the ends of each list: what flows into it, and what becomes of what comes out.
//!
//! A layer that couples the samples of a batch starts a segment: the pass before it stops, all blocks of samples meet, and their
//! statistics are merged. A network within the network has segments of its own, as many as only it knows; it is a stretch by itself, and
//! what lies before, between and behind networks are stretches, too. The first segment of a network runs together with the last one of what
//! lies before it, and its last one with what lies behind.

use crate::builtin::Role;
use crate::checked::{Checked, CheckedLayer, Meaning, Node};
use crate::fuse::{Group, fuse};
use plywood_shape::layers::Join;
use std::ops::Range;

/// What is executed, in order.
#[derive(Debug)]
pub struct Program<'a> {
    /// The network.
    pub checked: &'a Checked<'a>,
    /// The steps.
    pub steps: Vec<Step>,
    /// The way back.
    pub back: Vec<Back>,
    /// The stretches.
    pub stretches: Vec<Stretch>,
    /// For every step whether neither it nor what it reads is trained: gradients go back through it only if that of the input is asked
    /// for.
    pub still: Vec<bool>,
}

impl Program<'_> {
    /// The first layer of a step.
    #[must_use]
    pub fn layer(&self, step: usize) -> &CheckedLayer<'_> {
        &self.checked.layers[self.steps[step].group.layers.start]
    }

    /// Whether the gradient of a value is of interest only where that of the network's input is.
    #[must_use]
    pub fn is_still(&self, source: Source) -> bool {
        match source {
            Source::Input => true,
            Source::Step(step) => self.still[step],
        }
    }

    /// Whether there are networks within the network.
    #[must_use]
    pub fn holds_networks(&self) -> bool {
        self.checked.layers.iter().any(CheckedLayer::is_network)
    }
}

/// A step: layers that are computed as one, or a junction.
#[derive(Clone, Debug)]
pub struct Step {
    /// The layers.
    pub group: Group,
    /// What it reads: one value, or a junction the ends of its lists.
    pub reads: Vec<Source>,
    /// What reaches it; of a junction, what reaches its block.
    pub input: Source,
    /// Of a junction, the last step of each list; `None` for a list without steps.
    pub ends: Option<Vec<Option<usize>>>,
}

impl Step {
    /// Whether it is the junction of a block.
    #[must_use]
    pub fn is_junction(&self) -> bool {
        self.ends.is_some()
    }

    /// Whether it is a layer that reads the network's input.
    #[must_use]
    pub fn reads_input(&self) -> bool {
        !self.is_junction() && self.input == Source::Input
    }
}

/// A value that a step reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The network's input.
    Input,
    /// The output of a step.
    Step(usize),
}

/// What the way back does next; numbers are those of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// Through a step.
    Through(usize),
    /// At a junction: keeps the gradient of its output.
    Hold(usize),
    /// Into a list of a junction's block: its part of that gradient, unless that is there already.
    Enter {
        /// The junction.
        junction: usize,
        /// The list.
        list: usize,
    },
    /// Out of a list that others follow: its input gradient is added to those of the lists before.
    Collect {
        /// The junction.
        junction: usize,
        /// Whether there were none before.
        is_first: bool,
    },
    /// Out of the last list: what others collected is added, and what goes past the lists.
    Release {
        /// The junction.
        junction: usize,
        /// Whether others did.
        collected: bool,
    },
}

/// Steps that run without looking at other blocks of samples, or a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Their positions among all steps.
    pub steps: Range<usize>,
    /// Their part of the way back: with the coupled step behind the stretch, without the one that starts it.
    pub back: Range<usize>,
    /// The step that starts the stretch, if it couples samples.
    pub coupled: Option<usize>,
    /// The step that starts the stretch behind this one, if that couples samples.
    pub next_coupled: Option<usize>,
    /// Whether its only step is a network.
    pub is_network: bool,
}

impl Stretch {
    /// Whether nothing is done in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.back.is_empty() && self.next_coupled.is_none()
    }
}

/// Plans the execution of a checked network.
#[must_use]
pub fn plan<'a>(checked: &'a Checked<'a>) -> Program<'a> {
    let mut line = Line {
        checked,
        steps: Vec::new(),
    };
    let (_, back) = line.list(&checked.list, Source::Input);
    let steps = line.steps;
    let cuts: Vec<Cut> = steps
        .iter()
        .map(|step| match &checked.layers[step.group.layers.start] {
            layer if layer.is_network() => Cut::Network,
            layer if layer.role == Role::Coupled && !layer.is_frozen() => Cut::Coupled,
            _ => Cut::Nowhere,
        })
        .collect();
    let stretches = stretches(&cuts, &back);
    let still = still(checked, &steps);
    Program {
        checked,
        steps,
        back,
        stretches,
        still,
    }
}

/// Which steps are not trained, and read nothing that is.
fn still(checked: &Checked<'_>, steps: &[Step]) -> Vec<bool> {
    let mut still: Vec<bool> = Vec::new();
    for step in steps {
        let is_trained = checked.layers[step.group.layers.start].is_trained();
        let is_still = |source: &Source| match source {
            Source::Input => true,
            Source::Step(before) => still[*before],
        };
        let reads_trained = !step.reads.iter().all(is_still);
        still.push(!is_trained && !reads_trained);
    }
    still
}

/// The line of steps as it grows.
struct Line<'a> {
    checked: &'a Checked<'a>,
    steps: Vec<Step>,
}

impl Line<'_> {
    /// Lays out a list that reads `from`: where it ends, and its way back.
    fn list(&mut self, nodes: &[Node], from: Source) -> (Source, Vec<Back>) {
        let mut end = from;
        let mut back: Vec<Back> = Vec::new();
        let mut rest = nodes;
        while let Some(first) = rest.first() {
            let more = match first {
                Node::Layer(start) => {
                    let run = rest
                        .iter()
                        .take_while(|node| matches!(node, Node::Layer(_)));
                    let count = run.count();
                    rest = &rest[count..];
                    self.run(*start..start + count, &mut end)
                }
                Node::Block { junction, lists } => {
                    rest = &rest[1..];
                    self.block(*junction, lists, &mut end)
                }
            };
            back.splice(0..0, more);
        }
        (end, back)
    }

    /// Layers that follow each other.
    fn run(&mut self, layers: Range<usize>, end: &mut Source) -> Vec<Back> {
        let mut back = Vec::new();
        for group in fuse(&self.checked.layers, layers) {
            let step = self.push(group, *end, vec![*end], None);
            *end = Source::Step(step);
            back.insert(0, Back::Through(step));
        }
        back
    }

    fn block(&mut self, layer: usize, lists: &[Vec<Node>], end: &mut Source) -> Vec<Back> {
        let (mut reads, mut ends, mut ways) = (Vec::new(), Vec::new(), Vec::new());
        for (index, list) in lists.iter().enumerate() {
            let (end, back) = self.list(list, *end);
            reads.push(end);
            ends.push(match end {
                Source::Step(step) if !list.is_empty() => Some(step),
                _ => None,
            });
            if !list.is_empty() {
                ways.push((index, back));
            }
        }
        let group = Group {
            layers: layer..layer + 1,
            activation: None,
            function: None,
            pool: None,
        };
        let junction = self.push(group, *end, reads, Some(ends));
        *end = Source::Step(junction);
        // Lists that are added up have the gradient of the output itself, which the first of them finds where it is.
        let is_cut = matches!(
            self.checked.layers[layer].meaning,
            Meaning::Junction(Join::Concat(_) | Join::Inputs | Join::Outputs)
        );
        let mut back = vec![Back::Hold(junction)];
        let count = ways.len();
        for (turn, (list, way)) in ways.into_iter().rev().enumerate() {
            if turn > 0 || is_cut {
                back.push(Back::Enter { junction, list });
            }
            back.extend(way);
            back.push(if turn + 1 < count {
                Back::Collect {
                    junction,
                    is_first: turn == 0,
                }
            } else {
                Back::Release {
                    junction,
                    collected: count > 1,
                }
            });
        }
        back
    }

    fn push(
        &mut self,
        group: Group,
        input: Source,
        reads: Vec<Source>,
        ends: Option<Vec<Option<usize>>>,
    ) -> usize {
        self.steps.push(Step {
            group,
            input,
            reads,
            ends,
        });
        self.steps.len() - 1
    }
}

/// Where a step cuts the line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Nowhere,
    /// Before a step that couples samples.
    Coupled,
    /// Before and behind a network.
    Network,
}

/// A stretch before every coupled step, and before and behind every network; one may be empty.
fn stretches(cuts: &[Cut], back: &[Back]) -> Vec<Stretch> {
    let way_to = |step: usize| {
        let position = back.iter().position(|back| *back == Back::Through(step));
        position.expect("the way back goes through every step that is no junction")
    };
    let mut stretches = Vec::new();
    let (mut start, mut coupled, mut way_end) = (0, None, back.len());
    for (step, cut) in cuts.iter().enumerate() {
        if *cut == Cut::Nowhere {
            continue;
        }
        let (is_network, way) = (*cut == Cut::Network, way_to(step));
        stretches.push(Stretch {
            steps: start..step,
            back: way + usize::from(is_network)..way_end,
            coupled,
            next_coupled: (!is_network).then_some(step),
            is_network: false,
        });
        (start, coupled, way_end) = (step, Some(step), way);
        if is_network {
            stretches.push(Stretch {
                steps: step..step + 1,
                back: way..way + 1,
                coupled: None,
                next_coupled: None,
                is_network: true,
            });
            (start, coupled) = (step + 1, None);
        }
    }
    stretches.push(Stretch {
        steps: start..cuts.len(),
        back: 0..way_end,
        coupled,
        next_coupled: None,
        is_network: false,
    });
    stretches
}

#[cfg(test)]
mod tests {
    use super::{Back, Cut, Source, Stretch, plan, stretches};
    use crate::ast::Network;
    use crate::check::check;
    use crate::checked::Checked;
    use crate::fault::Faults;
    use crate::parse::parse;

    fn line(steps: usize) -> Vec<Back> {
        (0..steps).rev().map(Back::Through).collect()
    }

    fn cut(cuts: &[Cut]) -> Vec<Stretch> {
        stretches(cuts, &line(cuts.len()))
    }

    #[test]
    fn a_network_without_coupling_is_one_stretch() {
        let whole = Stretch {
            steps: 0..3,
            back: 0..3,
            coupled: None,
            next_coupled: None,
            is_network: false,
        };
        assert_eq!(cut(&[Cut::Nowhere; 3]), [whole]);
    }

    #[test]
    fn a_stretch_ends_before_every_coupled_step() {
        let cut = cut(&[Cut::Nowhere, Cut::Coupled, Cut::Nowhere, Cut::Coupled]);
        let ranges: Vec<_> = cut.iter().map(|stretch| stretch.steps.clone()).collect();
        assert_eq!(ranges, [0..1, 1..3, 3..4]);
        let ways: Vec<_> = cut.iter().map(|stretch| stretch.back.clone()).collect();
        assert_eq!(ways, [2..4, 0..2, 0..0]);
        assert_eq!(cut[0].next_coupled, Some(1));
        assert_eq!((cut[0].coupled, cut[2].coupled), (None, Some(3)));
    }

    #[test]
    fn a_coupled_first_step_leaves_the_first_stretch_empty() {
        let cut = cut(&[Cut::Coupled, Cut::Nowhere]);
        assert_eq!((cut[0].steps.clone(), cut[0].next_coupled), (0..0, Some(0)));
        assert_eq!((cut[0].back.clone(), cut[1].back.clone()), (1..2, 0..1));
        assert_eq!(cut[1].steps, 0..2);
    }

    #[test]
    fn a_network_is_a_stretch_between_others() {
        let cut = cut(&[Cut::Network, Cut::Coupled, Cut::Network, Cut::Nowhere]);
        let ranges: Vec<_> = cut.iter().map(|stretch| stretch.steps.clone()).collect();
        assert_eq!(ranges, [0..0, 0..1, 1..1, 1..2, 2..3, 3..4]);
        let ways: Vec<_> = cut.iter().map(|stretch| stretch.back.clone()).collect();
        assert_eq!(ways, [4..4, 3..4, 2..3, 2..2, 1..2, 0..1]);
        let empty: Vec<_> = cut.iter().map(Stretch::is_empty).collect();
        assert_eq!(empty, [true, false, false, false, false, false]);
        assert_eq!((cut[2].next_coupled, cut[3].coupled), (Some(1), Some(1)));
        assert!(cut[1].is_network && cut[4].is_network && !cut[3].is_network);
    }

    fn checked<R>(source: &str, see: impl FnOnce(&Checked<'_>) -> R) -> R {
        let mut faults = Faults::default();
        let network: Network = parse(source.parse().unwrap(), &mut faults).unwrap();
        let checked = check(&network, &mut faults);
        assert!(faults.is_empty(), "{faults:?}");
        see(&checked)
    }

    #[test]
    fn steps_before_the_first_that_is_trained_are_still() {
        let still = |list: &str| {
            let source = format!("Net: Image<4, 4, 1> => Logits<8> {{ {list} }}");
            checked(&source, |checked| {
                let still = plan(checked).still;
                still.iter().filter(|still| **still).count()
            })
        };
        assert_eq!(still("Flatten, Dense(8)"), 1);
        assert_eq!(still("Noise(0.1), Flatten, Relu, Dense(8)"), 2);
        assert_eq!(
            still("frozen Conv2d(3), Relu, Flatten, frozen Dense(4), Dense(8)"),
            2
        );
        assert_eq!(still("Conv2d(3), Flatten, frozen Dense(8)"), 0);
        assert_eq!(still("Flatten, Residual { Relu }, Dense(8)"), 3);
        assert_eq!(
            still("Flatten, Add { { Relu, Dense(8) }, { Dense(8), Relu } }"),
            2
        );
        assert_eq!(still("frozen self::Encoder, Dense(8)"), 1);
        assert_eq!(still("self::Encoder, Dense(8)"), 0);
    }

    #[test]
    fn lists_of_a_block_lie_in_line_and_are_left_the_other_way_round() {
        let source = "Net: Vector<4> => Logits<8> {
            Dense(4), Concat { { Dense(3), Relu }, {}, { Dense(1) } }, Residual { Dense(8) },
        }";
        checked(source, |checked| {
            let program = plan(checked);
            let reads: Vec<_> = program.steps.iter().map(|step| &step.reads[..]).collect();
            let of = |step| Source::Step(step);
            let expected: [&[Source]; 6] = [
                &[Source::Input],
                &[of(0)],
                &[of(0)],
                &[of(1), of(0), of(2)],
                &[of(3)],
                &[of(3), of(4)],
            ];
            assert_eq!(reads, expected);
            let (junction, residual) = (3, 5);
            assert_eq!(
                program.back,
                [
                    Back::Hold(residual),
                    Back::Through(4),
                    Back::Release {
                        junction: residual,
                        collected: false
                    },
                    Back::Hold(junction),
                    Back::Enter { junction, list: 2 },
                    Back::Through(2),
                    Back::Collect {
                        junction,
                        is_first: true
                    },
                    Back::Enter { junction, list: 0 },
                    Back::Through(1),
                    Back::Release {
                        junction,
                        collected: true
                    },
                    Back::Through(0),
                ]
            );
        });
    }
}
