//! Dense: y = activation(x·W + b).
//!
//! ```text
//! y[r][o] = activation(Σᵢ x[r][i]·W[i][o] + b[o])
//! g  = dy ⊙ activation′(y)
//! dx = g·Wᵀ      dW += xᵀ·g      db += Σ_r g[r]
//! ```

use super::activation::activation_backward;
use super::{WeightGradients, WeightedFlow, Weights, scratch};
use crate::var::Var;
use plywood_kernels::elementwise::column_sums;
use plywood_kernels::gemm::{Epilogue, Gemm, MatrixMut, MatrixRef, Start, scratch_len};
use plywood_kernels::{Float, bf16};
use plywood_shape::{Activation, Precision};
use plywood_tensor::Tensor;
use std::ops::Range;

/// A product of rows with a weight matrix, + bias, then an activation.
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    /// Rows of x and y.
    pub rows: usize,
    /// Numbers in a row of x.
    pub inputs: usize,
    /// Numbers in a row of y.
    pub outputs: usize,
    /// What is applied last.
    pub activation: Activation,
    /// What the products are computed in.
    pub precision: Precision,
}

/// Inputs and outputs below which rounding and packing take longer than bf16 saves.
const FEW: usize = 32;

/// Rows and inputs that a late gradient in bf16 is taken of at a time.
const KEPT: [usize; 2] = [128, 48];

impl Dense {
    /// Whether products are computed in bf16.
    const fn is_in_bf16(&self) -> bool {
        let is_asked_for = matches!(self.precision, Precision::Bf16);
        is_asked_for && self.inputs >= FEW && self.outputs >= FEW
    }

    /// Numbers derived from the weight that forward needs: the first of [`prepared_len`](Dense::prepared_len).
    pub const fn prepared_for_forward_len(&self) -> usize {
        if self.is_in_bf16() {
            bf16::strips_len(self.inputs, self.outputs)
        } else {
            0
        }
    }

    /// Numbers derived from the weight that forward and backward need.
    pub const fn prepared_len(&self) -> usize {
        if self.is_in_bf16() {
            self.prepared_for_forward_len() + bf16::strips_len(self.outputs, self.inputs)
        } else {
            0
        }
    }

