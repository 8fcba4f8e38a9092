//! Products and convolutions in bfloat16: operands rounded to 8 bits of precision, sums in `f32`.
//!
//! ```text
//! c[i][j] = (c[i][j] +) Σ_p round(a[i][p]) · round(b[p][j])      products exact, sums rounded to f32
//! ```
//!
//! A bfloat16 (bf16) is the upper half of an `f32`: its range with 8 significant bits. Processors with AVX512-BF16
//! multiply two pairs of them a lane and instruction, twice the rate of `f32`, at half the memory. Elsewhere the same
//! numbers come out at a lower rate, so that a mode can be tried and tested on every machine.
//!
//! Neighbours along k share a word: `pack` rounds them into pairs, and one register tile (`tile`) sums over pairs for
//! all of it. A convolution reads its pairs straight from padded images (implicit im2col); its input gradient is a
//! convolution with the flipped kernel; its weight gradient pairs neighbouring pixels.
//!
//! Rounding is to nearest, ties to even, as in Intel's *BFLOAT16 – Hardware Numerics Definition* (2018). The hardware takes
//! denormal operands for 0; the other levels keep them.

#[cfg(target_arch = "x86_64")]
mod avx2;
pub mod conv;
mod level;
#[cfg(target_arch = "x86_64")]
mod native;
mod pack;
mod portable;
mod product;
#[cfg(test)]
mod tests;
mod tile;
mod winograd;

pub use product::{Product, pack_matrix, product, product_scratch_len, strips_len};

use level::{Bf16Level, Body};

/// Whether this machine multiplies pairs of bf16 in one instruction, and the active level lets it.
pub fn is_native() -> bool {
    Bf16Level::active() == Bf16Level::Native
}

/// Runs `body` on the best level there is.
fn dispatch<B: Body>(body: B) -> B::Output {
    Bf16Level::active().run(body)
}

/// `x` rounded to bf16, as an `f32`.
pub fn round(x: f32) -> f32 {
    f32::from_bits(pack::rounded(x) << 16)
}
