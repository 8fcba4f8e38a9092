//! One pass over the flat buffers: lanes are combined in order, then the optimizer updates, chunk by chunk.
//!
//! Every number's update reads nothing but its own gradient and moments, so chunks and threads change no bit. A bound on
//! the gradient's norm needs all of it first; then the lanes are combined in a pass of their own, and the squares are
//! added up chunk after chunk.

use crate::network::Network;
use crate::optimizer::{Clip, Optimizer, Update};
use plywood_kernels::{AlignedVec, Float};
use rayon::prelude::*;

/// Numbers of a chunk: parameters, gradient and two moments of a chunk stay in the first-level cache.
const CHUNK: usize = 2048;

/// The optimizer's memory and what it needs to know of the parameters.
#[derive(Debug)]
pub(super) struct Updater<T: Float> {
    moments: [AlignedVec<T>; 2],
    spans: Vec<Span>,
    /// Sums of squares, one a chunk of the lanes' part.
    squares: Vec<f64>,
    sparse_len: usize,
    /// Steps taken.
    pub(super) step: u32,
}

/// A range of the flat buffer to which weight decay applies, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    decays: bool,
}

/// The gradients of a step: of the scattered tables, and one buffer a lane for everything behind them.
pub(super) struct Gradients<'a, T: Float, L> {
    /// The first lane's buffer, into which the others are added.
    pub(super) first: &'a mut [T],
    /// The other lanes, in order.
    pub(super) others: &'a [L],
    /// The gradient of the tables.
    pub(super) table: &'a mut [T],
}

/// Something that holds a lane's gradient.
pub(super) trait HoldsGradient<T>: Sync {
    fn gradient(&self) -> &[T];
}

impl<T: Float> Updater<T> {
    pub(super) fn new<N: Network<Scalar = T>>(network: &N, sparse_len: usize) -> Self {
        let len = network.parameters().len();
        Self {
            moments: [AlignedVec::zeroed(len), AlignedVec::zeroed(len)],
            spans: spans::<N>(len),
            squares: vec![0.0; (len - sparse_len).div_ceil(CHUNK)],
            sparse_len,
            step: 0,
        }
    }

    /// Updates `parameters` at learning rate `rate`.
    pub(super) fn update<O: Optimizer, L: HoldsGradient<T>>(
        &mut self,
        optimizer: &O,
        rate: f64,
        parameters: &mut [T],
        gradients: Gradients<'_, T, L>,
    ) {
        let mut at = Update {
            step: u64::from(self.step) + 1,
            rate,
            gradient_scale: 1.0,
            decays: false,
        };
        self.step += 1;
        let Gradients {
            first,
            others,
            table,
        } = gradients;
        let mut combined = false;
        if let Some(clip @ Clip::Norm(_)) = optimizer.clip() {
            let norm = self.combine(first, others, table);
            at.gradient_scale = clip.scale(norm);
            combined = true;
        }
        let [m, v] = &mut self.moments;
        let (tables, dense) = parameters.split_at_mut(self.sparse_len);
        let (table_m, dense_m) = m.split_at_mut(self.sparse_len);
        let (table_v, dense_v) = v.split_at_mut(self.sparse_len);
        let spans = &self.spans;
        chunks(tables, table, table_m, table_v).for_each(|(index, ((p, g), (m, v)))| {
            update_chunk(optimizer, at, spans, index * CHUNK, [p, g, m, v]);
        });
        let offset = self.sparse_len;
        chunks(dense, first, dense_m, dense_v).for_each(|(index, ((p, g), (m, v)))| {
            if !combined {
                add_lanes(index, g, others);
            }
            update_chunk(optimizer, at, spans, offset + index * CHUNK, [p, g, m, v]);
        });
    }

    /// Adds the lanes into the first and gives the norm of the whole gradient.
    fn combine<L: HoldsGradient<T>>(&mut self, first: &mut [T], others: &[L], table: &[T]) -> f64 {
        first
            .par_chunks_mut(CHUNK)
            .zip(self.squares.par_iter_mut())
            .enumerate()
            .for_each(|(index, (gradient, square))| {
                add_lanes(index, gradient, others);
                *square = plywood_kernels::optimizer::sum_of_squares(gradient);
            });
        let tables = plywood_kernels::optimizer::sum_of_squares(table);
        let squares = self.squares.iter().fold(tables, |sum, square| sum + square);
        squares.sqrt()
    }
}

type Chunk<'a, T> = (
    usize,
    ((&'a mut [T], &'a mut [T]), (&'a mut [T], &'a mut [T])),
);

fn chunks<'a, T: Float>(
    parameters: &'a mut [T],
    gradient: &'a mut [T],
    m: &'a mut [T],
    v: &'a mut [T],
) -> impl IndexedParallelIterator<Item = Chunk<'a, T>> {
    let numbers = parameters
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks_mut(CHUNK));
    let moments = m.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK));
    numbers.zip(moments).enumerate()
}

/// Adds chunk `index` of the other lanes to that of the first, in order.
fn add_lanes<T: Float, L: HoldsGradient<T>>(index: usize, first: &mut [T], others: &[L]) {
    for lane in others {
        let gradient = &lane.gradient()[index * CHUNK..][..first.len()];
        plywood_kernels::elementwise::add_assign(first, gradient);
    }
}

/// Updates the numbers from `start` on, span by span.
fn update_chunk<T: Float, O: Optimizer>(
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
