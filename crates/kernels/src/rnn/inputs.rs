//! What a step reads: rows of numbers, or tokens that stand for rows of a table.
//!
//! The rows of an embedding are as many as the vocabulary has words. Whoever reads more tokens than that multiplies the whole
//! table by the weight of the inputs once ([`Gru::project`](super::Gru::project), [`Lstm::project`](super::Lstm::project)) and then looks
//! the products up, instead of looking rows up and multiplying them. A product is made by the same register tile either way, so
//! its bits are the same.

use super::Sequence;
use super::strips::{Strips, Tile, WIDTH};
use super::tile::{OnRows, Rows, add_products, on_rows};
use crate::float::Float;
use crate::simd::{Kernel, Simd};

/// The inputs of a block of sequences.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a, T> {
    /// `[T·N][F]`, to be multiplied by the weight.
    Rows(&'a [T]),
    /// Tokens, whose products are ready.
    Tokens(Lookup<'a, T>),
}

/// Tokens, and for every token of the vocabulary the product of its row.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a, T> {
    /// `[T·N]`
    pub tokens: &'a [u32],
    /// x·W + b of every row of the table, `projected_len` of the cell each.
    pub projected: &'a [T],
}

/// The inputs of one step.
#[derive(Clone, Copy)]
pub(super) enum StepInputs<'a, T> {
    /// `[N][F]`
    Rows(Rows<'a, T>),
    /// `[N]`, and the products of all tokens, so many numbers each.
    Tokens(Lookup<'a, T>, usize),
}

impl<'a, T: Float> Inputs<'a, T> {
    /// Those of step `t`; the products of a token are `projected` numbers.
    pub(super) fn step(
        &self,
        sequence: &Sequence,
        t: usize,
        projected: usize,
    ) -> StepInputs<'a, T> {
        match *self {
            Self::Rows(x) => {
                let features = sequence.features;
                let x = &x[sequence.step(t, features)];
                StepInputs::Rows(Rows::new(x, features, features))
            }
            Self::Tokens(Lookup {
                tokens,
                projected: rows,
            }) => {
                let tokens = &tokens[sequence.step(t, 1)];
                StepInputs::Tokens(
                    Lookup {
                        tokens,
                        projected: rows,
                    },
                    projected,
                )
            }
        }
    }

    /// Asks for what step `t` reads, if there is one: no pattern announces the rows of tokens to the hardware.
    #[inline(always)]
    pub(super) fn ask_for<S: Simd<Elem = T>>(
        &self,
        simd: S,
        sequence: &Sequence,
        t: Option<usize>,
        projected: usize,
    ) {
        if let (Self::Tokens(lookup), Some(t)) = (self, t) {
            for &token in &lookup.tokens[sequence.step(t, 1)] {
                let row = lookup
                    .projected
                    .as_ptr()
                    .wrapping_add(token as usize * projected);
                for at in (0..projected).step_by(64 / size_of::<T>()) {
                    simd.prefetch(row.wrapping_add(at));
                }
            }
        }
    }
}

/// x·W + b of the R rows of a tile.
#[inline(always)]
pub(super) fn input_sums<S: Simd, const R: usize, const G: usize>(
    simd: S,
    inputs: StepInputs<'_, S::Elem>,
    tile: Tile<'_, S::Elem>,
) -> [[S::Vector; G]; R] {
    let (mut sums, n) = ([[simd.zero(); G]; R], tile.place.n);
    match inputs {
        StepInputs::Rows(rows) => {
            let weight = tile.lanes(tile.weight, 0);
            sums = add_products::<S, R, G>(simd, sums, rows, n, weight);
            for g in 0..G {
                let bias = tile.bias(simd, g);
                for r in 0..R {
                    sums[r][g] = simd.add(sums[r][g], bias);
                }
            }
        }
        StepInputs::Tokens(Lookup { tokens, projected }, len) => {
            for r in 0..R {
                let row = &projected[tokens[n + r] as usize * len..][..len];
                for g in 0..G {
                    sums[r][g] = simd.load(&row[tile.product(g)..]);
                }
            }
        }
    }
    sums
}

/// The products of rows of a table, in the order in which a step reads them: `[rows][strips][G][16]`.
pub(crate) struct ProjectPass<'a, T> {
    strips: Strips,
    /// What `prepare` of the cell made of its parameters.
    prepared: &'a [T],
    /// `[rows][F]`
    x: &'a [T],
    projected: &'a mut [T],
}

impl<T: Float> Kernel<T> for ProjectPass<'_, T> {
    type Output = ();

    /// A strip after the other, so that its weights stay in the first-level cache.
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self {
            strips,
            prepared,
            x,
            projected,
        } = self;
        let (features, most) = (strips.features, most_rows::<S>());
        let count = x.len().checked_div(features).unwrap_or(0);
        for spot in strips.spots::<S>(count, most) {
            let tile = strips.tile(prepared, spot);
            let product = Product {
                tile,
                rows: StepInputs::Rows(Rows::new(x, features, features)),
                len: strips.projected_len(),
                projected: &mut *projected,
            };
            on_rows(simd, tile.place.rows, most, product);
        }
    }
}

/// Rows of a tile: as many as fit the registers with four gates.
const fn most_rows<S: Simd>() -> usize {
    if S::REGISTERS >= 32 { 6 } else { 2 }
}

/// The products of a tile.
struct Product<'s, T> {
    tile: Tile<'s, T>,
    rows: StepInputs<'s, T>,
    /// Numbers of all products of a row.
    len: usize,
    projected: &'s mut [T],
}

impl<S: Simd> OnRows<S> for Product<'_, S::Elem> {
    #[inline(always)]
    fn run<const R: usize>(self, simd: S) {
        match self.tile.gates {
            3 => self.write::<S, R, 3>(simd),
            _ => self.write::<S, R, 4>(simd),
        }
    }
}

impl<T: Float> Product<'_, T> {
    #[inline(always)]
    fn write<S: Simd<Elem = T>, const R: usize, const G: usize>(self, simd: S) {
        let sums = input_sums::<S, R, G>(simd, self.rows, self.tile);
        for (r, sums) in sums.iter().enumerate() {
            let row = &mut self.projected[(self.tile.place.n + r) * self.len..][..self.len];
            for (g, sum) in sums.iter().enumerate() {
                simd.store(*sum, &mut row[self.tile.product(g)..]);
            }
        }
    }
}

impl Strips {
    /// Numbers of the products of a row.
    pub(super) const fn projected_len(&self) -> usize {
        self.units.div_ceil(WIDTH) * self.gates * WIDTH
    }

    /// The pass that makes them.
    ///
    /// # Panics
    /// If `x` does not consist of whole rows, or a slice has another length than it says.
    pub(super) fn project<'a, T>(
        self,
        prepared: &'a [T],
        x: &'a [T],
        projected: &'a mut [T],
    ) -> ProjectPass<'a, T> {
        let rows = x.len().checked_div(self.features).unwrap_or(0);
        assert!(
            x.len() == rows * self.features,
            "rnn: {} inputs are no rows of {}",
            x.len(),
            self.features
        );
        assert!(
            projected.len() == rows * self.projected_len(),
            "rnn: room for {} products, expected {}",
            projected.len(),
            rows * self.projected_len()
        );
        assert!(
            prepared.len() == self.len(),
            "rnn: {} prepared numbers, expected {}",
            prepared.len(),
            self.len()
        );
        ProjectPass {
            strips: self,
            prepared,
            x,
            projected,
        }
    }
}
