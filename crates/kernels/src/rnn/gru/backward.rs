//! The GRU's way back.

use super::Gru;
use crate::float::Float;
use crate::gemm::MatrixMut;
use crate::rnn::block::{pass_back, state_gradient, take};
use crate::rnn::products::{
    Columns, InputGradients, add_product, add_rows, add_weight_gradient, input_gradients, transpose,
};
use crate::rnn::{Backward, Sequence, WeightGradients};
use crate::simd::{Kernel, Simd};

pub(crate) struct BackwardPass<'a, T> {
    pub(super) gru: Gru,
    pub(super) pass: Backward<'a, T>,
}

/// One step on the way back.
struct StepBack<'a, T> {
    t: usize,
    samples: usize,
    units: usize,
    lengths: &'a [u32],
    /// `[N][U]`, the state before the step.
    before: &'a [T],
    /// Uᵀ, `[3·U][U]`.
    transposed: &'a [T],
    /// `[N][U]`, the gradient of the state: after the step, then before it.
    dh: &'a mut [T],
    /// `[N][U]`, a second buffer of that size.
    ds: &'a mut [T],
    /// `[N][3·U]`: z, r, c, then the gradients of their sums.
    gates: &'a mut [T],
    /// `[N][U]`.
    q: &'a mut [T],
}

impl<T: Float> Kernel<T> for BackwardPass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { gru, pass } = self;
        let sequence = gru.sequence;
        let Backward {
            x,
            weights,
            lengths,
            saved,
            dstates,
            dx,
            mut gradients,
            mut scratch,
        } = pass;
        let Sequence { samples, units, .. } = sequence;
        let transposed = take(&mut scratch, 3 * units * units);
        transpose(weights.recurrent, 3 * units, transposed);
        let dh = take(&mut scratch, sequence.block());
        let ds = take(&mut scratch, sequence.block());
        dh.fill(T::ZERO);
        let (states, rest) = saved.split_at_mut(sequence.states_len());
        let (gates, q) = rest.split_at_mut(3 * sequence.rows() * units);
        for t in sequence.read(0..sequence.steps).rev() {
            let (before, _) = sequence.beside(states, t);
            let gates = &mut gates[sequence.step(t, 3 * units)];
            let q = &mut q[sequence.step(t, units)];
            for n in 0..samples {
                let row = n * units..(n + 1) * units;
                let own = dstates.row(&sequence, n, t);
                let (gates, q) = (
                    &mut gates[3 * n * units..][..3 * units],
                    &mut q[row.clone()],
                );
                let (h, dh) = (&before[row.clone()], &mut dh[row]);
                if !Sequence::is_valid(lengths, n, t) {
                    gates.fill(T::ZERO);
                    q.fill(T::ZERO);
                    pass_back(simd, own, dh);
                } else if gru.reset_after {
                    start_after(simd, h, own, dh, gates, q);
                } else {
                    start_before(simd, h, own, dh, gates);
                }
            }
            let step = StepBack {
                t,
                samples,
                units,
                lengths,
                before,
                transposed,
                dh,
                ds,
                gates,
                q,
            };
            if gru.reset_after {
                products_after(simd, step, scratch);
            } else {
                products_before(simd, step, scratch);
            }
        }
        gru.recurrent_gradients(simd, states, gates, q, &mut gradients, scratch);
        let operands = InputGradients {
            x,
            weight: weights.weight,
            dx,
            dweight: gradients.weight,
        };
        input_gradients(simd, &sequence, gates, operands, scratch);
    }
}

/// Reset after: the gradients of the sums of a row, that of q in its place, and what goes straight back.
#[inline(always)]
fn start_after<S: Simd>(
    simd: S,
    h: &[S::Elem],
    own: Option<&[S::Elem]>,
    dh: &mut [S::Elem],
    gates: &mut [S::Elem],
    q_row: &mut [S::Elem],
) {
    let one = simd.splat(S::Elem::ONE);
    let (z_row, rest) = gates.split_at_mut(h.len());
    let (r_row, c_row) = rest.split_at_mut(h.len());
    let mut j = 0;
    while j < h.len() {
        let d = state_gradient(simd, dh, own, j);
        let (z, r, c) = (
            simd.load_partial(&z_row[j..]),
            simd.load_partial(&r_row[j..]),
            simd.load_partial(&c_row[j..]),
        );
        let (q, h) = (simd.load_partial(&q_row[j..]), simd.load_partial(&h[j..]));
        let keep = simd.sub(one, z);
        let dz = simd.mul(simd.mul(d, simd.sub(h, c)), simd.mul(z, keep));
        let dc = simd.mul(simd.mul(d, keep), simd.sub(one, simd.mul(c, c)));
        let dr = simd.mul(simd.mul(dc, q), simd.mul(r, simd.sub(one, r)));
        simd.store_partial(dz, &mut z_row[j..]);
        simd.store_partial(dr, &mut r_row[j..]);
        simd.store_partial(dc, &mut c_row[j..]);
        simd.store_partial(simd.mul(dc, r), &mut q_row[j..]);
        simd.store_partial(simd.mul(d, z), &mut dh[j..]);
        j += S::LANES;
    }
}

/// dh += \[dz, dr\]·\[U_z, U_r\]ᵀ + dq·U_hᵀ
#[inline(always)]
fn products_after<S: Simd>(simd: S, step: StepBack<'_, S::Elem>, scratch: &mut [S::Elem]) {
    let StepBack {
        samples,
        units: u,
        transposed,
        dh,
        gates,
        q,
        ..
    } = step;
    let (zr, h) = transposed.split_at(2 * u * u);
    let dzr = Columns::of(gates, 0..2 * u, 3 * u);
    add_product(
        simd,
        samples,
        dzr,
        Columns::of(zr, 0..u, u),
        MatrixMut::row_major(dh, u),
        scratch,
    );
    let dq = Columns::of(q, 0..u, u);
    add_product(
        simd,
        samples,
        dq,
        Columns::of(h, 0..u, u),
        MatrixMut::row_major(dh, u),
        scratch,
    );
}

