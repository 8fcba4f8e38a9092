//! The compiler behind `model!`, as a plain library: every stage can be tested without rustc.
//!
//! A network goes through stages, each a module: [`parse`] reads tokens leniently into the tree of [`ast`]; [`unroll`] writes repeated
//! lists out and looks at blocks; [`mod@check`] gives every layer its [`meaning`] and asks its shape rule, and what it finds out is
//! [`checked`]; [`fuse`] finds layers that are computed as one; [`plan`] orders them into steps and stretches; [`expand`] writes Rust.
//! Faults of all stages are collected in [`fault::Faults`] and reported at once, beside an [`outline`] of the network.
//!
//! The compiler is pure: it reads no file, no environment and no global state.
#![forbid(unsafe_code)]

pub mod ast;
pub mod builtin;
pub mod check;
pub mod checked;
pub mod expand;
pub mod fault;
pub mod function;
pub mod fuse;
pub mod given;
pub mod kinds;
pub mod meaning;
pub mod names;
pub mod outline;
pub mod parse;
pub mod plan;
pub mod project;
pub mod reach;
pub mod sides;
pub mod similar;
pub mod unroll;
pub mod value;

use checked::Checked;
use fault::Faults;
use proc_macro2::TokenStream;

/// The expansion of `model! { tokens }`: a network, or what is wrong with it and the outline of a network.
#[must_use]
pub fn compile(tokens: TokenStream) -> TokenStream {
    let mut faults = Faults::default();
    let Some(network) = parse::parse(tokens, &mut faults) else {
        return faults.to_compile_errors();
    };
    outline::refuse(&network, &mut faults);
    let checked = check::check(&network, &mut faults);
    if faults.is_empty() {
        return expand::expand(&checked);
    }
    let outline = outline::of(&network);
    let checked = Checked {
        network: &outline,
        ..checked
    };
    expand::expand_faulty(&checked, &faults)
}
