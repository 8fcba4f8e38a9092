//! SIMD kernels of Plywood: matrix product, convolution, pooling, recurrent cells, normalisation.
//!
//! Every kernel takes slices and a dimension struct and gives slices back. It never touches threads and never
//! allocates: scratch space is an argument, and the caller hands out ranges of the output. The instruction set is found
//! at run time ([`simd::Isa`]), so one binary serves every machine.
//!
//! Two rules hold for all of them. An output element is a sum in ascending order of its reduction index, cut by that
//! index alone, so neither the batch size nor a tile's edge nor a thread changes a bit of it. And a full vector and the
//! last partial one go through the same vector code, so cutting a slice elsewhere changes nothing either.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

pub mod bf16;
pub mod buffer;
pub mod conv;
pub mod elementwise;
pub mod embedding;
pub mod float;
pub mod gemm;
pub mod math;
pub mod norm;
mod once;
pub mod optimizer;
pub mod pool;
pub mod random;
pub mod rnn;
pub mod simd;
pub mod softmax;

pub use buffer::AlignedVec;
pub use float::Float;
pub use simd::{Isa, Kernel, Simd};
