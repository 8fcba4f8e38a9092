//! The `model!` procedural macro of Plywood: a thin shell around the compiler in `plywood-model-compiler`.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

/// Declares a network: its name, the kinds of sample it takes and yields, and its layers.
///
/// ```ignore
/// plywood::model! {
///     /// Digits from grey images.
///     pub Digits: Image<28, 28, 1> => Logits<10> {
///         first: Conv2d(32, kernel: 3), Relu,
///         MaxPool2d(2),
///         Flatten,
///         Dense(10),
///     }
/// }
/// ```
///
/// The macro makes a struct of that name. Layers that do not go together are refused while the program is built, all of
/// them at once. See the crate `plywood` for the layers and their arguments.
#[proc_macro]
pub fn model(tokens: TokenStream) -> TokenStream {
    plywood_model_compiler::compile(tokens.into()).into()
}
