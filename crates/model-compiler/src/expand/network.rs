//! The implementation of `Network`.

use super::Generated;
use super::constants::value;
use super::passes::{backward_name, forward_name};
use crate::ast;
use crate::plan::Program;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

pub(super) fn expand(program: &Program<'_>, names: &Generated) -> TokenStream {
    let lib = &names.lib;
    let segments = 0..program.segments.len();
    let forward = segments.clone().map(|segment| {
        let name = forward_name(segment);
        quote!(#segment => Self::#name(run, input, arena),)
    });
    let backward = segments.clone().map(|segment| {
        let name = backward_name(segment);
        quote!(#segment => Self::#name::<INPUT_GRADIENT>(run, input, arena, lane),)
    });
    let visits = program.steps.iter().enumerate().map(|(index, step)| {
        let value = value(index, step, &program.checked.layers);
        let element = if step.reads_input() {
            quote!(#lib::Element<Self>)
        } else {
            quote!(T)
        };
        quote!(visitor.visit::<_, #element>(#index, &#value);)
    });
    let first = value(0, &program.steps[0], &program.checked.layers);
    let (layers, steps) = (layers(program, names), steps(program, names));
    let checked = (!names.size_names.is_empty()).then(|| quote!(const { Self::CHECKED };));
    let parts = Parts {
        layers,
        steps,
        segments: program.segments.len(),
        checked: quote!(#checked),
        forward: quote!(match segment { #(#forward)* _ => ::core::panic!("there is no such segment") }),
        backward: quote!(match segment { #(#backward)* _ => ::core::panic!("there is no such segment") }),
        visit: quote!(#(#visits)*),
        scatter: quote! {
            #lib::Layer::<T, #lib::Element<Self>>::scatter(
                &#first, &Self::STEPS[0].plan, input, deferred, start, part,
            );
        },
    };
    implementation(program.checked.network, names, &parts)
}

/// For a faulty network: no layers, and passes that do nothing.
pub(super) fn expand_empty(network: &ast::Network, names: &Generated) -> TokenStream {
    let parts = Parts {
        layers: TokenStream::new(),
        steps: TokenStream::new(),
        segments: 1,
        checked: TokenStream::new(),
        forward: quote!(let _ = (segment, run, input, arena);),
        backward: quote!(let _ = (segment, run, input, arena, lane);),
        visit: quote!(let _ = visitor;),
        scatter: quote!(let _ = (input, deferred, start, part);),
    };
    implementation(network, names, &parts)
}

/// What differs between a network and a faulty one.
struct Parts {
    layers: TokenStream,
    steps: TokenStream,
    segments: usize,
    checked: TokenStream,
    forward: TokenStream,
    backward: TokenStream,
    visit: TokenStream,
    scatter: TokenStream,
}

fn implementation(network: &ast::Network, names: &Generated, parts: &Parts) -> TokenStream {
    let Generated {
        lib,
        generics,
        generic,
        ..
    } = names;
    let Parts {
        layers,
        steps,
        segments,
        checked,
        forward,
        backward,
        visit,
        scatter,
    } = parts;
    let (input, output) = (&network.input, &network.output);
    let bounds = &network.generics.where_clause;
    let name = network.name.unraw().to_string();
    quote! {
        #[automatically_derived]
        impl #generics #lib::Network for #generic #bounds {
            type Scalar = T;
            type Input = #input;
            type Output = #output;

            const NAME: &'static ::core::primitive::str = #name;
            const LAYERS: &'static [#lib::LayerInfo] = &[#layers];
            const STEPS: &'static [#lib::Step] = &[#steps];
            const SEGMENTS: ::core::primitive::usize = #segments;

            fn seeded(seed: #lib::Seed) -> Self {
                #checked
                let (parameters, state) = #lib::fresh(Self::LAYERS, seed);
                Self { parameters, state }
            }

            fn parameters(&self) -> &[T] {
                &self.parameters
            }
            fn parameters_mut(&mut self) -> &mut [T] {
                &mut self.parameters
            }
            fn state(&self) -> &[T] {
                &self.state
            }
            fn state_mut(&mut self) -> &mut [T] {
                &mut self.state
            }

            fn forward(
                segment: ::core::primitive::usize,
                run: &#lib::Run<'_, T>,
                input: &[#lib::Element<Self>],
                arena: &mut #lib::Arena<T>,
            ) {
                #forward
            }

            fn backward<const INPUT_GRADIENT: ::core::primitive::bool>(
                segment: ::core::primitive::usize,
                run: &#lib::Run<'_, T>,
                input: &[#lib::Element<Self>],
                arena: &mut #lib::Arena<T>,
                lane: &mut #lib::Lane<'_, T>,
            ) {
                #backward
            }

            fn visit<V: #lib::Visitor<T>>(visitor: &mut V) {
                #visit
            }

            fn scatter(
                input: &[#lib::Element<Self>],
                deferred: &[T],
                start: ::core::primitive::usize,
                part: &mut [T],
            ) {
                #scatter
            }
        }
    }
}

/// The rows of the layer table.
fn layers(program: &Program<'_>, names: &Generated) -> TokenStream {
    let lib = &names.lib;
    let sources = program.checked.sources();
    let rows = program.steps.iter().flat_map(|step| {
        let group = &step.group;
        let sources = &sources;
        group.layers.clone().map(move |index| {
            let layer = &program.checked.layers[index];
            let (name, kind) = (layer.name.unraw().to_string(), layer.title());
            let first = group.layers.start;
            let inputs = sources[index].iter().map(|input| match input {
                Some(input) => quote!(::core::option::Option::Some(#input)),
                None => quote!(::core::option::Option::None),
            });
            quote! {
                #lib::LayerInfo {
                    name: #name,
                    kind: #kind,
                    plan: Self::CHAIN[#index],
                    offset: Self::OFFSETS[#index],
                    state_offset: Self::STATE_OFFSETS[#index],
                    fused_into: #first,
                    inputs: &[#(#inputs),*],
                }
            }
        })
    });
    quote!(#(#rows),*)
}

/// The rows of the step table. Of fused layers, only the first has parameters.
fn steps(program: &Program<'_>, names: &Generated) -> TokenStream {
    let lib = &names.lib;
    let rows = program.steps.iter().enumerate().map(|(index, step)| {
        let first = step.group.layers.start;
        quote! {
            #lib::Step {
                plan: Self::PLANS[#index],
                offset: Self::OFFSETS[#first],
                state_offset: Self::STATE_OFFSETS[#first],
                layer: #first,
            }
        }
    });
    quote!(#(#rows),*)
}
