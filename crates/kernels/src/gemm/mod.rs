//! Matrix product: C = (C +) A·B, then + bias, then an activation.
//!
//! ```text
//! for i in 0..m, j in 0..n:
//!     sum = accumulate ? c[i][j] : 0
//!     for p in 0..k: sum = a[i][p] * b[p][j] + sum
//!     c[i][j] = activation(sum + bias[j])
//! ```
//!
//! Every kernel computes exactly that for each element: one chain in ascending p. The sum may pause in C between blocks
//! of k, since a stored `f32` is the very accumulator, but it is never split into partial sums. So an element's bits
//! depend on its row of A, its column of B and the instruction set, and on nothing else: not on m, n, the tile, the
//! position in it, or the path taken. Row i of a batch is the same row alone.
//!
//! Two paths exist on each level. The direct one reads A and B where they lie and suits the sizes of most layers; the
//! packed one copies blocks of B into order first and suits transposed B and wide rows. Products that outgrow the cache
//! ask for what comes next while they compute.
//! `f64` runs the portable kernels; the crate `matrixmultiply` is the second opinion ([`second_opinion`]) in tests and
//! benches only, because how its kernels add up at the edges is not part of its contract.

mod ahead;
mod direct;
mod finish;
mod matrix;
mod packed;
mod reference;
mod rows;
mod second_opinion;
#[cfg(test)]
mod tests;
mod tile;

pub use matrix::{MatrixMut, MatrixRef};
pub(crate) use rows::GemmElement;
pub use second_opinion::second_opinion;

use crate::elementwise::Activation;
use crate::float::Float;
use crate::simd::{Isa, Kernel, Simd};

/// What a sum starts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// From 0; C is written only.
    #[default]
    Zero,
    /// From what C holds, as the gradient of a shared weight does.
    Accumulate,
}

/// What happens to a finished sum: + bias, then the activation. Equal to the bit to doing the same in passes of its own.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a, T> {
    /// One number a column, n in all.
    pub bias: Option<&'a [T]>,
    /// The function applied last.
    pub activation: Activation,
}

impl<'a, T> Epilogue<'a, T> {
    /// Nothing happens.
    pub const NONE: Self = Self {
        bias: None,
        activation: Activation::Identity,
    };

    fn is_none(&self) -> bool {
        self.bias.is_none() && self.activation == Activation::Identity
    }

    /// The same of numbers that are `f32`.
    pub(crate) fn singles(self) -> Epilogue<'a, f32>
    where
        T: Float,
    {
        Epilogue {
            bias: self.bias.map(T::singles),
            activation: self.activation,
        }
    }
}

/// A matrix product C\[m×n\] = (C +) A\[m×k\] · B\[k×n\] and its epilogue.
#[derive(Clone, Copy, Debug)]
pub struct Gemm<'a, T> {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// m×k, any strides.
    pub a: MatrixRef<'a, T>,
    /// k×n, any strides; row-major needs no packing.
    pub b: MatrixRef<'a, T>,
    /// What the sums start from.
    pub start: Start,
    /// What happens to the sums.
    pub epilogue: Epilogue<'a, T>,
}

/// One way of computing a [`Gemm`].
pub struct Implementation<T: Float> {
    /// Name as in benches and logs: `gemm_<type>_<rows>x<columns>_<path>_<isa>`.
    pub name: &'static str,
    /// The level it needs.
    pub isa: Isa,
    /// Whether it takes this product.
    pub supports: fn(&Gemm<'_, T>) -> bool,
    /// Computes it; the arguments are checked.
    run: fn(Gemm<'_, T>, MatrixMut<'_, T>, &mut [T]),
}

impl<T: Float> Implementation<T> {
    /// Every implementation for `T`, best first within a level and the reference last.
    pub const ALL: &'static [Self] = if T::BYTES == 4 {
        Self::SINGLE
    } else {
        Self::DOUBLE
    };

