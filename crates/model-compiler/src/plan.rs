//! The order of execution: steps, and the segments that they fall into.
//!
//! A layer that couples the samples of a batch starts a segment: the pass before it stops, all blocks meet, and their
//! statistics are merged.

use crate::builtin::Role;
use crate::check::Checked;
use crate::fuse::{Group, fuse};
use std::ops::Range;

/// What is executed, in order.
#[derive(Debug)]
pub struct Program<'a> {
    /// The network.
    pub checked: &'a Checked<'a>,
    /// The steps.
    pub steps: Vec<Group>,
    /// The segments.
    pub segments: Vec<Segment>,
}

/// Steps that run without looking at other blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Their positions among all steps.
    pub steps: Range<usize>,
    /// Whether the first of them couples samples.
    pub starts_coupled: bool,
    /// The coupled step of the segment behind this one.
    pub next_coupled: Option<usize>,
}

/// Plans the execution of a checked network.
#[must_use]
pub fn plan<'a>(checked: &'a Checked<'a>) -> Program<'a> {
    let steps = fuse(&checked.layers);
    let coupled: Vec<bool> = steps
        .iter()
        .map(|step| checked.layers[step.layers.start].role == Role::Coupled)
        .collect();
    Program {
        checked,
        steps,
        segments: segments(&coupled),
    }
}

/// A segment before every coupled step; where that step is the first, its segment is empty.
fn segments(coupled: &[bool]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut start = 0;
    let starts = (0..coupled.len()).filter(|&step| coupled[step]);
    for end in starts.map(Some).chain([None]) {
        segments.push(Segment {
            steps: start..end.unwrap_or(coupled.len()),
            starts_coupled: !segments.is_empty(),
            next_coupled: end,
        });
        start = end.unwrap_or(start);
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::{Segment, segments};

    #[test]
    fn a_network_without_coupling_is_one_segment() {
        let whole = Segment {
            steps: 0..3,
            starts_coupled: false,
            next_coupled: None,
        };
        assert_eq!(segments(&[false; 3]), [whole]);
    }

    #[test]
    fn a_segment_ends_before_every_coupled_step() {
        let cut = segments(&[false, true, false, true]);
        let ranges: Vec<_> = cut.iter().map(|segment| segment.steps.clone()).collect();
        assert_eq!(ranges, [0..1, 1..3, 3..4]);
        assert_eq!(cut[0].next_coupled, Some(1));
        assert!(!cut[0].starts_coupled && cut[2].starts_coupled);
    }

    #[test]
    fn a_coupled_first_step_leaves_the_first_segment_empty() {
        let cut = segments(&[true, false]);
        assert_eq!((cut[0].steps.clone(), cut[0].next_coupled), (0..0, Some(0)));
        assert_eq!(cut[1].steps, 0..2);
    }
}
