//! The declarations of the built-in layers: their arguments and their shape rules.
//!
//! A declaration is plain data. The macro builds it while it expands, generated code builds it as a constant, and
//! `plywood-nn` implements the computation for it. Each has `new` with the positional arguments, one builder method a
//! named argument, and `plan`.

mod conv;
mod dense;
mod embedding;
mod function;
mod fused;
mod join;
mod norm;
mod pointwise;
mod pool;
mod recurrent;
mod side;

pub use conv::{Conv2d, ConvTranspose2d, DepthwiseConv2d};
pub use dense::{Dense, Flatten, Reshape};
pub use embedding::Embedding;
pub use function::{Pointwise, Then};
pub use fused::{BatchNormPool2d, ConvPool2d};
pub use join::{Axis, Join};
pub use norm::{BatchNorm, LayerNorm};
pub use pointwise::{Dropout, Gelu, LeakyRelu, Noise, Relu, Sigmoid, Silu, Softmax, Tanh};
pub use pool::{AvgPool2d, GlobalAvgPool2d, MaxPool2d};
pub use recurrent::{Bidirectional, Gru, Lstm, Merge, Recurrent, Returns, SimpleRnn};
pub use side::Side;

use crate::Size;

/// Initialisation of a weight tensor, where a layer leaves the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// Glorot and Bengio (2010), uniform: the default, as in Keras.
    Glorot,
    /// He et al. (2015), normal: for deep stacks of `Relu`.
    He,
}

impl Init {
    const fn fill(self, fan_in: Size, fan_out: Size) -> crate::Fill {
        match self {
            Self::Glorot => crate::Fill::Glorot {
                fan_in: fan_in.get_or(1),
                fan_out: fan_out.get_or(1),
            },
            Self::He => crate::Fill::He {
                fan_in: fan_in.get_or(1),
            },
        }
    }
}

const fn known(sizes: [usize; 2]) -> [Size; 2] {
    [Size::Known(sizes[0]), Size::Known(sizes[1])]
}

const TWO: Size = Size::Known(2);
