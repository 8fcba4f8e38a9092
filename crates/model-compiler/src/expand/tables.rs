//! The tables of layers and of steps, with the rows of networks within the network.

use super::Generated;
use super::within::{self, Positions};
use crate::plan::Program;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

/// The layer table.
pub(super) fn layers(
    program: &Program<'_>,
    positions: &Positions<'_>,
    names: &Generated,
) -> TokenStream {
    let lib = &names.lib;
    let sources = program.checked.sources();
    let source = |input: &Option<usize>| match input {
        Some(input) => {
            let input = positions.last_layer(*input);
            quote!(::core::option::Option::Some(#input))
        }
        None => quote!(::core::option::Option::None),
    };
    let mut table = Table::default();
    for (step, planned) in program.steps.iter().enumerate() {
        let group = &planned.group;
        let first = positions.layer(group.layers.start);
        for index in group.layers.clone() {
            let layer = &program.checked.layers[index];
            let name = layer.name.unraw().to_string();
            let mut inputs = sources[index].iter().map(source);
            if layer.is_network() {
                let reads = inputs.next();
                let place = place(step, program, positions, &quote!(#reads), lib);
                let rows = within::member(layer, lib, &quote!(LAYERS));
                table.network(&rows, &place, lib);
                continue;
            }
            let (kind, frozen) = (layer.title(), layer.is_frozen());
            table.own.push(quote! {
                #lib::LayerInfo {
                    name: #lib::Name::new(#name),
                    kind: #kind,
                    plan: Self::CHAIN[#index],
                    offset: Self::OFFSETS[#index],
                    state_offset: Self::STATE_OFFSETS[#index],
                    fused_into: #first,
                    inputs: #lib::Inputs::new(&[#(#inputs),*]),
                    frozen: #frozen,
                }
            });
        }
    }
    let layers = program.checked.layers.iter();
    table.expand(
        &quote!(layers),
        within::rows(layers, &quote!(LAYER_COUNT), lib),
        lib,
    )
}

/// The step table. Of fused layers, only the first has parameters.
pub(super) fn steps(
    program: &Program<'_>,
    positions: &Positions<'_>,
    names: &Generated,
) -> TokenStream {
    let lib = &names.lib;
    let mut table = Table::default();
    for (index, step) in program.steps.iter().enumerate() {
        let (first, layer) = (step.group.layers.start, program.layer(index));
        if layer.is_network() {
            let nothing = quote!(::core::option::Option::None);
            let place = place(index, program, positions, &nothing, lib);
            let rows = within::member(layer, lib, &quote!(STEPS));
            table.network(&rows, &place, lib);
            continue;
        }
        let (at, frozen) = (positions.layer(first), layer.is_frozen());
        let still = program.still[index];
        table.own.push(quote! {
            #lib::Step {
                plan: Self::PLANS[#index],
                offset: Self::OFFSETS[#first],
                state_offset: Self::STATE_OFFSETS[#first],
                layer: #at,
                frozen: #frozen,
                still: #still,
            }
        });
    }
    let layers = (0..program.steps.len()).map(|step| program.layer(step));
    table.expand(
        &quote!(steps),
        within::rows(layers, &quote!(STEP_COUNT), lib),
        lib,
    )
}

/// Where a network, which is step `step`, lies within the whole.
fn place(
    step: usize,
    program: &Program<'_>,
    positions: &Positions<'_>,
    source: &TokenStream,
    lib: &TokenStream,
) -> TokenStream {
    let index = program.steps[step].group.layers.start;
    let (layer, at) = (program.layer(step), positions.layer(index));
    let name = layer.name.unraw().to_string();
    let (frozen, each_step) = (layer.is_frozen(), layer.each_step);
    let reads_still = program.is_still(program.steps[step].input);
    quote! {
        #lib::nested::Place {
            name: #name,
            layer: #at,
            source: #source,
            offset: Self::OFFSETS[#index],
            state_offset: Self::STATE_OFFSETS[#index],
            frozen: #frozen,
            reads_still: #reads_still,
            each_step: #each_step,
        }
    }
}

/// A table on the way: own rows, and those of networks.
#[derive(Default)]
struct Table {
    /// Whole parts.
    parts: Vec<TokenStream>,
    /// Own rows behind them.
    own: Vec<TokenStream>,
}

impl Table {
    fn network(&mut self, rows: &TokenStream, place: &TokenStream, lib: &TokenStream) {
        self.end_own(lib);
        self.parts
            .push(quote!(#lib::nested::Part::Network(#rows, #place)));
    }

    fn end_own(&mut self, lib: &TokenStream) {
        let own = std::mem::take(&mut self.own);
        if !own.is_empty() {
            self.parts
                .push(quote!(#lib::nested::Part::Own(&[#(#own),*])));
        }
    }

    /// The rows as an array, put together by a function of this name where there are networks.
    fn expand(
        mut self,
        put_together: &TokenStream,
        len: TokenStream,
        lib: &TokenStream,
    ) -> TokenStream {
        if self.parts.is_empty() {
            let own = self.own;
            return quote!([#(#own),*]);
        }
        self.end_own(lib);
        let parts = self.parts;
        quote!(#lib::nested::#put_together::<#len>(&[#(#parts),*]))
    }
}
