//! What a program that trains a network needs, in one `use`.

pub use crate::model;
pub use plywood_autograd::{Tape, Var};
pub use plywood_data::{Dataset, FashionMnist, LanguageWords, Source};
pub use plywood_formats::{Load, Save};
pub use plywood_nn::engine::{Session, Trainer};
pub use plywood_nn::loss::{
    BinaryCrossEntropy, CrossEntropy, Huber, MeanAbsoluteError, MeanSquaredError,
};
pub use plywood_nn::metric::{
    Accuracy, BinaryAccuracy, ConfusionMatrix, LastStepAccuracy, PrecisionRecallF1, TopK,
};
pub use plywood_nn::optimizer::{Adagrad, Adam, AdamW, RmsProp, Sgd};
pub use plywood_nn::schedule::{Constant, Cosine, OnPlateau, OneCycle, Step, WarmUp};
pub use plywood_nn::{Network, OnTape, Seed};
pub use plywood_shape::layers::*;
pub use plywood_shape::{
    Class, Image, Logits, Precision, Probabilities, Real, Sequence, Token, Vector,
};
pub use plywood_tensor::{Batch, Examples, Tensor};
pub use plywood_train::{Fit, History, evaluate};
