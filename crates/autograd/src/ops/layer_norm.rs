//! Layer normalisation: every row has zero mean and unit variance before it is scaled and shifted.
//!
//! ```text
//! y = (x − mean) / √(var + ε) · weight + bias        mean and var over the row
//! ```
//!
//! Mean and 1 / √(var + ε) of every row are kept for the way back, whose formulas the kernel states.

use super::{WeightGradients, WeightedFlow, Weights};
use crate::ops::conv2d::weighted_backward;
use crate::var::Var;
use plywood_kernels::Float;
use plywood_kernels::norm::{LayerBackward, LayerForward, layer_backward, layer_forward};
use plywood_tensor::Tensor;

/// Layer normalisation over rows of features.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    /// Rows.
    pub rows: usize,
    /// Numbers in a row.
    pub features: usize,
    /// Added to the variance.
    pub epsilon: f64,
}

impl LayerNorm {
    /// y from x; `saved` may be empty where no backward pass follows.
    ///
    /// # Shapes
    /// `x` and `y` \[rows\]\[features\], weight and bias \[features\], `saved` \[rows\]\[2\].
    ///
    /// # Panics
    /// If there is no bias, or if a slice has another length.
    pub fn forward<T: Float>(
        &self,
        x: &[T],
        weights: Weights<'_, T>,
        y: &mut [T],
        saved: &mut [T],
    ) {
        let bias = weights.bias.expect("layer normalisation has a bias");
        assert!(
            x.len() == self.rows * self.features && weights.weight.len() == self.features,
            "layer_norm: {} numbers and {} weights for {} rows of {}",
            x.len(),
            weights.weight.len(),
            self.rows,
            self.features
        );
        let saved = (!saved.is_empty()).then_some(saved);
        layer_forward(LayerForward {
            x,
            weight: weights.weight,
            bias,
            epsilon: self.epsilon,
            y,
            saved,
        });
    }

    /// The gradients of x and the parameters, from that of y and what the forward pass saved.
    ///
    /// # Shapes
    /// As [`forward`](LayerNorm::forward), gradients as what they are of.
    ///
    /// # Panics
    /// If there is no gradient of the bias, or if a slice has another length.
    pub fn backward<T: Float>(
        &self,
        flow: WeightedFlow<'_, T>,
        gradients: WeightGradients<'_, T>,
        saved: &[T],
    ) {
        let dbias = gradients.bias.expect("layer normalisation has a bias");
        layer_backward(LayerBackward {
            x: flow.x,
            weight: flow.weight,
            saved,
            dy: flow.dy,
            dx: flow.dx,
            dweight: gradients.weight,
            dbias,
        });
    }
}

impl<'t, T: Float> Var<'t, T> {
    /// Layer normalisation over the last axis.
    ///
    /// # Shapes
    /// `self` \[…\]\[features\], `weight` and `bias` \[features\]; yields the shape of `self`.
    ///
    /// # Panics
    /// If the shapes do not fit or values belong to different tapes.
    #[track_caller]
    pub fn layer_norm(self, weight: Self, bias: Self, epsilon: f64) -> Self {
        let (x, w, b) = (self.value(), weight.value(), bias.value());
        let features = super::row_len(&x, "layer_norm");
        assert!(
            w.shape() == [features] && b.shape() == [features],
            "layer_norm: input of shape {:?}, weight of {:?}, bias of {:?}",
            x.shape(),
            w.shape(),
            b.shape()
        );
        let norm = LayerNorm {
            rows: x.len() / features,
            features,
            epsilon,
        };
        let mut y = Tensor::zeros(x.shape());
        let mut saved = vec![T::ZERO; 2 * norm.rows];
        let weights = Weights {
            weight: w.data(),
            bias: Some(b.data()),
        };
        norm.forward(x.data(), weights, y.data_mut(), &mut saved);
        self.tape().record(&[self, weight, bias], y, move |step| {
            weighted_backward(step, |flow, gradients| {
                norm.backward(flow, gradients, &saved)
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::gradcheck;
    use crate::ops::sample;

    #[test]
    fn gradients_agree_with_differences() {
        for rows in [0, 1, 2, 5] {
            for features in [1, 2, 3, 8, 17] {
                let operands = [
                    sample(1, [rows, features]),
                    sample(2, [features]),
                    sample(3, [features]),
                ];
                gradcheck(&operands, |_, v| v[0].layer_norm(v[1], v[2], 1e-3))
                    .unwrap_or_else(|error| panic!("{rows}×{features}: {error}"));
            }
        }
        let operands = [sample(1, [2, 3, 4, 5]), sample(2, [5]), sample(3, [5])];
        gradcheck(&operands, |_, v| v[0].layer_norm(v[1], v[2], 1e-5)).unwrap();
    }

    #[test]
    fn a_row_comes_out_with_zero_mean_and_unit_variance() {
        let tape = crate::Tape::new();
        let ones = plywood_tensor::Tensor::from_vec([9], vec![1.0; 9]);
        let (weight, bias) = (
            tape.leaf(ones),
            tape.leaf(plywood_tensor::Tensor::zeros([9])),
        );
        let y = tape.leaf(sample(1, [3, 9])).layer_norm(weight, bias, 1e-12);
        for row in y.value().data().chunks(9) {
            assert!(row.iter().sum::<f64>().abs() < 1e-9);
            assert!((row.iter().map(|y| y * y).sum::<f64>() - 9.0).abs() < 1e-9);
        }
    }
}
