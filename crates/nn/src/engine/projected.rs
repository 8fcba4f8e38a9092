//! A table multiplied ahead: where a recurrent layer reads an embedding, inference looks products up instead of rows.
//!
//! ```text
//! cell(table[token]·W + b, h)  =  cell(products[token], h)      products = table·W + b, once for all tokens
//! ```
//!
//! There are only as many products as the vocabulary has tokens, so whoever reads more tokens than that saves the rest, to the
//! same bits. Training changes the table at every step and reads few tokens in one: it multiplies row by row.

use super::team::{MOST, share};
use crate::arena::cut;
use crate::layer::Layer;
use crate::network::{Element, Network, Visitor};
use crate::run::Layout;
use plywood_kernels::rnn::Lookup;
use plywood_kernels::{AlignedVec, Float};
use plywood_shape::Sample;
use std::ops::Range;

/// The most that the products of a table may take: more would come from beyond the caches, slower than they are made.
const MOST_BYTES: usize = 16 << 20;

/// The products of a network's first step, a table, with the weight of its second.
#[derive(Debug)]
pub(super) struct ProjectedTable<T: Float> {
    vocabulary: usize,
    /// Numbers of a row of the table.
    features: usize,
    /// Numbers of a product.
    len: usize,
    /// Rows read so far without them.
    read: usize,
    /// Whether they are made.
    ready: bool,
    /// Room for them, which costs nothing until it is written.
    products: AlignedVec<T>,
}

impl<T: Float> ProjectedTable<T> {
    /// None yet; `None` if the network does not begin like this or the products would take too much room.
    pub(super) fn of<N: Network<Scalar = T>>(layout: &Layout) -> Option<Self> {
        struct Search<'a> {
            layout: &'a Layout,
            table: bool,
            len: Option<usize>,
        }
        impl<T: Float> Visitor<T> for Search<'_> {
            fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
                match index {
                    0 => self.table = layer.is_table(),
                    1 => self.len = layer.projected_len(&self.layout.steps()[1].plan),
                    _ => {}
                }
            }
        }
        let mut search = Search {
            layout,
            table: false,
            len: None,
        };
        N::visit(0, &mut search);
        let len = search.len.filter(|_| search.table)?;
        let plan = &layout.steps()[0].plan;
        // What goes past the second step is read as it is.
        let end = N::LAYERS.iter().rposition(|layer| layer.fused_into == 0);
        let reads = N::LAYERS.iter().flat_map(|layer| layer.inputs.iter());
        if reads.filter(|read| *read == end).count() > 1 {
            return None;
        }
        let features = plan.output.features().get();
        let vocabulary = plan.parameter_count() / features.max(1);
        if vocabulary * len > MOST_BYTES / T::BYTES {
            return None;
        }
        Some(Self {
            vocabulary,
            features,
            len,
            read: 0,
            ready: false,
            products: AlignedVec::zeroed(vocabulary * len),
        })
    }

    /// Notes that `rows` more tokens are about to be read, and makes the products, on all threads, once that pays.
    pub(super) fn expect<N: Network<Scalar = T>>(
        &mut self,
        rows: usize,
        layout: &Layout,
        parameters: &[T],
        prepared: &[T],
    ) {
        self.read = self.read.saturating_add(rows);
        if self.ready || self.read < self.vocabulary {
            return;
        }
        let (vocabulary, len) = (self.vocabulary, self.len);
        let mut rest: &mut [T] = &mut self.products;
        let parts = (0..MOST).map(|part| {
            let tokens = part * vocabulary / MOST..(part + 1) * vocabulary / MOST;
            (cut(&mut rest, tokens.len() * len, 1), tokens)
        });
        let features = self.features;
        share(parts, |_, (products, tokens)| {
            project::<N>(layout, parameters, prepared, (tokens, features), products);
        });
        self.ready = true;
    }

    /// Makes the products on this thread.
    pub(super) fn make<N: Network<Scalar = T>>(
        &mut self,
        layout: &Layout,
        parameters: &[T],
        prepared: &[T],
    ) {
        let all = (0..self.vocabulary, self.features);
        project::<N>(layout, parameters, prepared, all, &mut self.products);
        self.ready = true;
    }

    /// The products of `input`, once they are made.
    pub(super) fn lookup<'a, N: Network<Scalar = T>>(
        &'a self,
        input: &'a [Element<N>],
    ) -> Option<Lookup<'a, T>> {
        let tokens = N::Input::tokens::<T>(input).filter(|_| self.ready)?;
        Some(Lookup {
            tokens,
            projected: &self.products,
        })
    }
}

/// Makes the products of some tokens, whose rows have so many numbers.
fn project<N: Network>(
    layout: &Layout,
    parameters: &[N::Scalar],
    prepared: &[N::Scalar],
    (tokens, features): (Range<usize>, usize),
    products: &mut [N::Scalar],
) {
    struct Project<'a, T> {
        layout: &'a Layout,
        prepared: &'a [T],
        x: &'a [T],
        products: &'a mut [T],
    }
    impl<T: Float> Visitor<T> for Project<'_, T> {
        fn visit<L: Layer<T, X>, X>(&mut self, index: usize, layer: &L) {
            if index == 1 {
                let prepared = &self.prepared[self.layout.prepared(1)];
                let plan = &self.layout.steps()[1].plan;
                layer.project(plan, prepared, self.x, self.products);
            }
        }
    }
    let table = &parameters[layout.steps()[0].offset..];
    N::visit(
        0,
        &mut Project {
            layout,
            prepared,
            x: &table[tokens.start * features..tokens.end * features],
            products,
        },
    );
}
