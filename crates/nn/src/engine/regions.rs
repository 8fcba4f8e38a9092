//! How the gradient of every stretch of the flat buffer comes about, and how the buffer is cut into shares.
//!
//! ```text
//! table    rows scattered to it           kept by the lanes, in order
//! late     xᵀ·g over the whole batch      kept by the lanes, in order
//! lanes    the sum of the lanes' buffers  in order
//! frozen   none
//! ```
//!
//! Shares are contiguous and take about the same time each. They follow from the network alone; every number's update reads its
//! own gradient and moments alone, so they change no bit.

use super::team;
use crate::network::{Network, Step};
use crate::run::{Late, Layout};
use plywood_shape::chain::ALIGNMENT;
use std::ops::Range;

/// Numbers of a piece that lanes are added up in: parameters, gradient and two moments take half of the first-level cache.
const CHUNK: usize = 1024;
/// Numbers of a piece of a late gradient, about: with its parameters and moments half of a second-level cache.
const LATE_PIECE: usize = 1 << 15;
/// What updating a number costs, beside one whose gradient the lanes add up: its product with some dozens of samples …
const LATE_COST: usize = 4;
/// … and finding the rows that are scattered to it.
const TABLE_COST: usize = 1;

/// A stretch of the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) range: Range<usize>,
    pub(super) source: Source,
}

/// Where a gradient comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Rows scattered to the table, each of so many numbers. What lies behind its last whole row is never scattered to.
    Table { row: usize },
    /// A late weight: the layout's.
    Late(Late),
    /// The lanes' buffers, from this number on.
    Lanes { start: usize },
    /// None: the numbers are frozen.
    Frozen,
}

/// The regions of `N`'s flat buffer, one behind the other.
pub(super) fn regions_of<N: Network>(layout: &Layout, len: usize) -> Vec<Region> {
    let mut regions = Vec::new();
    for (index, step) in N::STEPS.iter().enumerate() {
        add_step(&mut regions, layout, index, step);
    }
    regions.retain(|region| !region.range.is_empty());
    let ends: Vec<usize> = regions
        .iter()
        .skip(1)
        .map(|next| next.range.start)
        .collect();
    // The gaps of alignment belong to what precedes them.
    for (region, end) in regions.iter_mut().zip(ends.into_iter().chain([len])) {
        region.range.end = end;
    }
    merge_lanes(regions)
}

fn add_step(regions: &mut Vec<Region>, layout: &Layout, index: usize, step: &Step) {
    let range = step.offset..step.offset + step.plan.parameter_count();
    if step.frozen {
        let source = Source::Frozen;
        regions.push(Region { range, source });
        return;
    }
    if step.plan.sparse {
        let row = step.plan.output.elements().get();
        let source = Source::Table { row };
        regions.push(Region { range, source });
        return;
    }
    let mut rest = range.start;
    if let Some(late) = layout.late_of(index) {
        rest += late.weight.len;
        regions.push(Region {
            range: range.start..rest,
            source: Source::Late(*late),
        });
    }
    let start = layout.gradient(index);
    regions.push(Region {
        range: rest..range.end,
        source: Source::Lanes { start },
    });
}

/// Stretches of the lanes' buffers that follow each other become one.
fn merge_lanes(regions: Vec<Region>) -> Vec<Region> {
    let mut merged: Vec<Region> = Vec::new();
    for region in regions {
        if let (Some(last), Source::Lanes { start }) = (merged.last_mut(), region.source)
            && let Source::Lanes { start: before } = last.source
            && last.range.end == region.range.start
            && before + last.range.len() == start
        {
            last.range.end = region.range.end;
        } else {
            merged.push(region);
        }
    }
    merged
}

impl Region {
    /// Numbers that are scattered to, or all.
    fn used(&self) -> Range<usize> {
        match self.source {
            Source::Table { row } => {
                self.range.start..self.range.start + self.range.len() / row * row
            }
            Source::Late(late) => self.range.start..self.range.start + late.weight.len,
            Source::Lanes { .. } => self.range.clone(),
            Source::Frozen => self.range.start..self.range.start,
        }
    }

    /// Pieces begin at multiples of this, counted from the region's start.
    fn granule(&self) -> usize {
        match self.source {
            Source::Table { row } => row,
            Source::Late(late) => late.weight.row,
            Source::Lanes { .. } | Source::Frozen => ALIGNMENT,
        }
    }

    /// The most numbers of a piece.
    pub(super) fn piece(&self) -> usize {
        match self.source {
            Source::Table { .. } => self.used().len(),
            Source::Late(late) => (LATE_PIECE / late.weight.row).max(1) * late.weight.row,
            Source::Lanes { .. } | Source::Frozen => CHUNK,
        }
    }

