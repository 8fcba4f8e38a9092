//! The simple recurrent cell (Elman, *Finding structure in time*, 1990): h' = tanh(x·W + h·U + b).

use super::block::{Needs, carry, pass_back, start, state_gradient, take};
use super::products::{
    Columns, InputGradients, Projection, add_product, add_rows, add_weight_gradient,
    input_gradients, products_len, project, transpose,
};
use super::{Backward, Forward, Sequence};
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
        units * units + self.sequence.states_len() + products_len(&self.sequence, 1)
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
            carried: self.sequence.units,
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
            carried,
            saved: states,
            scratch,
        } = pass;
        let Sequence { samples, units, .. } = sequence;
        start(&sequence, carried, 0, states);
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
                let product = Gemm {
                    m: samples,
                    n: units,
                    k: units,
                    a: MatrixRef::row_major(before, units),
                    b: MatrixRef::row_major(weights.recurrent, units),
                    start: Start::Accumulate,
                    epilogue: Epilogue {
                        bias: None,
                        activation: Activation::Tanh,
                    },
                };
                product.run_with(simd, MatrixMut::row_major(after, units), scratch);
                for n in 0..samples {
                    if !Sequence::is_valid(lengths, n, t) {
                        after[n * units..][..units].copy_from_slice(&before[n * units..][..units]);
                    }
                }
            }
        }
        carry(&sequence, states, 0, carried);
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
            for n in 0..samples {
                let row = n * units..(n + 1) * units;
                let (dh, g) = (&mut dh[row.clone()], &mut g[row.clone()]);
                let own = dstates.row(&sequence, n, t);
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
