//! Layers, losses, metrics, optimizers and the training engine of Plywood.
//!
//! Use this crate alone to train networks written with `model!` without data sets and progress bars, or to write layers
//! of your own. The parts: [`Layer`] is the contract of a layer, [`layers`] has the built-in ones; [`Network`] is what
//! `model!` generates; [`engine`] runs training steps and inference over blocks of samples on a thread pool.
#![forbid(unsafe_code)]

pub mod arena;
pub mod engine;
#[doc(hidden)]
pub mod expansion;
mod graph;
pub mod initialise;
mod junction;
mod layer;
pub mod layers;
pub mod loss;
pub mod metric;
#[doc(hidden)]
pub mod nested;
pub mod network;
mod on_tape;
pub mod optimizer;
mod prepare;
pub mod run;
pub mod schedule;
mod summary;

pub use arena::Arena;
pub use graph::Graph;
pub use initialise::Seed;
pub use junction::Junction;
pub use layer::{Flow, LateWeight, Layer, Memory, Noise, Parts, Pass};
pub use layers::Function;
pub use network::{Element, LayerView, Network, Step};
pub use on_tape::OnTape;
pub use run::{Back, Run};
pub use summary::Summary;
