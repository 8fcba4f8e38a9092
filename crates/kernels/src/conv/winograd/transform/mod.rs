//! The transforms between pixels and points, on vectors of channels: a linear map of lines, once along each axis.
//!
//! `two`, `three` and `four` have the matrices of tiles of so many pixels along an axis.

pub(crate) mod four;
pub(crate) mod three;
pub(crate) mod two;

use crate::simd::Simd;

/// Rows and columns of a kernel.
pub(crate) const KERNEL: usize = 3;

/// Lines of numbers as squares have them.
pub(crate) type Lines<V, const SIDE: usize> = [[V; SIDE]; SIDE];

/// A matrix that lines of `FROM` numbers are multiplied by.
pub(crate) trait Matrix<const FROM: usize, const TO: usize>: Copy {
    /// The matrix by a line.
    fn line<S: Simd>(self, simd: S, from: [S::Vector; FROM]) -> [S::Vector; TO];

    /// The matrix by a square by the matrix transposed.
    #[inline(always)]
    fn square<S: Simd>(self, simd: S, from: Lines<S::Vector, FROM>) -> Lines<S::Vector, TO> {
        let mut rows = [[simd.zero(); TO]; FROM];
        for r in 0..FROM {
            rows[r] = self.line(simd, from[r]);
        }
        let mut to = [[simd.zero(); TO]; TO];
        for s in 0..TO {
            let mut column = [simd.zero(); FROM];
            for r in 0..FROM {
                column[r] = rows[r][s];
            }
            let column = self.line(simd, column);
            for r in 0..TO {
                to[r][s] = column[r];
            }
        }
        to
    }
}