    /// Derives them, or those for forward alone if there is no room for more.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn prepare<T: Float>(&self, weight: &[T], prepared: &mut [T]) {
        if !self.is_in_bf16() {
            return;
        }
        let (forward, back) = prepared.split_at_mut(self.prepared_for_forward_len());
        let weight = MatrixRef::row_major(weight, self.outputs);
        bf16::pack_matrix(self.inputs, self.outputs, weight, forward);
        if !back.is_empty() {
            bf16::pack_matrix(self.outputs, self.inputs, weight.transposed(), back);
        }
    }

    /// Elements of scratch space that forward and backward need.
    pub const fn scratch_len(&self) -> usize {
        let (r, i, o) = (self.rows, self.inputs, self.outputs);
        let needs = if self.is_in_bf16() {
            [
                bf16::product_scratch_len(r, i),
                bf16::product_scratch_len(r, o),
                bf16::strips_len(r, o) + bf16::product_scratch_len(i, r),
            ]
        } else {
            [scratch_len(o, i), scratch_len(i, o), scratch_len(o, r)]
        };
        let [forward, input, weight] = needs;
        let larger = if forward > input { forward } else { input };
        if larger > weight { larger } else { weight }
    }

    /// y from x.
    ///
    /// # Shapes
    /// `x` \[rows\]\[inputs\], weight \[inputs\]\[outputs\], bias \[outputs\], `y` \[rows\]\[outputs\]; `prepared` as
    /// [`prepare`](Dense::prepare) left it, on the same machine.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn forward<T: Float>(
        &self,
        x: &[T],
        weights: Weights<'_, T>,
        prepared: &[T],
        y: &mut [T],
        scratch: &mut [T],
    ) {
        let (m, n, k) = (self.rows, self.outputs, self.inputs);
        let (a, start) = (MatrixRef::row_major(x, k), Start::Zero);
        let epilogue = Epilogue {
            bias: weights.bias,
            activation: self.activation,
        };
        if self.is_in_bf16() {
            let product = bf16::Product {
                m,
                n,
                k,
                a,
                b: prepared,
                start,
                epilogue,
            };
            return bf16::product(product, y, scratch);
        }
        let gemm = Gemm {
            m,
            n,
            k,
            a,
            b: MatrixRef::row_major(weights.weight, n),
            start,
            epilogue,
        };
        gemm.run(MatrixMut::row_major(y, n), scratch);
    }

    /// Columns `columns` of y, alone, for one row.
    ///
    /// # Shapes
    /// As [`forward`](Dense::forward), but `y` \[columns\].
    ///
    /// # Panics
    /// As [`forward`](Dense::forward); if there is more than one row, or fewer columns. In bf16 they begin at a multiple of 32.
    pub fn forward_columns<T: Float>(
        &self,
        columns: Range<usize>,
        x: &[T],
        weights: Weights<'_, T>,
        prepared: &[T],
        y: &mut [T],
        scratch: &mut [T],
    ) {
        assert!(self.rows == 1, "dense: columns of {} rows", self.rows);
        let (n, k) = (columns.len(), self.inputs);
        let epilogue = Epilogue {
            bias: weights.bias.map(|bias| &bias[columns.clone()]),
            activation: self.activation,
        };
        let (a, start) = (MatrixRef::row_major(x, k), Start::Zero);
        if self.is_in_bf16() {
            let product = bf16::Product {
                m: 1,
                n,
                k,
                a,
                b: &prepared[bf16::strips_len(k, columns.start)..],
                start,
                epilogue,
            };
            return bf16::product(product, y, scratch);
        }
        let gemm = Gemm {
            m: 1,
            n,
            k,
            a,
            b: MatrixRef {
                data: &weights.weight[columns.start..],
                row_stride: self.outputs,
                column_stride: 1,
            },
            start,
            epilogue,
        };
        gemm.run(MatrixMut::row_major(y, n), scratch);
    }

    /// Numbers that [`keep`](Dense::keep) keeps of a row.
    pub const fn kept_len(&self) -> usize {
        self.inputs + self.outputs
    }

    /// As [`backward`](Dense::backward), but the weight's gradient waits: of every row x and g are kept for
    /// [`kept_weight_gradient`](Dense::kept_weight_gradient).
    ///
    /// # Shapes
    /// `kept` \[rows\]\[inputs + outputs\], overwritten; `bias` \[outputs\], added to.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn keep<T: Float>(
        &self,
        flow: WeightedFlow<'_, T>,
        bias: Option<&mut [T]>,
        kept: &mut [T],
        prepared: &[T],
        scratch: &mut [T],
    ) {
        activation_backward(self.activation, flow.y, flow.dy);
        let rows = flow.x.chunks_exact(self.inputs);
        let rows = rows.zip(flow.dy.chunks_exact(self.outputs));
        for (kept, (x, g)) in kept.chunks_exact_mut(self.kept_len()).zip(rows) {
            let (kept_x, kept_g) = kept.split_at_mut(self.inputs);
            kept_x.copy_from_slice(x);
            kept_g.copy_from_slice(g);
        }
        if let Some(bias) = bias {
            column_sums(flow.dy, bias, Start::Accumulate);
        }
        if let Some(dx) = flow.dx {
            let back = &prepared[self.prepared_for_forward_len()..];
            self.input_gradient(flow.weight, back, flow.dy, dx, scratch);
        }
    }

    /// Elements of scratch space of [`kept_weight_gradient`](Dense::kept_weight_gradient), for any number of rows.
    pub const fn kept_scratch_len(&self) -> usize {
        if self.is_in_bf16() {
            let [rows, inputs] = KEPT;
            bf16::strips_len(rows, self.outputs) + bf16::product_scratch_len(inputs, rows)
        } else {
            scratch_len(self.outputs, usize::MAX)
        }
    }

    /// Adds xᵀ·g over all `rows` kept to some rows of the weight's gradient, from that of input `first` on.
    ///
    /// # Shapes
    /// `kept` \[rows\]\[inputs + outputs\], `part` \[some inputs\]\[outputs\].
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn kept_weight_gradient<T: Float>(
        &self,
        kept: &[T],
        first: usize,
        part: &mut [T],
        scratch: &mut [T],
    ) {
        if self.is_in_bf16() {
            return self.kept_in_bf16(kept, first, part, scratch);
        }
        let row_stride = self.kept_len();
        let columns = |from: usize| MatrixRef {
            data: &kept[from.min(kept.len())..],
            row_stride,
            column_stride: 1,
        };
        let gemm = Gemm {
            m: part.len() / self.outputs,
            n: self.outputs,
            k: self.rows,
            a: columns(first).transposed(),
            b: columns(self.inputs),
            start: Start::Accumulate,
            epilogue: Epilogue::NONE,
        };
        gemm.run(MatrixMut::row_major(part, self.outputs), scratch);
    }

    /// The same in bf16, some rows and inputs at a time.
    fn kept_in_bf16<T: Float>(&self, kept: &[T], first: usize, part: &mut [T], scratch: &mut [T]) {
        let [most_rows, most_inputs] = KEPT;
        let (n, row_stride) = (self.outputs, self.kept_len());
        let from = |row: usize, column: usize| MatrixRef {
            data: &kept[row * row_stride + column..],
            row_stride,
            column_stride: 1,
        };
        let (strips, scratch) = scratch.split_at_mut(bf16::strips_len(most_rows, n));
        for row in (0..self.rows).step_by(most_rows) {
            let k = most_rows.min(self.rows - row);
            bf16::pack_matrix(k, n, from(row, self.inputs), strips);
            for (index, part) in part.chunks_mut(most_inputs * n).enumerate() {
                let product = bf16::Product {
                    m: part.len() / n,
                    n,
                    k,
                    a: from(row, first + index * most_inputs).transposed(),
                    b: strips,
                    start: Start::Accumulate,
                    epilogue: Epilogue::NONE,
                };
                bf16::product(product, part, scratch);
            }
        }
    }

    /// The gradients of x and the parameters, from that of y.
    ///
    /// # Shapes
    /// As [`forward`](Dense::forward), gradients as what they are of.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn backward<T: Float>(
        &self,
        flow: WeightedFlow<'_, T>,
        gradients: WeightGradients<'_, T>,
        prepared: &[T],
        scratch: &mut [T],
    ) {
        activation_backward(self.activation, flow.y, flow.dy);
        self.weight_gradient(flow.x, flow.dy, gradients, scratch);
        if let Some(dx) = flow.dx {
            let back = &prepared[self.prepared_for_forward_len()..];
            self.input_gradient(flow.weight, back, flow.dy, dx, scratch);
        }
    }

    fn weight_gradient<T: Float>(
        &self,
        x: &[T],
        dy: &[T],
        gradients: WeightGradients<'_, T>,
        scratch: &mut [T],
    ) {
        let (m, n, k) = (self.inputs, self.outputs, self.rows);
        let (a, b) = (
            MatrixRef::row_major(x, m).transposed(),
            MatrixRef::row_major(dy, n),
        );
        let (start, epilogue) = (Start::Accumulate, Epilogue::NONE);
        if let Some(bias) = gradients.bias {
            column_sums(&dy[..k * n], bias, Start::Accumulate);
        }
        if self.is_in_bf16() {
            let (strips, scratch) = scratch.split_at_mut(bf16::strips_len(k, n));
            bf16::pack_matrix(k, n, b, strips);
            let product = bf16::Product {
                m,
                n,
                k,
                a,
                b: strips,
                start,
                epilogue,
            };
            return bf16::product(product, gradients.weight, scratch);
        }
        let gemm = Gemm {
            m,
            n,
            k,
            a,
            b,
            start,
            epilogue,
        };
        gemm.run(MatrixMut::row_major(gradients.weight, n), scratch);
    }

    fn input_gradient<T: Float>(
        &self,
        weight: &[T],
        prepared: &[T],
        dy: &[T],
        dx: &mut [T],
        scratch: &mut [T],
    ) {
        let (m, n, k) = (self.rows, self.inputs, self.outputs);
        let a = MatrixRef::row_major(dy, k);
        let (start, epilogue) = (Start::Zero, Epilogue::NONE);
        if self.is_in_bf16() {
            let product = bf16::Product {
                m,
                n,
                k,
                a,
                b: prepared,
                start,
                epilogue,
            };
            return bf16::product(product, dx, scratch);
        }
        let gemm = Gemm {
            m,
            n,
            k,
            a,
            b: MatrixRef::row_major(weight, k).transposed(),
            start,
            epilogue,
        };
        gemm.run(MatrixMut::row_major(dx, n), scratch);
    }
}

