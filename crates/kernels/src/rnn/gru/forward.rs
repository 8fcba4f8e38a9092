//! The GRU's way forth.

use super::Gru;
use crate::float::Float;
use crate::gemm::{Epilogue, Gemm, MatrixMut, MatrixRef, Start};
use crate::math::tanh;
use crate::rnn::block::{carry, sigmoid_row, start, take};
use crate::rnn::products::{Columns, Projection, add_product, project};
use crate::rnn::{Forward, Sequence, Weights};
use crate::simd::{Kernel, Simd};

pub(crate) struct ForwardPass<'a, T> {
    pub(super) gru: Gru,
    pub(super) pass: Forward<'a, T>,
}

/// One step on the way forth.
struct Step<'a, T> {
    t: usize,
    samples: usize,
    units: usize,
    lengths: &'a [u32],
    /// `[N][U]`, before the step.
    before: &'a [T],
    /// `[N][U]`, to be written.
    after: &'a mut [T],
    /// `[N][3·U]`: x·W + b, then z, r, c.
    gates: &'a mut [T],
    /// `[N][U]`, to be written.
    q: &'a mut [T],
}

impl<T: Float> Kernel<T> for ForwardPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { gru, pass } = self;
        let sequence = gru.sequence;
        let Forward {
            x,
            weights,
            lengths,
            carried,
            saved,
            mut scratch,
        } = pass;
        let Sequence { samples, units, .. } = sequence;
        let folded = take(&mut scratch, 3 * units);
        gru.fold_bias(weights.bias, folded);
        let inputs = Projection {
            x,
            weight: weights.weight,
            bias: folded,
        };
        let (states, rest) = saved.split_at_mut(sequence.states_len());
        let (gates, q) = rest.split_at_mut(3 * sequence.rows() * units);
        start(&sequence, carried, 0, states);
        for steps in sequence.chunks() {
            project(simd, &sequence, steps.clone(), inputs, gates, scratch);
            for t in sequence.read(steps) {
                let (before, after) = sequence.around(states, t);
                let gates = &mut gates[sequence.step(t, 3 * units)];
                let q = &mut q[sequence.step(t, units)];
                let step = Step {
                    t,
                    samples,
                    units,
                    lengths,
                    before,
                    after,
                    gates,
                    q,
                };
                if gru.reset_after {
                    reset_after(simd, step, &weights, scratch);
                } else {
                    reset_before(simd, step, &weights, scratch);
                }
            }
        }
        carry(&sequence, states, 0, carried);
    }
}

impl Gru {
    /// The bias of x·W: what does not pass through the reset gate is added once, before the loop.
    fn fold_bias<T: Float>(&self, bias: &[T], folded: &mut [T]) {
        let units = self.sequence.units;
        let (inputs, state) = bias.split_at(3 * units);
        folded.copy_from_slice(inputs);
        if self.reset_after {
            for (sum, d) in folded[..2 * units].iter_mut().zip(state) {
                *sum += *d;
            }
        }
    }
}

/// One step with the reset gate after the product.
#[inline(always)]
fn reset_after<S: Simd>(
    simd: S,
    step: Step<'_, S::Elem>,
    weights: &Weights<'_, S::Elem>,
    scratch: &mut [S::Elem],
) {
    let Step {
        t,
        samples,
        units: u,
        lengths,
        before,
        after,
        gates,
        q,
    } = step;
    let states = Columns::of(before, 0..u, u);
    let u_zr = Columns::of(weights.recurrent, 0..2 * u, 3 * u);
    add_product(
        simd,
        samples,
        states,
        u_zr,
        MatrixMut {
            data: gates,
            row_stride: 3 * u,
        },
        scratch,
    );
    let product = Gemm {
        m: samples,
        n: u,
        k: u,
        a: MatrixRef::row_major(before, u),
        b: Columns::of(weights.recurrent, 2 * u..3 * u, 3 * u).matrix(),
        start: Start::Zero,
        epilogue: Epilogue {
            bias: Some(&weights.bias[5 * u..]),
            ..Epilogue::NONE
        },
    };
    product.run_with(simd, MatrixMut::row_major(q, u), scratch);
    for n in 0..samples {
        let row = n * u..(n + 1) * u;
        if Sequence::is_valid(lengths, n, t) {
            let gates = &mut gates[3 * n * u..][..3 * u];
            finish_after(
                simd,
                &before[row.clone()],
                &q[row.clone()],
                gates,
                &mut after[row],
            );
        } else {
            after[row.clone()].copy_from_slice(&before[row]);
        }
    }
}

