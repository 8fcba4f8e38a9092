//! The passes of every stretch: straight lines of one call a step; of a network, its own passes.

use super::Generated;
use super::constants::{local, value};
use super::within::{self, Positions};
use crate::plan::{Back, Program, Source, Stretch};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::BTreeSet;
use syn::Ident;

pub(super) fn expand(program: &Program<'_>, names: &Generated) -> TokenStream {
    let Generated {
        generics, generic, ..
    } = names;
    let bounds = &program.checked.network.generics.where_clause;
    let passes = Passes {
        program,
        names,
        positions: Positions::of(program),
    };
    let stretches = program.stretches.iter().enumerate();
    let functions = stretches.map(|(index, stretch)| {
        if stretch.is_empty() && program.holds_networks() {
            return TokenStream::new();
        }
        if stretch.is_network {
            return passes.network(index, stretch.steps.start);
        }
        let forward = passes.forward(index, stretch);
        let backward = passes.backward(index, stretch);
        quote!(#forward #backward)
    });
    quote! {
        #[allow(dead_code, unused_mut, unused_variables)]
        impl #generics #generic #bounds {
            #(#functions)*
        }
    }
}

/// `forward_0`
pub(super) fn forward_name(segment: usize) -> Ident {
    format_ident!("forward_{segment}")
}

/// `backward_0`
pub(super) fn backward_name(segment: usize) -> Ident {
    format_ident!("backward_{segment}")
}

struct Passes<'a> {
    program: &'a Program<'a>,
    names: &'a Generated,
    positions: Positions<'a>,
}

