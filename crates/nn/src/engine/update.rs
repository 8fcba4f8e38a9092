//! One pass over the flat buffers: the gradient is put together and the optimizer updates, piece by piece.
//!
//! ```text
//! for every share of the buffer, in parallel, for every piece of it:
//!     gradient = what the piece's region says               rows scattered | xᵀ·g of the batch | sum of the lanes
//!     parameters, moments = optimizer(parameters, gradient, moments)
//! ```
//!
//! Every number's update reads nothing but its own gradient and moments, so pieces and threads change no bit. The
//! gradient lives in the cache of the thread that needs it and nowhere else: the lanes' buffers are only read, and neither a table
//! nor a late weight has a gradient buffer of its own size. A bound on the gradient's norm needs all of it first; then it is
//! put together twice, the first time for its squares, which are added up in order of the shares.

use super::profile::{Phase, Place, Timer};
use super::regions::{Region, Source, regions_of, shares_of};
use super::team::{self, share};
use super::thread;
use crate::arena;
use crate::network::Network;
use crate::optimizer::{Clip, Optimizer, Update};
use crate::run::{Late, Layout};
use plywood_kernels::optimizer::sum_of_squares;
use plywood_kernels::{AlignedVec, Float};
use std::ops::Range;
use std::sync::Mutex;

/// The optimizer's memory and what it needs to know of the parameters.
#[derive(Debug)]
pub(super) struct Updater<T: Float> {
    moments: [AlignedVec<T>; 2],
    spans: Vec<Span>,
    regions: Vec<Region>,
    /// Where the shares end.
    shares: [usize; team::MOST],
    /// What a thread puts the gradient of a piece together in.
    benches: Vec<Mutex<Bench<T>>>,
    /// Steps taken.
    pub(super) step: u32,
}

/// The gradient of a piece, and scratch space.
#[derive(Debug)]
struct Bench<T: Float> {
    gradient: AlignedVec<T>,
    scratch: AlignedVec<T>,
}

/// A range of the flat buffer to which weight decay applies, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    decays: bool,
}

/// The gradient of a step, put together range by range.
pub(super) trait Gradients<T>: Sync {
    /// Writes the sum of the lanes from number `start` of their buffers on.
    fn lanes(&self, start: usize, into: &mut [T]);

    /// Writes the gradient of a table from number `start` on.
    fn table(&self, start: usize, into: &mut [T]);

    /// Writes the gradient of a late weight from number `start` on.
    fn late(&self, late: &Late, start: usize, into: &mut [T], scratch: &mut [T]);
}

/// A share of the flat buffers, to be written.
struct Share<'a, T> {
    range: Range<usize>,
    parameters: &'a mut [T],
    moments: [&'a mut [T]; 2],
}

impl<T: Float> Updater<T> {
    pub(super) fn new<N: Network<Scalar = T>>(network: &N, layout: &Layout) -> Self {
        let len = network.parameters().len();
        let regions = regions_of::<N>(layout, len);
        Self {
            moments: [AlignedVec::zeroed(len), AlignedVec::zeroed(len)],
            spans: spans::<N>(len),
            shares: shares_of(&regions),
            regions,
            benches: Vec::new(),
            step: 0,
        }
    }

    /// Makes room for the threads of this pool.
    pub(super) fn reserve(&mut self) {
        let missing = rayon::current_num_threads().saturating_sub(self.benches.len());
        if missing == 0 {
            return;
        }
        let mut start = 0;
        let (mut gradient, mut scratch) = (0, 0);
        for end in self.shares {
            let pieces =
                |region: &Region| region.pieces(&(start..end)).map(|piece| piece.len()).max();
            gradient = gradient.max(self.regions.iter().filter_map(pieces).max().unwrap_or(0));
            start = end;
        }
        for region in &self.regions {
            if let Source::Late(late) = region.source {
                scratch = scratch.max(late.weight.scratch);
            }
        }
        self.benches.extend((0..missing).map(|_| {
            Mutex::new(Bench {
                gradient: AlignedVec::zeroed(gradient),
                scratch: AlignedVec::zeroed(scratch),
            })
        }));
    }

    /// Updates `parameters` at learning rate `rate`.
    pub(super) fn update<O: Optimizer>(
        &mut self,
        (optimizer, rate): (&O, f64),
        parameters: &mut [T],
        gradients: &impl Gradients<T>,
        timer: Timer<'_>,
    ) {
        let mut at = Update {
            step: u64::from(self.step) + 1,
            rate,
            gradient_scale: 1.0,
            decays: false,
        };
        self.step += 1;
        if let Some(clip @ Clip::Norm(_)) = optimizer.clip() {
            at.gradient_scale = clip.scale(self.norm(gradients, timer));
        }
        let Self {
            moments,
            spans,
            regions,
            shares,
            benches,
            ..
        } = self;
        share(cut(*shares, parameters, moments), |_, mut share| {
            let origin = share.range.start;
            each_piece(
                regions,
                benches,
                &share.range,
                gradients,
                timer,
                |piece, gradient| {
                    let local = piece.start - origin..piece.end - origin;
                    let [m, v] = &mut share.moments;
                    let buffers = [
                        &mut share.parameters[local.clone()],
                        gradient,
                        &mut m[local.clone()],
                        &mut v[local],
                    ];
                    update_range(optimizer, at, spans, piece.start, buffers);
                },
            );
        });
    }

