//! The struct, what it shows of its layers, and what is known of a network without running it.

use super::Generated;
use crate::check::{Checked, CheckedLayer};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn expand(checked: &Checked<'_>, names: &Generated) -> TokenStream {
    let network = checked.network;
    let Generated {
        lib,
        name,
        generics,
        sizes,
        declared,
        generic,
        single,
        size_names,
    } = names;
    let (attributes, vis) = (&network.attributes, &network.visibility);
    let bounds = &network.generics.where_clause;
    let table = table(checked);
    let views = checked
        .layers
        .iter()
        .enumerate()
        .filter_map(|(index, layer)| view(index, layer, names, checked));
    let title = name.to_string();
    quote! {
        #(#attributes)*
        #table
        #[derive(::core::clone::Clone)]
        #vis struct #name #declared #bounds {
            parameters: #lib::AlignedVec<T>,
            state: #lib::AlignedVec<T>,
        }

        #[automatically_derived]
        impl #generics ::core::fmt::Debug for #generic #bounds {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Formatter::debug_struct(f, #title).finish_non_exhaustive()
            }
        }

        #[allow(dead_code, missing_docs)]
        impl #generics #generic #bounds {
            #(#views)*

            /// The same network, every number converted.
            #[must_use]
            #vis fn cast<U: #lib::Float>(&self) -> #name<#(#size_names,)* U> {
                #name {
                    parameters: #lib::cast(&self.parameters),
                    state: #lib::cast(&self.state),
                }
            }
        }

        #[allow(dead_code)]
        impl #sizes #single #bounds {
            /// Numbers that are trained.
            #vis const PARAMETERS: ::core::primitive::usize = #lib::chain::parameters(Self::CHAIN);
            /// Floating-point operations of the products of a forward pass, a sample or a step.
            #vis const FLOPS: ::core::primitive::usize = #lib::chain::flops(Self::CHAIN);
            /// Likewise of a training step.
            #vis const TRAINING_FLOPS: ::core::primitive::usize = #lib::chain::training_flops(Self::CHAIN);
            /// Bytes that a sample, or a step, keeps live between forward and backward pass.
            #vis const ACTIVATION_BYTES: ::core::primitive::usize = #lib::chain::activation_bytes(Self::PLANS, 4);
            /// The layers, in order.
            #vis const LAYERS: &'static [#lib::LayerInfo] = <Self as #lib::Network>::LAYERS;

            /// A new network. Its parameters follow from the seed alone.
            #[must_use]
            #vis fn new(seed: #lib::Seed) -> Self {
                <Self as #lib::Network>::seeded(seed)
            }

            /// The layers and what flows between them, to be drawn.
            #[must_use]
            #vis fn graph() -> #lib::Graph {
                #lib::Graph::of::<Self>()
            }

            /// The layers as a table.
            #[must_use]
            #vis fn summary() -> #lib::Summary {
                #lib::Summary::of::<Self>()
            }
        }
    }
}

/// The method that shows a layer; layers without a name get one if they own numbers.
fn view(
    index: usize,
    layer: &CheckedLayer<'_>,
    names: &Generated,
    checked: &Checked<'_>,
) -> Option<TokenStream> {
    let is_seen = layer.source.name.is_some() || layer.owns_numbers();
    if !is_seen {
        return None;
    }
    let (name, docs, vis) = (&layer.name, &layer.source.docs, &checked.network.visibility);
    let lib = &names.lib;
    let title = format!("The numbers of layer {index}, `{}`.", layer.title());
    Some(quote! {
        #(#docs)*
        #[doc = #title]
        #[must_use]
        #vis fn #name(&self) -> #lib::LayerView<'_, T> {
            #lib::LayerView::of(self, #index)
        }
    })
}

/// The layers and what comes out of each, for the struct's documentation.
fn table(checked: &Checked<'_>) -> TokenStream {
    let mut lines = vec![
        String::new(),
        "| layer | kind | output |".into(),
        "|---|---|---|".into(),
    ];
    for layer in &checked.layers {
        let (name, kind, output) = (&layer.name, layer.title(), layer.output);
        lines.push(format!("| {name} | {kind} | `{output}` |"));
    }
    let lines = lines.into_iter().map(|line| format!(" {line}"));
    quote!(#(#[doc = #lines])*)
}
