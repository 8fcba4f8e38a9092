//! The struct, what it shows of its layers, and what is known of a network without running it.

use super::Generated;
use super::within::{self, Positions};
use crate::checked::{Checked, CheckedLayer};
use crate::plan::Program;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;

/// The struct of a program.
pub(super) fn expand(program: &Program<'_>, names: &Generated) -> TokenStream {
    let positions = Positions::of(program);
    structure(program.checked, names, |index| Where {
        row: positions.layer(index),
        offsets: quote!((Self::OFFSETS[#index], Self::STATE_OFFSETS[#index])),
    })
}

/// The struct of a faulty network, whose layers have no numbers.
pub(super) fn expand_faulty(checked: &Checked<'_>, names: &Generated) -> TokenStream {
    structure(checked, names, |index| Where {
        row: quote!(#index),
        offsets: quote!((0, 0)),
    })
}

/// Where a layer is found, as expressions.
struct Where {
    /// In the layer table.
    row: TokenStream,
    /// In the buffers of parameters and of state.
    offsets: TokenStream,
}

fn structure(
    checked: &Checked<'_>,
    names: &Generated,
    find: impl Fn(usize) -> Where,
) -> TokenStream {
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
        other,
        ..
    } = names;
    let (attributes, vis) = (&network.attributes, &network.visibility);
    let bounds = &network.generics.where_clause;
    let table = table(checked);
    let layers = checked.layers.iter().enumerate();
    let views = layers.filter_map(|(index, layer)| view(layer, &find(index), names, checked));
    let title = name.unraw().to_string();
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
            #vis fn cast<#other: #lib::Float>(&self) -> #name<#(#size_names,)* #other> {
                #name {
                    parameters: #lib::cast(&self.parameters),
                    state: #lib::cast(&self.state),
                }
            }
        }

        #[allow(dead_code)]
        impl #sizes #single #bounds {
            /// Numbers that are trained, or frozen.
            #vis const PARAMETERS: ::core::primitive::usize = #lib::table::parameters(Self::LAYERS);
            /// Floating-point operations of the products of a forward pass, a sample or a step.
            #vis const FLOPS: ::core::primitive::usize = #lib::table::flops(Self::LAYERS);
            /// Likewise of a training step.
            #vis const TRAINING_FLOPS: ::core::primitive::usize = #lib::table::training_flops(Self::LAYERS);
            /// Bytes that a sample, or a step, keeps live between forward and backward pass.
            #vis const ACTIVATION_BYTES: ::core::primitive::usize = #lib::activation_bytes(<Self as #lib::Network>::STEPS);
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

/// The method that shows a layer; layers without a name get one if they own numbers. A network has two: one takes a copy of it, one
/// puts its numbers back.
fn view(
    layer: &CheckedLayer<'_>,
    found: &Where,
    names: &Generated,
    checked: &Checked<'_>,
) -> Option<TokenStream> {
    let is_seen = layer.source.name.is_some() || layer.owns_numbers();
    if !is_seen {
        return None;
    }
    let (name, docs, vis) = (&layer.name, &layer.source.docs, &checked.network.visibility);
    let (lib, title) = (&names.lib, layer.title());
    let Where { row, offsets } = found;
    if layer.is_network() {
        let of = within::of_scalar(layer, lib);
        let reference = within::reference(layer, lib);
        let take = within::call(layer, lib, &quote!(taken), &quote!(self, #offsets));
        let put = within::call(layer, lib, &quote!(put), &quote!(self, #offsets, part));
        let set = format_ident!("set_{}", name.unraw(), span = name.span());
        let taken =
            format!("The network `{name}`, a `{title}`, by itself: a copy with its numbers.");
        let given = format!("Gives `{name}` the numbers of `part`.");
        return Some(quote! {
            #(#docs)*
            #[doc = #taken]
            #[must_use]
            #vis fn #name(&self) -> #of {
                #take
            }

            #[doc = #given]
            #vis fn #set(&mut self, part: #reference) {
                #put;
            }
        });
    }
    let title = format!("The numbers of layer `{name}`, `{title}`.");
    Some(quote! {
        #(#docs)*
        #[doc = #title]
        #[must_use]
        #vis fn #name(&self) -> #lib::LayerView<'_, T> {
            #lib::LayerView::of(self, #row)
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
