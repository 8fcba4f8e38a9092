//! The matrix product of tensors, on the kernels' [`Gemm`].

use crate::layout::{Layout, broadcast_shape};
use crate::tensor::{Storage, Tensor, TensorBase, TensorView};
use plywood_kernels::Float;
use plywood_kernels::gemm::{Epilogue, Gemm, MatrixMut, MatrixRef, Start};

impl<S: Storage> TensorBase<S>
where
    S::Elem: Float,
{
    /// The products of the matrices in the last two axes; the axes before them are broadcast.
    ///
    /// # Shapes
    /// \[…\]\[m\]\[k\] · \[…\]\[k\]\[n\] → \[…\]\[m\]\[n\], any strides.
    ///
    /// # Panics
    /// If an operand has fewer than two axes or the shapes do not fit.
    #[track_caller]
    pub fn matmul<R: Storage<Elem = S::Elem>>(&self, other: &TensorBase<R>) -> Tensor<S::Elem> {
        let Some((leading, [m, k, n])) = product_sizes(self.shape(), other.shape()) else {
            panic!(
                "matmul: shapes {:?} and {:?} do not fit",
                self.shape(),
                other.shape()
            )
        };
        if has_flipped_axis(&self.layout) || has_flipped_axis(&other.layout) {
            return self.to_tensor().matmul(&other.to_tensor());
        }
        let mut product = Tensor::zeros([&leading[..], &[m, n]].concat());
        if product.is_empty() {
            return product;
        }
        let a = self.broadcast_to(&[&leading[..], &[m, k]].concat());
        let b = other.broadcast_to(&[&leading[..], &[k, n]].concat());
        let mut scratch = Vec::new();
        let matrices = matrices(&a).zip(matrices(&b));
        for ((a, b), c) in matrices.zip(product.data_mut().chunks_exact_mut(m * n)) {
            let gemm = Gemm {
                m,
                n,
                k,
                a,
                b,
                start: Start::Zero,
                epilogue: Epilogue::NONE,
            };
            scratch.resize(gemm.scratch_len(), S::Elem::ZERO);
            gemm.run(MatrixMut::row_major(c, n), &mut scratch);
        }
        product
    }
}

/// The common leading axes and m, k, n of a product; `None` if the shapes do not fit.
fn product_sizes(a: &[usize], b: &[usize]) -> Option<(Vec<usize>, [usize; 3])> {
    let (a_leading, &[m, k]) = a.split_last_chunk::<2>()?;
    let (b_leading, &[rows, n]) = b.split_last_chunk::<2>()?;
    if k != rows {
        return None;
    }
    Some((broadcast_shape(a_leading, b_leading)?, [m, k, n]))
}

/// Whether an axis runs backwards, which the kernels do not read.
fn has_flipped_axis(layout: &Layout) -> bool {
    layout.strides.iter().any(|&stride| stride < 0)
}

/// The matrices in the last two axes, in row-major order of the axes before them.
fn matrices<'a, T: Copy>(
    tensor: &'a TensorView<'_, T>,
) -> impl Iterator<Item = MatrixRef<'a, T>> + use<'a, T> {
    let leading = tensor.rank() - 2;
    let strides = &tensor.layout.strides;
    let (row_stride, column_stride) = (strides[leading], strides[leading + 1]);
    let outer = Layout {
        shape: tensor.shape()[..leading].to_vec(),
        strides: strides[..leading].to_vec(),
        offset: tensor.layout.offset,
    };
    let elements = tensor.storage;
    outer.places().map(move |place| MatrixRef {
        data: elements.get(place..).unwrap_or_default(),
        row_stride: row_stride.unsigned_abs(),
        column_stride: column_stride.unsigned_abs(),
    })
}

#[cfg(test)]
mod tests {
    use crate::{Tensor, TensorView};

    fn naive(a: &TensorView<'_, f64>, b: &TensorView<'_, f64>) -> Tensor<f64> {
        let (m, k, n) = (a.shape()[0], a.shape()[1], b.shape()[1]);
        Tensor::from_fn([m, n], |i| {
            (0..k).map(|p| a[[i / n, p]] * b[[p, i % n]]).sum()
        })
    }

    #[test]
    fn matrices_of_any_strides_multiply() {
        let a = Tensor::<f64>::arange(12).into_shape([3, 4]);
        let b = Tensor::<f64>::arange(20).into_shape([4, 5]);
        assert_eq!(a.matmul(&b), naive(&a.view(), &b.view()));
        assert_eq!(a.matmul(&a.transpose()), naive(&a.view(), &a.transpose()));
        let flipped = b.flip(0);
        assert_eq!(a.matmul(&flipped), naive(&a.view(), &flipped));
        let row = a.slice(0, 1..2);
        assert_eq!(row.matmul(&b), naive(&row, &b.view()));
    }

    #[test]
    fn leading_axes_broadcast() {
        let a = Tensor::<f64>::arange(24).into_shape([2, 1, 3, 4]);
        let b = Tensor::<f64>::arange(60).into_shape([3, 4, 5]);
        let product = a.matmul(&b);
        assert_eq!(product.shape(), [2, 3, 3, 5]);
        for i in 0..2 {
            for j in 0..3 {
                let expected = naive(&a.select(0, i).select(0, 0), &b.select(0, j));
                assert_eq!(product.select(0, i).select(0, j), expected);
            }
        }
    }

    #[test]
    fn empty_sums_are_zero() {
        let product = Tensor::<f32>::ones([2, 0]).matmul(&Tensor::ones([0, 3]));
        assert_eq!(product, Tensor::zeros([2, 3]));
        assert_eq!(
            Tensor::<f32>::ones([0, 2])
                .matmul(&Tensor::ones([2, 3]))
                .shape(),
            [0, 3]
        );
    }

    #[test]
    #[should_panic(expected = "matmul: shapes [2, 3] and [2, 3] do not fit")]
    fn shapes_that_do_not_fit_are_named() {
        Tensor::<f32>::ones([2, 3]).matmul(&Tensor::ones([2, 3]));
    }
}
