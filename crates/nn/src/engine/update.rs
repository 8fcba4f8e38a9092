//! One pass over the flat buffers: lanes are combined in order, then the optimizer updates, range by range.
//!
//! ```text
//! for every part of the tables, for every chunk of what is behind them, in parallel:
//!     gradient = rows scattered to this part | sum of the lanes over this chunk
//!     parameters, moments = optimizer(parameters, gradient, moments)
//! ```
//!
//! Every number's update reads nothing but its own gradient and moments, so parts and threads change no bit. The
//! gradient lives in the cache of the thread that needs it and nowhere else: the lanes' buffers are only read, and a table
//! has no gradient buffer of its own size. A bound on the gradient's norm needs all of it first; then it is put
//! together twice, the first time for its squares, which are added up in order of the parts.

use super::profile::{Phase, Place, Timer};
use super::thread;
use crate::network::Network;
use crate::optimizer::{Clip, Optimizer, Update};
use plywood_kernels::optimizer::sum_of_squares;
use plywood_kernels::{AlignedVec, Float};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Mutex;

/// Numbers of a chunk: parameters, gradient and two moments of a chunk take half of the first-level cache.
const CHUNK: usize = 1024;
/// Parts of a table, each of which looks through all rows for its own: as many as there are lanes at most.
const TABLE_PARTS: usize = 16;

/// The optimizer's memory and what it needs to know of the parameters.
#[derive(Debug)]
pub(super) struct Updater<T: Float> {
    moments: [AlignedVec<T>; 2],
    spans: Vec<Span>,
    table: Table,
    /// The gradient of a part of the table, for each thread.
    parts: Vec<Mutex<AlignedVec<T>>>,
    /// Sums of squares, one a part of the table and one a chunk.
    squares: Vec<f64>,
    /// Steps taken.
    pub(super) step: u32,
}

/// Where the scattered tables are cut.
#[derive(Clone, Copy, Debug)]
struct Table {
    /// Numbers that are scattered to.
    len: usize,
    /// Those and the gap of alignment behind them.
    padded: usize,
    /// Numbers of a part: whole rows.
    part: usize,
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
    /// Writes the gradient from number `start` behind the tables on.
    fn dense(&self, start: usize, into: &mut [T]);

    /// Writes the gradient of a table from number `start` on.
    fn table(&self, start: usize, into: &mut [T]);
}

impl<T: Float> Updater<T> {
    pub(super) fn new<N: Network<Scalar = T>>(network: &N) -> Self {
        let len = network.parameters().len();
        let table = Table::of::<N>();
        let parts = table.padded.div_ceil(table.part) + (len - table.padded).div_ceil(CHUNK);
        Self {
            moments: [AlignedVec::zeroed(len), AlignedVec::zeroed(len)],
            spans: spans::<N>(len),
            table,
            parts: Vec::new(),
            squares: vec![0.0; parts],
            step: 0,
        }
    }

