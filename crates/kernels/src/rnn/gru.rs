//! The gated recurrent unit (Cho et al., *Learning phrase representations using RNN encoder–decoder*, 2014).
//!
//! ```text
//! z = σ(x·W_z + b_z + h·U_z [+ d_z])        r = σ(x·W_r + b_r + h·U_r [+ d_r])
//! c = tanh(x·W_h + b_h + r⊙(h·U_h + d_h))   reset after the product, the frameworks' default
//! c = tanh(x·W_h + b_h + (r⊙h)·U_h)         reset before it, the paper's form, without d
//! h' = z⊙h + (1 − z)⊙c
//! ```
//!
//! z weighs the old state, as in Keras, PyTorch and ONNX; a text in which it weighs the candidate is matched by negating
//! W_z, U_z and b_z. Saved are, for every row, z, r, c side by side and then q: `h·U_h + d_h` or `r⊙h`.

use super::block::{
    Columns, InputGradients, Needs, Projection, add_product, add_rows, add_weight_gradient,
    input_gradients, pass_back, products_len, project, state_gradient, take, transpose,
};
use super::{Backward, Forward, Sequence, WeightGradients, Weights};
use crate::float::Float;
use crate::gemm::{Epilogue, Gemm, MatrixMut, MatrixRef, Start};
use crate::math::{sigmoid, tanh};
use crate::simd::{Isa, Kernel, Simd};

/// A GRU over a block of sequences. Gates `z, r, h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gru {
    /// Sizes and direction.
    pub sequence: Sequence,
    /// Whether the reset gate acts after the recurrent product; the bias is then `[2][3·U]`, else `[3·U]`.
    pub reset_after: bool,
}

impl Gru {
    /// Numbers kept from forward to backward: the states, then three gates and q a row.
    #[must_use]
    pub const fn saved_len(&self) -> usize {
        self.sequence.states_len() + 4 * self.sequence.rows() * self.sequence.units
    }

    /// Numbers of scratch for either pass.
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        let Sequence { units, .. } = self.sequence;
        3 * units * units + 3 * units + 2 * self.sequence.block() + products_len(&self.sequence, 3)
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
        self.sequence.check_forward(&pass, 3, self.needs());
        T::dispatch_on(isa, ForwardPass { gru: *self, pass });
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
        self.sequence.check_backward(&pass, 3, self.needs());
        T::dispatch_on(isa, BackwardPass { gru: *self, pass });
    }

    const fn needs(&self) -> Needs {
        let biases = if self.reset_after { 2 } else { 1 };
        let bias = biases * 3 * self.sequence.units;
        Needs {
            bias,
            saved: self.saved_len(),
            scratch: self.scratch_len(),
        }
    }
}

struct ForwardPass<'a, T> {
    gru: Gru,
    pass: Forward<'a, T>,
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
        states[sequence.initial()].fill(T::ZERO);
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
    let (z_row, rest) = gates.split_at_mut(h.len());
    let (r_row, c_row) = rest.split_at_mut(h.len());
    let mut j = 0;
    while j < h.len() {
        let z = sigmoid(simd, simd.load_partial(&z_row[j..]));
        let r = sigmoid(simd, simd.load_partial(&r_row[j..]));
        let c = tanh(
            simd,
            simd.mul_add(
                r,
                simd.load_partial(&q[j..]),
                simd.load_partial(&c_row[j..]),
            ),
        );
        simd.store_partial(z, &mut z_row[j..]);
        simd.store_partial(r, &mut r_row[j..]);
        simd.store_partial(c, &mut c_row[j..]);
        let h = simd.load_partial(&h[j..]);
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
    let (z_row, r_row) = gates.split_at_mut(h.len());
    let mut j = 0;
    while j < h.len() {
        let z = sigmoid(simd, simd.load_partial(&z_row[j..]));
        let r = sigmoid(simd, simd.load_partial(&r_row[j..]));
        simd.store_partial(z, &mut z_row[j..]);
        simd.store_partial(r, &mut r_row[j..]);
        simd.store_partial(simd.mul(r, simd.load_partial(&h[j..])), &mut q[j..]);
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

struct BackwardPass<'a, T> {
    gru: Gru,
    pass: Backward<'a, T>,
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
        let du_h = MatrixMut {
            data: &mut du[(2 * u).min(u * u)..],
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