impl<'t, T: Float> Var<'t, T> {
    /// activation(self·weight + bias), for `self` \[…\]\[inputs\] of any number of leading axes.
    ///
    /// # Shapes
    /// `weight` \[inputs\]\[outputs\], `bias` \[outputs\]; yields \[…\]\[outputs\].
    ///
    /// # Panics
    /// If the shapes do not fit or values belong to different tapes.
    #[track_caller]
    pub fn dense(self, weight: Self, bias: Option<Self>, activation: Activation) -> Self {
        let (x, w) = (self.value(), weight.value());
        let bias_value = bias.map(Var::value);
        let (&inputs, leading) = x.shape().split_last().unwrap_or((&0, &[]));
        let does_fit = w.rank() == 2
            && w.shape()[0] == inputs
            && x.rank() > 0
            && bias_value
                .as_ref()
                .is_none_or(|b| b.shape() == &w.shape()[1..]);
        assert!(
            does_fit,
            "dense: input of shape {:?}, weight of {:?}, bias of {:?}",
            x.shape(),
            w.shape(),
            bias_value.as_ref().map(|b| b.shape().to_vec())
        );
        let dense = Dense {
            rows: leading.iter().product(),
            inputs,
            outputs: w.shape()[1],
            activation,
            precision: Precision::Full,
        };
        let mut y = Tensor::zeros([leading, &w.shape()[1..]].concat());
        let weights = Weights {
            weight: w.data(),
            bias: bias_value.as_ref().map(|b| b.data()),
        };
        dense.forward(
            x.data(),
            weights,
            &[],
            y.data_mut(),
            &mut scratch(dense.scratch_len()),
        );
        let mut operands = vec![self, weight];
        operands.extend(bias);
        let has_bias = bias.is_some();
        self.tape().record(&operands, y, move |step| {
            let mut dy = step.output_gradient().to_vec();
            let mut dx = step.zeros(0);
            let mut dw = vec![T::ZERO; step.input(1).len()];
            let mut db = vec![T::ZERO; if has_bias { dense.outputs } else { 0 }];
            let gradients = WeightGradients {
                weight: &mut dw,
                bias: has_bias.then_some(&mut db),
            };
            let flow = WeightedFlow {
                x: step.input(0).data(),
                weight: step.input(1).data(),
                y: step.output().data(),
                dy: &mut dy,
                dx: dx.as_deref_mut(),
            };
            dense.backward(flow, gradients, &[], &mut scratch(dense.scratch_len()));
            if let Some(dx) = dx {
                step.add(0, dx);
            }
            step.add(1, dw);
            if has_bias {
                step.add(2, db);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck;
    use crate::ops::sample;
    use plywood_shape::Activation;

    #[test]
    fn gradients_agree_with_differences() {
        let activations = [
            Activation::Identity,
            Activation::Relu,
            Activation::LeakyRelu(0.1),
            Activation::Sigmoid,
            Activation::Tanh,
        ];
        let sizes = [
            (1, 1, 1),
            (0, 2, 3),
            (3, 0, 2),
            (2, 3, 0),
            (5, 17, 3),
            (2, 4, 9),
        ];
        for activation in activations {
            for (rows, inputs, outputs) in sizes {
                let operands = [
                    sample(1, [rows, inputs]),
                    sample(2, [inputs, outputs]),
                    sample(3, [outputs]),
                ];
                gradcheck(&operands, |_, v| v[0].dense(v[1], Some(v[2]), activation)).unwrap();
                gradcheck(&operands[..2], |_, v| v[0].dense(v[1], None, activation)).unwrap();
            }
        }
    }

    #[test]
    fn leading_axes_are_rows() {
        let operands = [sample(1, [2, 3, 4]), sample(2, [4, 5]), sample(3, [5])];
        gradcheck(&operands, |_, v| {
            let y = v[0].dense(v[1], Some(v[2]), Activation::Tanh);
            assert_eq!(y.shape(), [2, 3, 5]);
            y
        })
        .unwrap();
    }

    #[test]
    #[should_panic(expected = "dense: input of shape [2, 3], weight of [4, 5], bias of None")]
    fn shapes_that_do_not_fit_are_named() {
        let tape = crate::Tape::new();
        let x = tape.leaf(sample(1, [2, 3]));
        x.dense(tape.leaf(sample(2, [4, 5])), None, Activation::Identity);
    }
}