impl Passes<'_> {
    /// The passes of a network within the network, over its part of the memory.
    fn network(&self, index: usize, step: usize) -> TokenStream {
        let lib = &self.names.lib;
        let layer = self.program.layer(step);
        let (forward, backward) = (forward_name(index), backward_name(index));
        let x = within::read(layer, lib, &self.x(step));
        let (start, end) = (self.positions.step(step), self.positions.step(step + 1));
        let source = self.program.steps[step].reads[0];
        let mut used = Used::default();
        used.read(&[source]);
        let slots = self.slots(&used, step);
        let is_wanted = if self.program.is_still(source) {
            quote!(INPUT_GRADIENT)
        } else {
            quote!(true)
        };
        let is_frozen = layer.is_frozen();
        let own = quote!(#start..#end, (segment, #is_frozen), run, #x, memory);
        let forth = within::call(layer, lib, &quote!(forward), &own);
        let back = within::call(
            layer,
            lib,
            &quote!(backward),
            &quote!(#own, (lane, #is_wanted)),
        );
        let mut backwards = quote!(#slots #back;);
        if self.program.still[step] {
            backwards = quote!(if INPUT_GRADIENT { #backwards });
        }
        quote! {
            fn #forward(
                segment: ::core::primitive::usize,
                run: &#lib::Run<'_, T>,
                input: &[#lib::Element<Self>],
                mut memory: #lib::Carved<'_, T>,
            ) {
                #slots
                #forth;
            }

            fn #backward<const INPUT_GRADIENT: ::core::primitive::bool>(
                segment: ::core::primitive::usize,
                run: &#lib::Run<'_, T>,
                input: &[#lib::Element<Self>],
                mut memory: #lib::Carved<'_, T>,
                lane: &mut #lib::Lane<'_, T>,
            ) {
                #backwards
            }
        }
    }

    fn forward(&self, index: usize, stretch: &Stretch) -> TokenStream {
        let lib = &self.names.lib;
        let name = forward_name(index);
        let mut used = Used::default();
        for step in stretch.steps.clone() {
            used.write(step);
            used.read(&self.program.steps[step].reads);
        }
        let calls = stretch.steps.clone().map(|step| {
            let (value, slot, at) = (self.value(step), self.slot(step), self.positions.step(step));
            if self.program.steps[step].is_junction() {
                let ends = self.program.steps[step].reads.iter();
                let ends = ends.map(|end| self.source(*end));
                quote!(run.join(#at, &#value, &[#(&*#ends),*], &mut #slot);)
            } else {
                let x = self.x(step);
                quote!(run.forward(#at, &#value, #x, &mut #slot, memory.scratch);)
            }
        });
        let observe = stretch.next_coupled.map(|step| {
            used.read(&self.program.steps[step].reads);
            let (value, x, at) = (self.value(step), self.x(step), self.positions.step(step));
            quote!(run.observe(#at, &#value, #x, memory.partials);)
        });
        let slots = self.slots(&used, used.end());
        quote! {
            fn #name(
                run: &#lib::Run<'_, T>,
                input: &[#lib::Element<Self>],
                mut memory: #lib::Carved<'_, T>,
            ) {
                #slots
                #(#calls)*
                #observe
            }
        }
    }

    /// The coupled step behind the stretch first: what its input's gradient needed of all blocks is there by now.
    fn backward(&self, index: usize, stretch: &Stretch) -> TokenStream {
        let lib = &self.names.lib;
        let name = backward_name(index);
        let mut used = Used::default();
        let back = &self.program.back[stretch.back.clone()];
        let calls: Vec<_> = back
            .iter()
            .map(|back| self.back(*back, &mut used))
            .collect();
        let observe = stretch.coupled.map(|step| {
            used.read(&self.program.steps[step].reads);
            let (value, x, at) = (self.value(step), self.x(step), self.positions.step(step));
            quote!(run.observe_gradient(#at, &#value, #x, memory.partials, &mut back);)
        });
        let slots = self.slots(&used, used.end());
        quote! {
            fn #name<const INPUT_GRADIENT: ::core::primitive::bool>(
                run: &#lib::Run<'_, T>,
                input: &[#lib::Element<Self>],
                mut memory: #lib::Carved<'_, T>,
                lane: &mut #lib::Lane<'_, T>,
            ) {
                #slots
                let mut back = #lib::Back {
                    gradients: memory.gradients(),
                    lane,
                    scratch: memory.scratch,
                };
                #(#calls)*
                #observe
            }
        }
    }

    fn back(&self, back: Back, used: &mut Used) -> TokenStream {
        let (Back::Through(step)
        | Back::Hold(step)
        | Back::Enter { junction: step, .. }
        | Back::Collect { junction: step, .. }
        | Back::Release { junction: step, .. }) = back;
        let (value, slot, at) = (self.value(step), self.slot(step), self.positions.step(step));
        used.write(step);
        match back {
            Back::Through(_) => {
                let reads = &self.program.steps[step];
                used.read(&reads.reads);
                let x = self.x(step);
                if self.program.still[step] {
                    quote!(if INPUT_GRADIENT { run.backward(#at, &#value, #x, &mut #slot, &mut back); })
                } else if self.program.is_still(reads.input) {
                    quote!(run.backward_first(#at, INPUT_GRADIENT, &#value, #x, &mut #slot, &mut back);)
                } else {
                    quote!(run.backward(#at, &#value, #x, &mut #slot, &mut back);)
                }
            }
            Back::Hold(_) => {
                let call = quote!(run.hold(#at, &mut #slot, &mut back););
                self.if_trained(step, call)
            }
            Back::Enter { list, .. } => {
                let call = quote!(run.enter(#at, &#value, #list, &mut #slot, &mut back););
                self.if_trained(step, call)
            }
            Back::Collect { is_first, .. } => {
                let call = quote!(run.collect(#at, #is_first, &mut #slot, &mut back););
                self.if_wanted(step, call)
            }
            Back::Release { collected, .. } => {
                let call = quote!(run.release(#at, &#value, #collected, &mut #slot, &mut back););
                self.if_wanted(step, call)
            }
        }
    }

    /// What goes back through a block with nothing to train in it or before it leads to that of the network.
    fn if_trained(&self, junction: usize, call: TokenStream) -> TokenStream {
        if self.program.still[junction] {
            quote!(if INPUT_GRADIENT { #call })
        } else {
            call
        }
    }

    /// The input gradient of a block with nothing to train before it leads to that of the network.
    fn if_wanted(&self, junction: usize, call: TokenStream) -> TokenStream {
        if self.program.is_still(self.program.steps[junction].input) {
            quote!(if INPUT_GRADIENT { #call })
        } else {
            call
        }
    }

    /// Takes the slots of all steps before step `end`.
    fn slots(&self, used: &Used, end: usize) -> TokenStream {
        let lines = (0..end).map(|step| {
            let slot = self.slot(step);
            let pattern = if used.written.contains(&step) {
                quote!(mut #slot)
            } else if used.read.contains(&step) {
                quote!(#slot)
            } else {
                quote!(_)
            };
            let at = self.positions.step(step);
            if self.program.layer(step).is_network() {
                let end = self.positions.step(step + 1);
                quote!(let #pattern = run.last_slot(#at..#end, &mut memory);)
            } else {
                quote!(let #pattern = run.slot(#at, &mut memory);)
            }
        });
        quote!(#(#lines)*)
    }

    /// The local variable of a step: called like its first layer.
    fn slot(&self, step: usize) -> Ident {
        let first = self.program.steps[step].group.layers.start;
        local(&self.program.checked.layers[first])
    }

    /// What a step that is no junction reads.
    fn x(&self, step: usize) -> TokenStream {
        self.source(self.program.steps[step].reads[0])
    }

    fn source(&self, source: Source) -> TokenStream {
        match source {
            Source::Input => quote!(input),
            Source::Step(step) => {
                let before = self.slot(step);
                quote!(#before.value)
            }
        }
    }

    fn value(&self, step: usize) -> TokenStream {
        value(
            step,
            &self.program.steps[step],
            &self.program.checked.layers,
        )
    }
}

/// The steps whose slots a pass uses.
#[derive(Default)]
struct Used {
    /// Those of steps that it runs.
    written: BTreeSet<usize>,
    /// Those whose output it reads.
    read: BTreeSet<usize>,
}

impl Used {
    /// The step behind the last one that is used.
    fn end(&self) -> usize {
        let last = self.written.iter().chain(&self.read).max();
        last.map_or(0, |last| last + 1)
    }

    fn write(&mut self, step: usize) {
        self.written.insert(step);
    }

    fn read(&mut self, sources: &[Source]) {
        let steps = sources.iter().filter_map(|source| match source {
            Source::Input => None,
            Source::Step(step) => Some(*step),
        });
        self.read.extend(steps);
    }
}