    /// The Euclidean norm of the whole gradient.
    fn norm(&self, gradients: &impl Gradients<T>, timer: Timer<'_>) -> f64 {
        let mut squares = [0.0; team::MOST];
        share(squares.iter_mut(), |index, square: &mut f64| {
            let start = if index == 0 {
                0
            } else {
                self.shares[index - 1]
            };
            let range = start..self.shares[index];
            each_piece(
                &self.regions,
                &self.benches,
                &range,
                gradients,
                timer,
                |_, gradient| {
                    *square += sum_of_squares(gradient);
                },
            );
        });
        squares.iter().sum::<f64>().sqrt()
    }
}

/// Cuts the flat buffers into shares.
fn cut<'a, T: Float>(
    ends: [usize; team::MOST],
    mut parameters: &'a mut [T],
    [m, v]: &'a mut [AlignedVec<T>; 2],
) -> impl Iterator<Item = Share<'a, T>> {
    let (mut m, mut v): (&mut [T], &mut [T]) = (m, v);
    let mut start = 0;
    ends.into_iter().map(move |end| {
        let range = start..end;
        start = end;
        Share {
            parameters: arena::cut(&mut parameters, range.len(), 1),
            moments: [
                arena::cut(&mut m, range.len(), 1),
                arena::cut(&mut v, range.len(), 1),
            ],
            range,
        }
    })
}

/// Hands `work` every piece of `share` with its gradient.
fn each_piece<T: Float>(
    regions: &[Region],
    benches: &[Mutex<Bench<T>>],
    share: &Range<usize>,
    gradients: &impl Gradients<T>,
    timer: Timer<'_>,
    mut work: impl FnMut(&Range<usize>, &mut [T]),
) {
    let mut bench = benches[thread()]
        .lock()
        .expect("a thread that panicked ended the step");
    let Bench { gradient, scratch } = &mut *bench;
    for region in regions {
        let origin = region.range.start;
        for piece in region.pieces(share) {
            let (start, gradient) = (piece.start - origin, &mut gradient[..piece.len()]);
            let phase = match region.source {
                Source::Table { .. } => Phase::Table,
                Source::Late(_) => Phase::Late,
                Source::Lanes { .. } | Source::Frozen => Phase::Update,
            };
            timer.time(Place::Phase(phase), || {
                match &region.source {
                    Source::Table { .. } => gradients.table(start, gradient),
                    Source::Late(late) => gradients.late(late, start, gradient, scratch),
                    Source::Lanes { start: first } => gradients.lanes(first + start, gradient),
                    Source::Frozen => {}
                }
                work(&piece, gradient);
            });
        }
    }
}

/// Updates the numbers from `start` on, span by span.
fn update_range<T: Float, O: Optimizer>(
    optimizer: &O,
    at: Update,
    spans: &[Span],
    start: usize,
    [parameters, gradient, m, v]: [&mut [T]; 4],
) {
    let end = start + parameters.len();
    let used = optimizer.moments();
    let reached = spans.partition_point(|span| span.end <= start);
    for span in spans[reached..].iter().take_while(|span| span.start < end) {
        let range = span.start.max(start) - start..span.end.min(end) - start;
        let moment = |buffer: bool| if buffer { range.clone() } else { 0..0 };
        optimizer.update(
            Update {
                decays: span.decays,
                ..at
            },
            &mut parameters[range.clone()],
            &mut gradient[range.clone()],
            [&mut m[moment(used > 0)], &mut v[moment(used > 1)]],
        );
    }
}

/// The flat buffer as ranges of tensors that decay and others; gaps of alignment belong to what precedes them.
fn spans<N: Network>(len: usize) -> Vec<Span> {
    let mut starts = vec![(0, false)];
    let mut layers: Vec<_> = N::LAYERS.iter().collect();
    layers.sort_by_key(|layer| layer.offset);
    for layer in layers {
        let mut start = layer.offset;
        for tensor in layer.plan.tensors().iter().filter(|tensor| !tensor.state) {
            starts.push((start, tensor.decays));
            start += tensor.count();
        }
    }
    let ends = starts.iter().skip(1).map(|&(start, _)| start).chain([len]);
    let mut spans: Vec<Span> = Vec::new();
    for (&(start, decays), end) in starts.iter().zip(ends) {
        match spans.last_mut() {
            Some(last) if last.decays == decays => last.end = end,
            _ if start < end => spans.push(Span { start, end, decays }),
            _ => {}
        }
    }
    spans
}
