//! The simple recurrent cell (Elman, *Finding structure in time*, 1990): h' = tanh(x·W + h·U + b).

use super::block::{Needs, pass_back, state_gradient, take};
use super::products::{
    Columns, InputGradients, Projection, add_product, add_rows, add_weight_gradient,
    input_gradients, products_len, project, transpose,
};
use super::walk::States;
use super::{Advance, Backward, Forward, Inputs, Sequence, Weights};
use crate::elementwise::{Activation, OnVectors as _};
use crate::float::Float;
use crate::gemm::{Epilogue, Gemm, MatrixMut, MatrixRef, Start};
use crate::simd::{Isa, Kernel, Simd};

/// A simple recurrent layer over a block of sequences. One gate; nothing but the states is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimpleRnn {
    /// Sizes and direction.
    pub sequence: Sequence,
}

impl SimpleRnn {
    /// Numbers kept from forward to backward: the states, (T + 1)·N·U.
    #[must_use]
    pub const fn saved_len(&self) -> usize {
        self.sequence.states_len()
    }

    /// Numbers of scratch for either pass.
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        let Sequence { units, .. } = self.sequence;
        units * units
            + self.sequence.states_len()
            + 2 * self.sequence.block()
            + products_len(&self.sequence, 1)
    }

    /// Numbers that [`prepare`](Self::prepare) derives from the parameters: none.
    #[must_use]
    pub const fn prepared_len(&self) -> usize {
        0
    }

    /// Does nothing, but for checking sizes: a step reads the parameters as they are.
    ///
    /// # Panics
    /// If `weights` or `prepared` have other sizes.
    pub fn prepare<T: Float>(&self, weights: &Weights<'_, T>, prepared: &mut [T]) {
        self.sequence.check_weights(weights, 1, self.needs());
        assert!(prepared.is_empty(), "rnn: nothing to prepare");
    }

    /// The states of all steps, on the active instruction set.
    ///
    /// # Panics
    /// If a slice has another length than the block's sizes say, or a length exceeds the steps.
    pub fn forward<T: Float>(&self, pass: Forward<'_, T>) {
        self.forward_on(Isa::active(), pass);
    }

    /// [`forward`](Self::forward) on a given instruction set.
    ///
    /// # Panics
    /// As [`forward`](Self::forward), and if this machine lacks `isa`.
    pub fn forward_on<T: Float>(&self, isa: Isa, pass: Forward<'_, T>) {
        self.sequence.check_forward(&pass, 1, self.needs());
        T::simple_forward(
            isa,
            ForwardPass {
                sequence: self.sequence,
                pass,
            },
        );
    }

    /// The states of a piece of the sequences, on the active instruction set; nothing is kept for a way back.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn advance<T: Float>(&self, pass: Advance<'_, T>) {
        self.advance_on(Isa::active(), pass);
    }

    /// [`advance`](Self::advance) on a given instruction set.
    ///
    /// # Panics
    /// As [`forward_on`](Self::forward_on).
    pub fn advance_on<T: Float>(&self, isa: Isa, pass: Advance<'_, T>) {
        self.sequence.check_advance(&pass, 1, self.needs());
        T::simple_advance(
            isa,
            AdvancePass {
                sequence: self.sequence,
                pass,
            },
        );
    }

    /// The gradients, after a forward pass, on the active instruction set.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn backward<T: Float>(&self, pass: Backward<'_, T>) {
        self.backward_on(Isa::active(), pass);
    }

    /// [`backward`](Self::backward) on a given instruction set.
    ///
    /// # Panics
    /// As [`forward_on`](Self::forward_on).
    pub fn backward_on<T: Float>(&self, isa: Isa, pass: Backward<'_, T>) {
        self.sequence.check_backward(&pass, 1, self.needs());
        T::simple_backward(
            isa,
            BackwardPass {
                sequence: self.sequence,
                pass,
            },
        );
    }

    const fn needs(&self) -> Needs {
        Needs {
            bias: self.sequence.units,
            prepared: 0,
            carried: self.sequence.units,
            projected: 0,
            saved: self.saved_len(),
            scratch: self.scratch_len(),
        }
    }
}

pub(crate) struct ForwardPass<'a, T> {
    sequence: Sequence,
    pass: Forward<'a, T>,
}

impl<T: Float> Kernel<T> for ForwardPass<'_, T> {
    type Output = ();

    /// x·W + b goes straight to where the states will be.
    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { sequence, pass } = self;
        let Forward {
            x,
            weights,
            lengths,
            saved: states,
            scratch,
            ..
        } = pass;
        let Sequence { samples, units, .. } = sequence;
        states[sequence.initial()].fill(T::ZERO);
        let inputs = Projection {
            x,
            weight: weights.weight,
            bias: weights.bias,
        };
        for steps in sequence.chunks() {
            let start = if sequence.reverse {
                0
            } else {
                sequence.block()
            };
            project(
                simd,
                &sequence,
                steps.clone(),
                inputs,
                &mut states[start..],
                scratch,
            );
            for t in sequence.read(steps) {
                let (before, after) = sequence.around(states, t);
                let product = recurrent(samples, units, before, weights.recurrent);
                product.run_with(simd, MatrixMut::row_major(after, units), scratch);
                keep_padded(lengths, t, before, after, units);
            }
        }
    }
}

