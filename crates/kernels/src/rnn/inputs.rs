//! What a step reads: rows of numbers, or tokens that stand for rows of a table.
//!
//! The rows of an embedding are as many as the vocabulary has words. Whoever reads more tokens than that multiplies the whole
//! table by the weight of the inputs once ([`Gru::project`](super::Gru::project), [`Lstm::project`](super::Lstm::project)) and then looks
//! the products up, instead of looking rows up and multiplying them. A product is made by the same register tile either way, so
//! its bits are the same.

use super::Sequence;
use super::strips::{Strip, Strips, WIDTH};
use super::tile::{Lanes, Rows, add_products};
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

/// x·W + b of rows `n..n + R`, for the vector of units that begins in lane `lane` of `strip`.
#[inline(always)]
pub(super) fn input_sums<S: Simd, const R: usize, const G: usize>(
    simd: S,
    inputs: StepInputs<'_, S::Elem>,
    n: usize,
    strip: Strip<'_, S::Elem>,
    lane: usize,
) -> [[S::Vector; G]; R] {
    let mut sums = [[simd.zero(); G]; R];
    match inputs {
        StepInputs::Rows(rows) => {
            let weight = Lanes {
                weights: strip.weight,
                gates: G,
                gate: 0,
                lane,
            };
            sums = add_products::<S, R, G>(simd, sums, rows, n, weight);
            for g in 0..G {
                let bias = simd.load(&strip.biases[g * WIDTH + lane..]);
                for r in 0..R {
                    sums[r][g] = simd.add(sums[r][g], bias);
                }
            }
        }
        StepInputs::Tokens(Lookup { tokens, projected }, len) => {
            for r in 0..R {
                let row = &projected[tokens[n + r] as usize * len..][..len];
                for g in 0..G {
                    sums[r][g] = simd.load(&row[strip.unit * G + g * WIDTH + lane..]);
                }
            }
        }
    }
    sums
}

/// The products of rows of a table, in the order in which a step reads them: `[rows][strips][G][16]`.
pub(crate) struct ProjectPass<'a, T> {
    pub(super) strips: Strips,
    /// What `prepare` of the cell made of its parameters.
    pub(super) prepared: &'a [T],
    /// `[rows][F]`
    pub(super) x: &'a [T],
    pub(super) projected: &'a mut [T],
}

impl<T: Float> Kernel<T> for ProjectPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        match (self.strips.gates, S::REGISTERS >= 32) {
            (3, true) => self.all::<S, 8, 3>(simd),
            (3, false) => self.all::<S, 4, 3>(simd),
            (4, true) => self.all::<S, 6, 4>(simd),
            (4, false) => self.all::<S, 2, 4>(simd),
            (gates, _) => unreachable!("no cell has {gates} gates in strips"),
        }
    }
}

impl<T: Float> ProjectPass<'_, T> {
    /// A strip after the other, so that its weights stay in the first-level cache.
    #[inline(always)]
    fn all<S: Simd<Elem = T>, const R: usize, const G: usize>(mut self, simd: S) {
        let (strips, features) = (self.strips, self.strips.features);
        let count = self.x.len().checked_div(features).unwrap_or(0);
        for strip in strips.iter(self.prepared) {
            for lane in (0..WIDTH).step_by(S::LANES) {
                let mut n = 0;
                while n + R <= count {
                    self.some::<S, R, G>(simd, n, strip, lane);
                    n += R;
                }
                while n < count {
                    self.some::<S, 1, G>(simd, n, strip, lane);
                    n += 1;
                }
            }
        }
    }

    #[inline(always)]
    fn some<S: Simd<Elem = T>, const R: usize, const G: usize>(
        &mut self,
        simd: S,
        n: usize,
        strip: Strip<'_, T>,
        lane: usize,
    ) {
        let (features, len) = (self.strips.features, self.strips.projected_len());
        let rows = StepInputs::Rows(Rows::new(self.x, features, features));
        let sums = input_sums::<S, R, G>(simd, rows, n, strip, lane);
        for (r, sums) in sums.iter().enumerate() {
            let row = &mut self.projected[(n + r) * len..][..len];
            for (g, sum) in sums.iter().enumerate() {
                simd.store(*sum, &mut row[strip.unit * G + g * WIDTH + lane..]);
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