    /// Makes room for the threads of this pool.
    pub(super) fn reserve(&mut self) {
        if self.table.len == 0 {
            return;
        }
        while self.parts.len() < rayon::current_num_threads() {
            let part = AlignedVec::zeroed(self.table.part);
            self.parts.push(Mutex::new(part));
        }
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
            moments: [m, v],
            spans,
            table,
            parts,
            ..
        } = self;
        let (table_p, dense_p) = parameters.split_at_mut(table.padded);
        let (table_m, dense_m) = m.split_at_mut(table.padded);
        let (table_v, dense_v) = v.split_at_mut(table.padded);
        let of_table = cut(table_p, table_m, table_v, table.part).map(|(index, (p, (m, v)))| {
            let start = index * table.part;
            scattered(gradients, parts, table.range(index), timer, |gradient| {
                let len = gradient.len();
                let buffers = [&mut p[..len], gradient, &mut m[..len], &mut v[..len]];
                update_range(optimizer, at, spans, start, buffers);
            });
        });
        let of_dense = cut(dense_p, dense_m, dense_v, CHUNK).map(|(index, (p, (m, v)))| {
            combined(gradients, index * CHUNK, p.len(), timer, |gradient| {
                let start = table.padded + index * CHUNK;
                update_range(optimizer, at, spans, start, [p, gradient, m, v]);
            });
        });
        of_table.chain(of_dense).for_each(|()| ());
    }

    /// The Euclidean norm of the whole gradient.
    fn norm(&mut self, gradients: &impl Gradients<T>, timer: Timer<'_>) -> f64 {
        let len = self.moments[0].len() - self.table.padded;
        let (table, parts) = (self.table, &self.parts);
        let (of_table, of_dense) = self.squares.split_at_mut(table.padded.div_ceil(table.part));
        let of_table = of_table.par_iter_mut().enumerate().map(|(index, square)| {
            scattered(gradients, parts, table.range(index), timer, |gradient| {
                *square = sum_of_squares(gradient);
            });
        });
        let of_dense = of_dense.par_iter_mut().enumerate().map(|(index, square)| {
            let start = index * CHUNK;
            let chunk = CHUNK.min(len - start);
            combined(gradients, start, chunk, timer, |gradient| {
                *square = sum_of_squares(gradient);
            });
        });
        of_table.chain(of_dense).for_each(|()| ());
        self.squares.iter().sum::<f64>().sqrt()
    }
}

impl Table {
    fn of<N: Network>() -> Self {
        let plan = N::STEPS.first().map(|step| &step.plan);
        let Some(plan) = plan.filter(|plan| plan.sparse) else {
            return Self {
                len: 0,
                padded: 0,
                part: 1,
            };
        };
        let (len, row) = (plan.parameter_count(), plan.output.elements().get());
        Self {
            len,
            padded: len.next_multiple_of(plywood_shape::chain::ALIGNMENT),
            part: len.div_ceil(row).div_ceil(TABLE_PARTS) * row,
        }
    }

    /// The numbers of a part.
    fn range(self, part: usize) -> Range<usize> {
        let start = part * self.part;
        start.min(self.len)..(start + self.part).min(self.len)
    }
}

/// What is written of a part or chunk: its number, its parameters and moments.
type Written<'a, T> = (usize, (&'a mut [T], (&'a mut [T], &'a mut [T])));

fn cut<'a, T: Float>(
    parameters: &'a mut [T],
    m: &'a mut [T],
    v: &'a mut [T],
    len: usize,
) -> impl IndexedParallelIterator<Item = Written<'a, T>> {
    let moments = m.par_chunks_mut(len).zip(v.par_chunks_mut(len));
    parameters.par_chunks_mut(len).zip(moments).enumerate()
}

/// Hands `work` the gradient of the table's numbers in `range`.
fn scattered<T: Float>(
    gradients: &impl Gradients<T>,
    parts: &[Mutex<AlignedVec<T>>],
    range: Range<usize>,
    timer: Timer<'_>,
    work: impl FnOnce(&mut [T]),
) {
    timer.time(Place::Phase(Phase::Table), || {
        let mut part = parts[thread()]
            .lock()
            .expect("a thread that panicked ended the step");
        let gradient = &mut part[..range.len()];
        gradients.table(range.start, gradient);
        work(gradient);
    });
}

/// Hands `work` the gradient of `len` numbers from `start` behind the tables on, at most a chunk.
fn combined<T: Float>(
    gradients: &impl Gradients<T>,
    start: usize,
    len: usize,
    timer: Timer<'_>,
    work: impl FnOnce(&mut [T]),
) {
    timer.time(Place::Phase(Phase::Update), || {
        let mut chunk = [T::ZERO; CHUNK];
        let gradient = &mut chunk[..len];
        gradients.dense(start, gradient);
        work(gradient);
    });
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