/// tanh(C + h·U) of a step.
fn recurrent<'a, T: Float>(
    samples: usize,
    units: usize,
    before: &'a [T],
    weight: &'a [T],
) -> Gemm<'a, T> {
    Gemm {
        m: samples,
        n: units,
        k: units,
        a: MatrixRef::row_major(before, units),
        b: MatrixRef::row_major(weight, units),
        start: Start::Accumulate,
        epilogue: Epilogue {
            bias: None,
            activation: Activation::Tanh,
        },
    }
}

/// The states of samples whose step `t` is padded stay as they were.
fn keep_padded<T: Float>(lengths: &[u32], t: usize, before: &[T], after: &mut [T], units: usize) {
    let rows = after
        .chunks_exact_mut(units)
        .zip(before.chunks_exact(units));
    for (n, (after, before)) in rows.enumerate() {
        if !Sequence::is_valid(lengths, n, t) {
            after.copy_from_slice(before);
        }
    }
}

pub(crate) struct AdvancePass<'a, T> {
    sequence: Sequence,
    pass: Advance<'a, T>,
}

impl<T: Float> Kernel<T> for AdvancePass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { sequence, pass } = self;
        let Sequence { samples, units, .. } = sequence;
        let Inputs::Rows(x) = pass.inputs else {
            unreachable!("a simple cell takes no products that are ready, as was checked");
        };
        let (turns, scratch) = pass.scratch.split_at_mut(2 * sequence.block());
        let mut states = States::new(&sequence, pass.returns, pass.y, turns);
        let one = Sequence {
            steps: 1,
            ..sequence
        };
        for t in sequence.read(0..sequence.steps) {
            let (before, after) = states.around(t);
            let before = before.unwrap_or(&*pass.carried);
            let inputs = Projection {
                x: &x[sequence.step(t, sequence.features)],
                weight: pass.weights.weight,
                bias: pass.weights.bias,
            };
            project(simd, &one, 0..1, inputs, after, scratch);
            let product = recurrent(samples, units, before, pass.weights.recurrent);
            product.run_with(simd, MatrixMut::row_major(after, units), scratch);
            keep_padded(pass.lengths, t, before, after, units);
        }
        states.finish(pass.carried, units);
    }
}

pub(crate) struct BackwardPass<'a, T> {
    sequence: Sequence,
    pass: Backward<'a, T>,
}

impl<T: Float> Kernel<T> for BackwardPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { sequence, pass } = self;
        let Backward {
            x,
            weights,
            lengths,
            saved: states,
            dstates,
            dx,
            gradients,
            mut scratch,
        } = pass;
        let Sequence { samples, units, .. } = sequence;
        let transposed = take(&mut scratch, units * units);
        transpose(weights.recurrent, units, transposed);
        let dh = take(&mut scratch, sequence.block());
        dh.fill(T::ZERO);
        let g = take(&mut scratch, sequence.rows() * units);
        for t in sequence.read(0..sequence.steps).rev() {
            let (_, after) = sequence.beside(states, t);
            let g = &mut g[sequence.step(t, units)];
            let own = dstates.step(&sequence, t);
            for n in 0..samples {
                let row = n * units..(n + 1) * units;
                let (dh, g) = (&mut dh[row.clone()], &mut g[row.clone()]);
                let own = own.map(|own| own.row(n));
                if Sequence::is_valid(lengths, n, t) {
                    step_back(simd, &after[row], own, dh, g);
                } else {
                    g.fill(T::ZERO);
                    pass_back(simd, own, dh);
                }
            }
            let (a, b) = (
                Columns::of(g, 0..units, units),
                Columns::of(transposed, 0..units, units),
            );
            add_product(
                simd,
                samples,
                a,
                b,
                MatrixMut::row_major(dh, units),
                scratch,
            );
        }
        let previous = Columns::of(sequence.previous(states), 0..units, units);
        let g_columns = Columns::of(g, 0..units, units);
        let drecurrent = MatrixMut::row_major(gradients.recurrent, units);
        add_weight_gradient(
            simd,
            sequence.rows(),
            previous,
            g_columns,
            drecurrent,
            scratch,
        );
        add_rows(simd, g_columns, sequence.rows(), gradients.bias);
        let operands = InputGradients {
            x,
            weight: weights.weight,
            dx,
            dweight: gradients.weight,
        };
        input_gradients(simd, &sequence, g, operands, scratch);
    }
}

/// g = d ⊙ (1 − h'²); nothing goes back but through the product.
#[inline(always)]
fn step_back<S: Simd>(
    simd: S,
    h: &[S::Elem],
    own: Option<&[S::Elem]>,
    dh: &mut [S::Elem],
    g: &mut [S::Elem],
) {
    let mut j = 0;
    while j < h.len() {
        let d = state_gradient(simd, dh, own, j);
        let h = simd.load_partial(&h[j..]);
        simd.store_partial(Activation::Tanh.backward(simd, h, d), &mut g[j..]);
        simd.store_partial(simd.zero(), &mut dh[j..]);
        j += S::LANES;
    }
}
