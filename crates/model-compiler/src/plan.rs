//! The order of execution: steps forward and back, and the segments that they fall into.
//!
//! Steps lie in one line, whatever the blocks: the lists of a block one after the other, then its junction. The way back is the same
//! line reversed, with a word at the ends of each list: what flows into it, and what becomes of what comes out.
//!
//! A layer that couples the samples of a batch starts a segment: the pass before it stops, all blocks of samples meet, and their
//! statistics are merged.

use crate::builtin::Role;
use crate::check::{Checked, Meaning, Node};
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
    /// The segments.
    pub segments: Vec<Segment>,
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

/// Steps that run without looking at other blocks of samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Their positions among all steps.
    pub steps: Range<usize>,
    /// Their part of the way back: with the coupled step behind the segment, without the one that starts it.
    pub back: Range<usize>,
    /// The step that starts the segment, if it couples samples.
    pub coupled: Option<usize>,
    /// The coupled step of the segment behind this one.
    pub next_coupled: Option<usize>,
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
    let coupled: Vec<bool> = steps
        .iter()
        .map(|step| checked.layers[step.group.layers.start].role == Role::Coupled)
        .collect();
    let segments = segments(&coupled, &back);
    Program {
        checked,
        steps,
        back,
        segments,
    }
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
            pool: None,
        };
        let junction = self.push(group, *end, reads, Some(ends));
        *end = Source::Step(junction);
        // Lists that are added up have the gradient of the output itself, which the first of them finds where it is.
        let is_cut = matches!(
            self.checked.layers[layer].meaning,
            Meaning::Junction(Join::Concat(_))
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

/// A segment before every coupled step; where that step is the first, its segment is empty.
fn segments(coupled: &[bool], back: &[Back]) -> Vec<Segment> {
    let way_to = |step: usize| back.iter().position(|back| *back == Back::Through(step));
    let mut segments = Vec::new();
    let (mut start, mut before) = (0, None);
    let starts = (0..coupled.len()).filter(|&step| coupled[step]);
    for next in starts.map(Some).chain([None]) {
        let first = next.and_then(way_to).unwrap_or(0);
        let end = before.and_then(way_to).unwrap_or(back.len());
        segments.push(Segment {
            steps: start..next.unwrap_or(coupled.len()),
            back: first..end,
            coupled: before,
            next_coupled: next,
        });
        start = next.unwrap_or(start);
        before = next;
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::{Back, Segment, Source, plan, segments};
    use crate::check::check;
    use crate::fault::Faults;
    use crate::parse::parse;

    fn line(steps: usize) -> Vec<Back> {
        (0..steps).rev().map(Back::Through).collect()
    }

    #[test]
    fn a_network_without_coupling_is_one_segment() {
        let whole = Segment {
            steps: 0..3,
            back: 0..3,
            coupled: None,
            next_coupled: None,
        };
        assert_eq!(segments(&[false; 3], &line(3)), [whole]);
    }

    #[test]
    fn a_segment_ends_before_every_coupled_step() {
        let cut = segments(&[false, true, false, true], &line(4));
        let ranges: Vec<_> = cut.iter().map(|segment| segment.steps.clone()).collect();
        assert_eq!(ranges, [0..1, 1..3, 3..4]);
        let ways: Vec<_> = cut.iter().map(|segment| segment.back.clone()).collect();
        assert_eq!(ways, [2..4, 0..2, 0..0]);
        assert_eq!(cut[0].next_coupled, Some(1));
        assert_eq!((cut[0].coupled, cut[2].coupled), (None, Some(3)));
    }

    #[test]
    fn a_coupled_first_step_leaves_the_first_segment_empty() {
        let cut = segments(&[true, false], &line(2));
        assert_eq!((cut[0].steps.clone(), cut[0].next_coupled), (0..0, Some(0)));
        assert_eq!((cut[0].back.clone(), cut[1].back.clone()), (1..2, 0..1));
        assert_eq!(cut[1].steps, 0..2);
    }

    #[test]
    fn lists_of_a_block_lie_in_line_and_are_left_the_other_way_round() {
        let source = "Net: Vector<4> => Logits<8> {
            Dense(4), Concat { { Dense(3), Relu }, {}, { Dense(1) } }, Residual { Dense(8) },
        }";
        let mut faults = Faults::default();
        let network = parse(source.parse().unwrap(), &mut faults).unwrap();
        let checked = check(&network, &mut faults);
        assert!(faults.is_empty(), "{faults:?}");
        let program = plan(&checked);
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
    }
}