/// The gates and the state of a row from the sums, h and q.
#[inline(always)]
fn finish_after<S: Simd>(
    simd: S,
    h: &[S::Elem],
    q: &[S::Elem],
    gates: &mut [S::Elem],
    after: &mut [S::Elem],
) {
    let (zr, c_row) = gates.split_at_mut(2 * h.len());
    sigmoid_row(simd, zr);
    let (z_row, r_row) = zr.split_at(h.len());
    let mut j = 0;
    while j < h.len() {
        let (r, q) = (simd.load_partial(&r_row[j..]), simd.load_partial(&q[j..]));
        let c = tanh(simd, simd.mul_add(r, q, simd.load_partial(&c_row[j..])));
        simd.store_partial(c, &mut c_row[j..]);
        let (z, h) = (simd.load_partial(&z_row[j..]), simd.load_partial(&h[j..]));
        simd.store_partial(simd.mul_add(z, simd.sub(h, c), c), &mut after[j..]);
        j += S::LANES;
    }
}

/// One step with the reset gate before the product: two products, the second of r⊙h.
#[inline(always)]
fn reset_before<S: Simd>(
    simd: S,
    step: Step<'_, S::Elem>,
    weights: &Weights<'_, S::Elem>,
    scratch: &mut [S::Elem],
) {
    let Step {
        t,
        samples,
        units: u,
        lengths,
        before,
        after,
        gates,
        q,
    } = step;
    let states = Columns::of(before, 0..u, u);
    let u_zr = Columns::of(weights.recurrent, 0..2 * u, 3 * u);
    add_product(
        simd,
        samples,
        states,
        u_zr,
        MatrixMut {
            data: gates,
            row_stride: 3 * u,
        },
        scratch,
    );
    for n in 0..samples {
        let (gates, row) = (&mut gates[3 * n * u..][..2 * u], n * u..(n + 1) * u);
        open_before(simd, &before[row.clone()], gates, &mut q[row]);
    }
    let u_h = Columns::of(weights.recurrent, 2 * u..3 * u, 3 * u);
    let start = (2 * u).min(gates.len());
    let c = MatrixMut {
        data: &mut gates[start..],
        row_stride: 3 * u,
    };
    add_product(simd, samples, Columns::of(q, 0..u, u), u_h, c, scratch);
    for n in 0..samples {
        let row = n * u..(n + 1) * u;
        if Sequence::is_valid(lengths, n, t) {
            finish_before(
                simd,
                &before[row.clone()],
                &mut gates[3 * n * u..][..3 * u],
                &mut after[row],
            );
        } else {
            after[row.clone()].copy_from_slice(&before[row]);
        }
    }
}

/// z, r and q = r⊙h of a row.
#[inline(always)]
fn open_before<S: Simd>(simd: S, h: &[S::Elem], gates: &mut [S::Elem], q: &mut [S::Elem]) {
    sigmoid_row(simd, gates);
    let r = &gates[h.len()..];
    let mut j = 0;
    while j < h.len() {
        let (r, h) = (simd.load_partial(&r[j..]), simd.load_partial(&h[j..]));
        simd.store_partial(simd.mul(r, h), &mut q[j..]);
        j += S::LANES;
    }
}

/// c and the state of a row.
#[inline(always)]
fn finish_before<S: Simd>(simd: S, h: &[S::Elem], gates: &mut [S::Elem], after: &mut [S::Elem]) {
    let (zr, c_row) = gates.split_at_mut(2 * h.len());
    let mut j = 0;
    while j < h.len() {
        let c = tanh(simd, simd.load_partial(&c_row[j..]));
        simd.store_partial(c, &mut c_row[j..]);
        let (z, h) = (
            simd.load_partial(&zr[j..h.len()]),
            simd.load_partial(&h[j..]),
        );
        simd.store_partial(simd.mul_add(z, simd.sub(h, c), c), &mut after[j..]);
        j += S::LANES;
    }
}
