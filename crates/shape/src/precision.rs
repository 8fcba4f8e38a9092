//! What products and convolutions are computed in.

/// The precision of the operands of products and convolutions; sums, parameters and everything else keep the network's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// That of the network.
    #[default]
    Full,
    /// Operands rounded to bfloat16, 8 significant bits in the range of an `f32`, for networks of `f32`.
    Bf16,
}
