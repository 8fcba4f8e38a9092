//! What a program that trains a network needs, in one `use`.

pub use crate::model;
pub use plywood_autograd::{Tape, Var};
pub use plywood_data::{Dataset, FashionMnist, LanguageWords, Source};
pub use plywood_formats::{Load, Save};
/// A network over sequences runs step by step where its layers read in the order of time:
///
/// ```
/// use plywood::prelude::*;
///
/// plywood::model! {
///     Watch: Sequence<Vector<3>> => Sequence<Logits<2>> {
///         Gru(8, returns: sequence), Dense(2),
///     }
/// }
///
/// let watch = Watch::new(Seed(1));
/// let mut stream = Stream::new(&watch, 1);
/// for step in [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]] {
///     let logits = stream.push(&step);
///     assert_eq!(logits.len(), 2);
/// }
/// ```
///
/// One that reads backwards has to wait for the last step, and does not compile:
///
/// ```compile_fail,E0080
/// use plywood::prelude::*;
///
/// plywood::model! {
///     Watch: Sequence<Vector<3>> => Sequence<Logits<2>> {
///         Bidirectional { Gru(8, returns: sequence) }, Dense(2),
///     }
/// }
///
/// let watch = Watch::new(Seed(1));
/// let stream = Stream::new(&watch, 1);
/// ```
pub use plywood_nn::engine::Stream;
pub use plywood_nn::engine::{Session, Trainer};
pub use plywood_nn::loss::{
    BinaryCrossEntropy, CrossEntropy, Huber, MeanAbsoluteError, MeanSquaredError, Weighted,
};
pub use plywood_nn::metric::{
    Accuracy, BinaryAccuracy, ConfusionMatrix, LastStepAccuracy, Of, PrecisionRecallF1, TopK,
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
