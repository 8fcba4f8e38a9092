//! From a program to Rust: a struct, its constants, its passes and its implementation of `Network`.
//!
//! What comes out is flat: constants for layers and steps, and straight lines of library calls. Everything is named by
//! absolute paths, so that nothing in the user's scope can come between.

mod constants;
mod network;
mod passes;
mod reports;
mod structure;
mod tables;
mod within;

use crate::ast::Network;
use crate::checked::Checked;
use crate::fault::Faults;
use crate::plan::plan;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{GenericParam, Ident};

/// The expansion of a network without faults.
#[must_use]
pub fn expand(checked: &Checked<'_>) -> TokenStream {
    let program = plan(checked);
    let names = Generated::of(checked.network);
    let parts = [
        structure::expand(&program, &names),
        constants::expand(&program, &names),
        passes::expand(&program, &names),
        network::expand(&program, &names),
        reports::expand(checked, &names),
    ];
    parts.into_iter().collect()
}

/// The faults, then a struct of the same name and signatures that computes nothing: no further message of rustc's
/// stands beside ours.
#[must_use]
pub fn expand_faulty(checked: &Checked<'_>, faults: &Faults) -> TokenStream {
    let names = Generated::of(checked.network);
    let parts = [
        faults.to_compile_errors(),
        structure::expand_faulty(checked, &names),
        constants::expand_empty(checked.network, &names),
        network::expand_empty(checked.network, &names),
    ];
    parts.into_iter().collect()
}

/// How generated code names the network and the library.
struct Generated {
    /// The library's hidden module.
    lib: TokenStream,
    /// The network's name.
    name: Ident,
    /// `impl<const N: usize, T: Float>`, the brackets and what is between them.
    generics: TokenStream,
    /// Likewise with the defaults, for the struct itself.
    declared: TokenStream,
    /// Likewise without `T`.
    sizes: TokenStream,
    /// `Name<N, T>`
    generic: TokenStream,
    /// `Name<N, f32>`
    single: TokenStream,
    /// The names of the open sizes.
    size_names: Vec<Ident>,
    /// Names of type parameters that no open size has: of another scalar, and of a visitor.
    other: Ident,
    visitor: Ident,
}

impl Generated {
    fn of(network: &Network) -> Self {
        let library = &network.library;
        let lib = quote!(#library::__private);
        let name = network.name.clone();
        let mut sizes = Vec::new();
        let mut size_names = Vec::new();
        let mut declared = Vec::new();
        for parameter in &network.generics.params {
            if let GenericParam::Const(size) = parameter
                && size.ident != "T"
            {
                declared.push(size.to_token_stream());
                let mut size = size.clone();
                size.default = None;
                sizes.push(size.to_token_stream());
                size_names.push(size.ident);
            }
        }
        let free = |wanted: &str| {
            let mut free = format_ident!("{wanted}");
            while size_names.contains(&free) {
                free = format_ident!("{free}_");
            }
            free
        };
        Self {
            other: free("U"),
            visitor: free("V"),
            generics: quote!(<#(#sizes,)* T: #lib::Float>),
            sizes: quote!(<#(#sizes),*>),
            declared: quote!(<#(#declared,)* T: #lib::Float = ::core::primitive::f32>),
            generic: quote!(#name<#(#size_names,)* T>),
            single: quote!(#name<#(#size_names,)* ::core::primitive::f32>),
            lib,
            name,
            size_names,
        }
    }
}

/// The constant that declares layer `index`.
fn layer_const(index: usize) -> Ident {
    format_ident!("LAYER_{index}")
}

#[cfg(test)]
mod tests;