    fn cost(&self) -> usize {
        let number = match self.source {
            Source::Table { .. } => TABLE_COST,
            Source::Late(_) => LATE_COST,
            Source::Lanes { .. } => 1,
            Source::Frozen => 0,
        };
        number * self.range.len()
    }

    /// The pieces of `share` that lie here.
    pub(super) fn pieces(
        &self,
        share: &Range<usize>,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        let used = self.used();
        let (start, end) = (share.start.max(used.start), share.end.min(used.end));
        let piece = self.piece().max(1);
        (start..end.max(start))
            .step_by(piece)
            .map(move |first| first..end.min(first + piece))
    }
}

/// Where the flat buffer is cut: the ends of its shares.
pub(super) fn shares_of(regions: &[Region]) -> [usize; team::MOST] {
    let total: usize = regions.iter().map(Region::cost).sum();
    std::array::from_fn(|index| cut(regions, (index + 1) * total / team::MOST))
}

/// The number up to which everything costs about `cost`.
fn cut(regions: &[Region], mut cost: usize) -> usize {
    for region in regions {
        let own = region.cost();
        if cost < own {
            let numbers = region.range.len() * cost / own;
            return region.range.start + numbers / region.granule() * region.granule();
        }
        cost -= own;
    }
    regions.last().map_or(0, |last| last.range.end)
}

#[cfg(test)]
mod tests {
    use super::{Region, Source, merge_lanes, shares_of};
    use crate::layer::LateWeight;
    use crate::run::Late;

    fn regions() -> Vec<Region> {
        let weight = LateWeight {
            len: 300 * 100,
            row: 100,
            kept: 400,
            scratch: 0,
        };
        let late = Late {
            step: 1,
            weight,
            kept: 0,
        };
        let region = |range, source| Region { range, source };
        vec![
            region(0..70_016, Source::Table { row: 7 }),
            region(70_016..100_016, Source::Late(late)),
            region(100_016..120_000, Source::Lanes { start: 0 }),
        ]
    }

    #[test]
    fn shares_cover_the_buffer_and_cost_about_the_same() {
        let regions = regions();
        let ends = shares_of(&regions);
        assert_eq!(ends[15], 120_000);
        let cost = |end: usize| -> usize {
            let part = |region: &Region| {
                let numbers = end.clamp(region.range.start, region.range.end) - region.range.start;
                region.cost() * numbers / region.range.len()
            };
            regions.iter().map(part).sum()
        };
        let costs: Vec<usize> = ends.iter().map(|&end| cost(end)).collect();
        let mean = costs[15] / 16;
        let mut before = 0;
        for cost in costs {
            assert!((cost - before).abs_diff(mean) < mean / 10, "{ends:?}");
            before = cost;
        }
    }

    #[test]
    fn pieces_are_whole_rows_that_meet_everything_used_once() {
        let regions = regions();
        let ends = shares_of(&regions);
        for region in &regions {
            let mut reached = region.range.start;
            let mut start = 0;
            for end in ends {
                for piece in region.pieces(&(start..end)) {
                    assert_eq!(piece.start, reached);
                    assert!(piece.len() <= region.piece());
                    assert_eq!((piece.start - region.range.start) % region.granule(), 0);
                    reached = piece.end;
                }
                start = end;
            }
            assert_eq!(reached, region.used().end);
        }
        assert_eq!(regions[0].used().end, 70_014);
    }

    #[test]
    fn frozen_stretches_are_passed_over() {
        let region = |range, source| Region { range, source };
        let lanes = |range, start| region(range, Source::Lanes { start });
        let regions = [
            region(0..16_384, Source::Frozen),
            lanes(16_384..32_768, 0),
            region(32_768..40_960, Source::Frozen),
            lanes(40_960..65_536, 16_384),
            region(65_536..81_920, Source::Frozen),
        ];
        let (mut start, mut reached) = (0, 0);
        for end in shares_of(&regions) {
            for region in &regions {
                for piece in region.pieces(&(start..end)) {
                    assert_ne!(region.source, Source::Frozen);
                    reached += piece.len();
                }
            }
            start = end;
        }
        assert_eq!((start, reached), (81_920, 16_384 + 24_576));
        let ends = shares_of(&regions[..1]);
        assert_eq!(ends, [16_384; 16]);
    }

    #[test]
    fn stretches_of_the_lanes_that_follow_each_other_become_one() {
        let region = |range, start| Region {
            range,
            source: Source::Lanes { start },
        };
        let merged = merge_lanes(vec![
            region(0..16, 0),
            region(16..64, 16),
            region(80..96, 64),
        ]);
        assert_eq!(merged, [region(0..64, 0), region(80..96, 64)]);
    }
}
