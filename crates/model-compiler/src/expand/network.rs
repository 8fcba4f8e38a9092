//! The implementation of `Network`.

use super::constants::value;
use super::passes::{backward_name, forward_name};
use super::within::{self, Positions};
use super::{Generated, tables};
use crate::ast;
use crate::plan::{Program, Stretch};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

pub(super) fn expand(program: &Program<'_>, names: &Generated) -> TokenStream {
    let lib = &names.lib;
    let positions = Positions::of(program);
    let visits = (0..program.steps.len()).map(|step| visit(step, program, &positions, names));
    let (layers, steps) = (
        tables::layers(program, &positions, names),
        tables::steps(program, &positions, names),
    );
    let checked = (!names.size_names.is_empty()).then(|| quote!(const { Self::CHECKED };));
    let (segments, forward, backward) = segments(program);
    let fits = (!names.size_names.is_empty()).then(|| {
        quote!(
            const FITS: () = Self::CHECKED;
        )
    });
    let parts = Parts {
        counts: within::counts(program, lib),
        fits: quote!(#fits),
        layers,
        steps,
        segments,
        checked: quote!(#checked),
        forward,
        backward,
        visit: quote!(#(#visits)*),
        scatter: scatter(program, lib),
    };
    implementation(program.checked.network, names, &parts)
}

/// Shows a step to the visitor, or lets a network show its own.
fn visit(
    step: usize,
    program: &Program<'_>,
    positions: &Positions<'_>,
    names: &Generated,
) -> TokenStream {
    let lib = &names.lib;
    let (layer, at) = (program.layer(step), positions.step(step));
    if layer.is_network() {
        let visit = within::call(layer, lib, &quote!(visit), &quote!(first + #at, visitor));
        return quote!(#visit;);
    }
    let value = value(step, &program.steps[step], &program.checked.layers);
    let element = if program.steps[step].reads_input() {
        quote!(#lib::Element<Self>)
    } else {
        quote!(T)
    };
    quote!(visitor.visit::<_, #element>(first + #at, &#value);)
}

/// The table of the first step is the only one that gradients are scattered to.
fn scatter(program: &Program<'_>, lib: &TokenStream) -> TokenStream {
    let layer = program.layer(0);
    if layer.is_network() {
        let input = within::read(layer, lib, &quote!(input));
        let arguments = quote!(#input, deferred, start, part);
        let scatter = within::call(layer, lib, &quote!(scatter), &arguments);
        return quote!(#scatter;);
    }
    let first = value(0, &program.steps[0], &program.checked.layers);
    quote! {
        #lib::Layer::<T, #lib::Element<Self>>::scatter(
            &#first, &Self::STEPS[0].plan, input, deferred, start, part,
        );
    }
}

/// How many segments there are, and what is called in each, forward and back.
fn segments(program: &Program<'_>) -> (TokenStream, TokenStream, TokenStream) {
    if program.holds_networks() {
        return segments_with_networks(program);
    }
    let count = program.stretches.len();
    let calls = |call: fn(usize) -> TokenStream| {
        let arms = (0..count).map(|index| {
            let call = call(index);
            quote!(#index => #call,)
        });
        quote!(match segment { #(#arms)* _ => ::core::panic!("there is no such segment") })
    };
    let forward = calls(|index| {
        let name = forward_name(index);
        quote!(Self::#name(run, input, memory))
    });
    let backward = calls(|index| {
        let name = backward_name(index);
        quote!(Self::#name::<INPUT_GRADIENT>(run, input, memory, lane))
    });
    (quote!(#count), forward, backward)
}

/// Several stretches may run in one segment: networks have segments of their own.
fn segments_with_networks(program: &Program<'_>) -> (TokenStream, TokenStream, TokenStream) {
    let count = program.stretches.len();
    let stretches = program.stretches.iter().enumerate();
    let stretches: Vec<_> = stretches
        .filter(|(_, stretch)| !stretch.is_empty())
        .collect();
    let each = |(index, stretch): &(usize, &Stretch), name: TokenStream, more: TokenStream| {
        let is_frozen = stretch.is_network && program.layer(stretch.steps.start).is_frozen();
        let start = quote!(Self::SEGMENT_AT[#index]);
        let (is_now, own) = match (stretch.is_network, is_frozen) {
            (false, _) => (quote!(segment == #start), TokenStream::new()),
            (true, true) => (quote!(segment == #start), quote!(0,)),
            (true, false) => {
                // Its last segment is the one in which the next stretch begins.
                let next = index + 1;
                let is_now = quote!(segment >= #start && segment <= Self::SEGMENT_AT[#next]);
                (is_now, quote!(segment - #start,))
            }
        };
        quote!(if #is_now { Self::#name(#own run, input, memory.again() #more); })
    };
    let forward = stretches.iter().map(|stretch| {
        let name = forward_name(stretch.0);
        each(stretch, quote!(#name), TokenStream::new())
    });
    let backward = stretches.iter().rev().map(|stretch| {
        let name = backward_name(stretch.0);
        each(stretch, quote!(#name::<INPUT_GRADIENT>), quote!(, lane))
    });
    (
        quote!(Self::SEGMENT_AT[#count] + 1),
        quote!(#(#forward)*),
        quote!(#(#backward)*),
    )
}

/// For a faulty network: no layers, and passes that do nothing.
pub(super) fn expand_empty(network: &ast::Network, names: &Generated) -> TokenStream {
    let parts = Parts {
        counts: TokenStream::new(),
        fits: TokenStream::new(),
        layers: quote!([]),
        steps: quote!([]),
        segments: quote!(1),
        checked: TokenStream::new(),
        forward: TokenStream::new(),
        backward: TokenStream::new(),
        visit: TokenStream::new(),
        scatter: TokenStream::new(),
    };
    implementation(network, names, &parts)
}

/// What differs between a network and a faulty one.
struct Parts {
    counts: TokenStream,
    fits: TokenStream,
    layers: TokenStream,
    steps: TokenStream,
    segments: TokenStream,
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
        counts,
        fits,
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
    let (title, size_names) = (&names.name, &names.size_names);
    let (other, visitor) = (&names.other, &names.visitor);
    let of = quote!(#title<#(#size_names,)* #other>);
    let bounds = &network.generics.where_clause;
    let name = network.name.unraw().to_string();
    quote! {
        #[automatically_derived]
        #[allow(unused_mut, unused_variables)]
        impl #generics #lib::Network for #generic #bounds {
            type Scalar = T;
            type Input = #input;
            type Output = #output;
            type Of<#other: #lib::Float> = #of;

            const NAME: &'static ::core::primitive::str = #name;
            const LAYERS: &'static [#lib::LayerInfo] = &#layers;
            const STEPS: &'static [#lib::Step] = &#steps;
            const SEGMENTS: ::core::primitive::usize = #segments;
            #counts
            #fits

            fn seeded(seed: #lib::Seed) -> Self {
                #checked
                let (parameters, state) = #lib::fresh(Self::LAYERS, seed);
                Self { parameters, state }
            }

            fn of_numbers(parameters: #lib::AlignedVec<T>, state: #lib::AlignedVec<T>) -> Self {
                #checked
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
                mut memory: #lib::Carved<'_, T>,
            ) {
                #forward
            }

            fn backward<const INPUT_GRADIENT: ::core::primitive::bool>(
                segment: ::core::primitive::usize,
                run: &#lib::Run<'_, T>,
                input: &[#lib::Element<Self>],
                mut memory: #lib::Carved<'_, T>,
                lane: &mut #lib::Lane<'_, T>,
            ) {
                #backward
            }

            fn visit<#visitor: #lib::Visitor<T>>(
                first: ::core::primitive::usize,
                visitor: &mut #visitor,
            ) {
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
