//! The matrix product in bf16.

use super::dispatch;
use super::level::{Body, Level};
use super::pack::{MAX_STRIP, Strips, across, along, as_words, as_words_mut};
use super::tile::{Finish, Rows, Sums};
use crate::elementwise::{Activation, activation_forward_in_place};
use crate::float::Float;
use crate::gemm::{Epilogue, MatrixRef, Start};

/// C\[m×n\] = (C +) A\[m×k\] · B\[k×n\], with B packed by [`pack_matrix`].
#[derive(Clone, Copy, Debug)]
pub struct Product<'a, T> {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// m×k; its rows or its columns are contiguous.
    pub a: MatrixRef<'a, T>,
    /// [`strips_len`] elements.
    pub b: &'a [T],
    /// What the sums are added to.
    pub start: Start,
    /// Bias and activation; nothing where sums are added to C.
    pub epilogue: Epilogue<'a, T>,
}

/// Elements that hold a packed k×n matrix.
pub const fn strips_len(k: usize, n: usize) -> usize {
    k.div_ceil(2) * n.next_multiple_of(MAX_STRIP)
}

/// Elements of scratch space of a product.
pub const fn product_scratch_len(m: usize, k: usize) -> usize {
    m * k.div_ceil(2)
}

/// Rounds and packs a k×n matrix, whose rows or columns are contiguous, into `strips`.
///
/// # Panics
/// If the matrix or the strips are too short, if neither its rows nor its columns are contiguous, or if `T` is not `f32`.
pub fn pack_matrix<T: Float>(k: usize, n: usize, matrix: MatrixRef<'_, T>, strips: &mut [T]) {
    let strips = as_words_mut(T::singles_mut(strips));
    assert!(
        strips.len() >= strips_len(k, n),
        "bf16: the strips are too short"
    );
    let matrix = MatrixRef {
        data: T::singles(matrix.data),
        row_stride: matrix.row_stride,
        column_stride: matrix.column_stride,
    };
    dispatch(PackMatrix {
        k,
        n,
        matrix,
        strips,
    });
}

struct PackMatrix<'a> {
    k: usize,
    n: usize,
    matrix: MatrixRef<'a, f32>,
    strips: &'a mut [u32],
}

impl Body for PackMatrix<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let mut strips = Strips {
            words: self.strips,
            rows: self.k.div_ceil(2),
            columns: self.n,
        };
        strips.write_matrix(level, 0, self.k, self.matrix);
    }
}

/// Computes C, rows of n elements one behind the other. `scratch` holds [`product_scratch_len`] elements of any content.
///
/// # Panics
/// If an operand is too short, if there is an epilogue behind sums that are added to C, or if `T` is not `f32`.
pub fn product<T: Float>(product: Product<'_, T>, c: &mut [T], scratch: &mut [T]) {
    let Product {
        m,
        n,
        k,
        a,
        b,
        start,
        epilogue,
    } = product;
    let accumulates = start == Start::Accumulate;
    let has_epilogue = epilogue.bias.is_some() || epilogue.activation != Activation::Identity;
    assert!(
        !(accumulates && has_epilogue),
        "bf16: an epilogue behind sums that are added"
    );
    let (finish, activation) = Finish::of(epilogue);
    let words = as_words_mut(T::singles_mut(scratch));
    let a = MatrixRef {
        data: T::singles(a.data),
        row_stride: a.row_stride,
        column_stride: a.column_stride,
    };
    dispatch(Multiply {
        sizes: [m, n, k],
        a,
        b: as_words(T::singles(b)),
        finish: Finish {
            accumulates,
            ..finish
        },
        c: T::singles_mut(c),
        words: &mut words[..product_scratch_len(m, k)],
    });
    activation_forward_in_place(activation, &mut c[..m * n]);
}

struct Multiply<'a> {
    sizes: [usize; 3],
    a: MatrixRef<'a, f32>,
    b: &'a [u32],
    finish: Finish<'a>,
    c: &'a mut [f32],
    words: &'a mut [u32],
}

impl Body for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, level: L) {
        let [m, n, k] = self.sizes;
        let pairs = k.div_ceil(2);
        let is_row_major = self.a.column_stride == 1;
        assert!(
            is_row_major || self.a.row_stride == 1,
            "bf16: neither rows nor columns of A are contiguous"
        );
        let (rows, step) = if is_row_major {
            for i in 0..m {
                let row = &self.a.data[i * self.a.row_stride..][..k];
                along(level, row, &mut self.words[i * pairs..][..pairs]);
            }
            (Rows::of_matrix(m, pairs), 1)
        } else {
            for p in 0..pairs {
                let column = |p: usize| &self.a.data[p * self.a.column_stride..][..m];
                let below = (2 * p + 1 < k).then(|| column(2 * p + 1));
                across(level, column(2 * p), below, &mut self.words[p * m..][..m]);
            }
            (Rows::of_matrix(m, 1), m)
        };
        let sums = Sums {
            a: self.words,
            extent: [1, 1, pairs],
            a_strides: [0, 0, step],
            rows,
            b: self.b,
            columns: n,
            c_row: n,
            finish: self.finish,
        };
        sums.run(level, self.c);
    }
}