/// Reset before: the gradients of the sums of z and c of a row; r, which has to wait, stays.
#[inline(always)]
fn start_before<S: Simd>(
    simd: S,
    h: &[S::Elem],
    own: Option<&[S::Elem]>,
    dh: &mut [S::Elem],
    gates: &mut [S::Elem],
) {
    let one = simd.splat(S::Elem::ONE);
    let (z_row, rest) = gates.split_at_mut(h.len());
    let c_row = &mut rest[h.len()..];
    let mut j = 0;
    while j < h.len() {
        let d = state_gradient(simd, dh, own, j);
        let (z, c, h) = (
            simd.load_partial(&z_row[j..]),
            simd.load_partial(&c_row[j..]),
            simd.load_partial(&h[j..]),
        );
        let keep = simd.sub(one, z);
        let dz = simd.mul(simd.mul(d, simd.sub(h, c)), simd.mul(z, keep));
        let dc = simd.mul(simd.mul(d, keep), simd.sub(one, simd.mul(c, c)));
        simd.store_partial(dz, &mut z_row[j..]);
        simd.store_partial(dc, &mut c_row[j..]);
        simd.store_partial(simd.mul(d, z), &mut dh[j..]);
        j += S::LANES;
    }
}

/// ds = dc·U_hᵀ, the gradient of r⊙h; from it that of r's sum; dh += r⊙ds + \[dz, dr\]·\[U_z, U_r\]ᵀ
#[inline(always)]
fn products_before<S: Simd>(simd: S, step: StepBack<'_, S::Elem>, scratch: &mut [S::Elem]) {
    let StepBack {
        t,
        samples,
        units: u,
        lengths,
        before,
        transposed,
        dh,
        ds,
        gates,
        ..
    } = step;
    let (zr, h) = transposed.split_at(2 * u * u);
    ds.fill(S::Elem::ZERO);
    let dc = Columns::of(gates, 2 * u..3 * u, 3 * u);
    add_product(
        simd,
        samples,
        dc,
        Columns::of(h, 0..u, u),
        MatrixMut::row_major(ds, u),
        scratch,
    );
    for n in 0..samples {
        if !Sequence::is_valid(lengths, n, t) {
            continue;
        }
        let row = n * u..(n + 1) * u;
        let r = &mut gates[(3 * n + 1) * u..][..u];
        reset_back(
            simd,
            &before[row.clone()],
            &ds[row.clone()],
            r,
            &mut dh[row],
        );
    }
    let dzr = Columns::of(gates, 0..2 * u, 3 * u);
    add_product(
        simd,
        samples,
        dzr,
        Columns::of(zr, 0..u, u),
        MatrixMut::row_major(dh, u),
        scratch,
    );
}

/// r becomes the gradient of its sum, ds⊙h⊙r⊙(1 − r); dh += ds⊙r.
#[inline(always)]
fn reset_back<S: Simd>(
    simd: S,
    h: &[S::Elem],
    ds: &[S::Elem],
    r_row: &mut [S::Elem],
    dh: &mut [S::Elem],
) {
    let one = simd.splat(S::Elem::ONE);
    let mut j = 0;
    while j < h.len() {
        let (ds, h, r) = (
            simd.load_partial(&ds[j..]),
            simd.load_partial(&h[j..]),
            simd.load_partial(&r_row[j..]),
        );
        let dr = simd.mul(simd.mul(ds, h), simd.mul(r, simd.sub(one, r)));
        simd.store_partial(dr, &mut r_row[j..]);
        simd.store_partial(
            simd.mul_add(ds, r, simd.load_partial(&dh[j..])),
            &mut dh[j..],
        );
        j += S::LANES;
    }
}

impl Gru {
    /// The gradients of U and of the biases, from those of all gates.
    #[inline(always)]
    fn recurrent_gradients<S: Simd>(
        &self,
        simd: S,
        states: &[S::Elem],
        gates: &[S::Elem],
        q: &[S::Elem],
        gradients: &mut WeightGradients<'_, S::Elem>,
        scratch: &mut [S::Elem],
    ) {
        let (u, rows) = (self.sequence.units, self.sequence.rows());
        let previous = Columns::of(self.sequence.previous(states), 0..u, u);
        let q = Columns::of(q, 0..u, u);
        let dc = Columns::of(gates, 2 * u..3 * u, 3 * u);
        let dzr = Columns::of(gates, 0..2 * u, 3 * u);
        let (h_input, h_gradient) = if self.reset_after {
            (previous, q)
        } else {
            (q, dc)
        };
        let du = &mut *gradients.recurrent;
        add_weight_gradient(
            simd,
            rows,
            previous,
            dzr,
            MatrixMut {
                data: du,
                row_stride: 3 * u,
            },
            scratch,
        );
        let start = (2 * u).min(du.len());
        let du_h = MatrixMut {
            data: &mut du[start..],
            row_stride: 3 * u,
        };
        add_weight_gradient(simd, rows, h_input, h_gradient, du_h, scratch);
        let (inputs, state) = gradients.bias.split_at_mut(3 * u);
        add_rows(simd, Columns::of(gates, 0..3 * u, 3 * u), rows, inputs);
        if self.reset_after {
            add_rows(simd, dzr, rows, &mut state[..2 * u]);
            add_rows(simd, q, rows, &mut state[2 * u..]);
        }
    }
}