    const SINGLE: &'static [Self] = &[
        Self::direct("gemm_f32_8x32_direct_avx512", Isa::Avx512),
        Self::packed("gemm_f32_8x32_packed_avx512", Isa::Avx512),
        Self::direct("gemm_f32_6x16_direct_avx2", Isa::Avx2),
        Self::packed("gemm_f32_6x16_packed_avx2", Isa::Avx2),
        Self::direct("gemm_f32_4x8_direct_scalar", Isa::Scalar),
        Self::packed("gemm_f32_4x8_packed_scalar", Isa::Scalar),
        Self::REFERENCE,
    ];

    const DOUBLE: &'static [Self] = &[
        Self::direct("gemm_f64_4x8_direct_scalar", Isa::Scalar),
        Self::packed("gemm_f64_4x8_packed_scalar", Isa::Scalar),
        Self::REFERENCE,
    ];

    const REFERENCE: Self = Self {
        name: "gemm_reference",
        isa: Isa::Scalar,
        supports: |_| true,
        run: reference::reference,
    };

    const fn direct(name: &'static str, isa: Isa) -> Self {
        let run: fn(Gemm<'_, T>, MatrixMut<'_, T>, &mut [T]) = match isa {
            Isa::Scalar => |gemm, c, _| T::dispatch_on(Isa::Scalar, direct::Direct { gemm, c }),
            Isa::Avx2 => |gemm, c, _| T::dispatch_on(Isa::Avx2, direct::Direct { gemm, c }),
            Isa::Avx512 => |gemm, c, _| T::dispatch_on(Isa::Avx512, direct::Direct { gemm, c }),
        };
        Self {
            name,
            isa,
            supports: |gemm| gemm.b.column_stride == 1,
            run,
        }
    }

    const fn packed(name: &'static str, isa: Isa) -> Self {
        let run: fn(Gemm<'_, T>, MatrixMut<'_, T>, &mut [T]) = match isa {
            Isa::Scalar => {
                |gemm, c, scratch| T::dispatch_on(Isa::Scalar, packed::Packed { gemm, c, scratch })
            }
            Isa::Avx2 => {
                |gemm, c, scratch| T::dispatch_on(Isa::Avx2, packed::Packed { gemm, c, scratch })
            }
            Isa::Avx512 => {
                |gemm, c, scratch| T::dispatch_on(Isa::Avx512, packed::Packed { gemm, c, scratch })
            }
        };
        Self {
            name,
            isa,
            supports: |_| true,
            run,
        }
    }

    /// Computes the product this way.
    ///
    /// # Panics
    /// If this machine lacks the level, if the product is not supported, or as [`Gemm::run`].
    pub fn run(&self, gemm: Gemm<'_, T>, c: MatrixMut<'_, T>, scratch: &mut [T]) {
        gemm.check(&c);
        assert!(
            (self.supports)(&gemm),
            "{} does not take this product",
            self.name
        );
        assert!(
            scratch.len() >= scratch_len(gemm.n, gemm.k),
            "{}: not enough scratch",
            self.name
        );
        (self.run)(gemm, c, scratch);
    }
}

/// Elements of scratch space that are enough for any product with B of k×n, on every level and path.
pub const fn scratch_len(n: usize, k: usize) -> usize {
    packed::scratch_len(n, k)
}

impl<T: Float> Gemm<'_, T> {
    /// Elements of scratch space this product needs: 0 where the direct path serves on every level.
    pub fn scratch_len(&self) -> usize {
        if Isa::ALL.into_iter().all(|isa| self.is_direct(isa)) {
            0
        } else {
            scratch_len(self.n, self.k)
        }
    }

    /// Computes the product at the active level.
    ///
    /// # Panics
    /// If an operand is too short for its sizes and strides, if the bias is not n long, or if `scratch` is shorter than
    /// [`scratch_len`](Gemm::scratch_len).
    pub fn run(self, c: MatrixMut<'_, T>, scratch: &mut [T]) {
        self.run_on(Isa::active(), c, scratch);
    }

    /// Computes the product at the level `isa`.
    ///
    /// # Panics
    /// As [`run`](Gemm::run), and if this machine lacks `isa`.
    pub fn run_on(self, isa: Isa, c: MatrixMut<'_, T>, scratch: &mut [T]) {
        self.check(&c);
        if self.is_direct(isa) {
            T::dispatch_on(isa, direct::Direct { gemm: self, c });
        } else {
            T::dispatch_on(
                isa,
                packed::Packed {
                    gemm: self,
                    c,
                    scratch,
                },
            );
        }
    }

    /// Computes the product inside of a kernel, at the level of its token. One call; nothing is inlined.
    ///
    /// # Panics
    /// As [`run`](Gemm::run).
    #[inline(always)]
    pub fn run_with<S: Simd<Elem = T>>(self, simd: S, c: MatrixMut<'_, T>, scratch: &mut [T]) {
        simd.enter(Checked {
            gemm: self,
            c,
            scratch,
        });
    }

    /// The path is a matter of speed alone: both give the same bits.
    fn is_direct(&self, isa: Isa) -> bool {
        self.b.column_stride == 1 && direct::pays(self, isa)
    }

    fn check(&self, c: &MatrixMut<'_, T>) {
        self.a.check("A", self.m, self.k);
        self.b.check("B", self.k, self.n);
        c.check(self.m, self.n);
        if let Some(bias) = self.epilogue.bias {
            assert!(
                bias.len() == self.n,
                "gemm: a bias of {} for {} columns",
                bias.len(),
                self.n
            );
        }
    }
}

/// A product whose operands are checked on entry.
struct Checked<'a, T> {
    gemm: Gemm<'a, T>,
    c: MatrixMut<'a, T>,
    scratch: &'a mut [T],
}

impl<T: Float> Kernel<T> for Checked<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Elem = T>>(self, simd: S) {
        let Self { gemm, c, scratch } = self;
        gemm.check(&c);
        if gemm.is_direct(S::ISA) {
            simd.enter(direct::Direct { gemm, c });
        } else {
            simd.enter(packed::Packed { gemm, c, scratch });
        }
    }
}
