//! The passes of every segment: straight lines of one call a step.

use super::Generated;
use super::constants::{local, value};
use crate::plan::{Back, Program, Segment, Source};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::BTreeSet;
use syn::Ident;

pub(super) fn expand(program: &Program<'_>, names: &Generated) -> TokenStream {
    let Generated {
        generics, generic, ..
    } = names;
    let bounds = &program.checked.network.generics.where_clause;
    let passes = Passes { program, names };
    let segments = program.segments.iter().enumerate();
    let functions = segments.map(|(index, segment)| {
        let forward = passes.forward(index, segment);
        let backward = passes.backward(index, segment);
        quote!(#forward #backward)
    });
    quote! {
        #[allow(dead_code)]
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
}

impl Passes<'_> {
    fn forward(&self, index: usize, segment: &Segment) -> TokenStream {
        let lib = &self.names.lib;
        let name = forward_name(index);
        let mut used = Used::default();
        for step in segment.steps.clone() {
            used.write(step);
            used.read(&self.program.steps[step].reads);
        }
        let calls = segment.steps.clone().map(|step| {
            let (value, slot) = (self.value(step), self.slot(step));
            if self.program.steps[step].is_junction() {
                let ends = self.program.steps[step].reads.iter();
                let ends = ends.map(|end| self.source(*end));
                quote!(run.join(#step, &#value, &[#(&*#ends),*], &mut #slot);)
            } else {
                let x = self.x(step);
                quote!(run.forward(#step, &#value, #x, &mut #slot, arena.scratch);)
            }
        });
        let observe = segment.next_coupled.map(|step| {
            used.read(&self.program.steps[step].reads);
            let (value, x) = (self.value(step), self.x(step));
            quote!(run.observe(#step, &#value, #x, arena.partials);)
        });
        let slots = self.slots(&used);
        quote! {
            fn #name(
                run: &#lib::Run<'_, T>,
                input: &[#lib::Element<Self>],
                arena: &mut #lib::Arena<T>,
            ) {
                let _ = input;
                let mut arena = arena.carve(run.rows);
                #slots
                #(#calls)*
                #observe
            }
        }
    }

    /// The coupled step behind the segment first: what its input's gradient needed of all blocks is there by now.
    fn backward(&self, index: usize, segment: &Segment) -> TokenStream {
        let lib = &self.names.lib;
        let name = backward_name(index);
        let mut used = Used::default();
        let back = &self.program.back[segment.back.clone()];
        let calls: Vec<_> = back
            .iter()
            .map(|back| self.back(*back, &mut used))
            .collect();
        let observe = segment.coupled.map(|step| {
            used.read(&self.program.steps[step].reads);
            let (value, x) = (self.value(step), self.x(step));
            quote!(run.observe_gradient(#step, &#value, #x, arena.partials, &mut back);)
        });
        let slots = self.slots(&used);
        quote! {
            fn #name<const INPUT_GRADIENT: ::core::primitive::bool>(
                run: &#lib::Run<'_, T>,
                input: &[#lib::Element<Self>],
                arena: &mut #lib::Arena<T>,
                lane: &mut #lib::Lane<'_, T>,
            ) {
                let _ = input;
                let mut arena = arena.carve(run.rows);
                #slots
                let mut back = #lib::Back {
                    gradients: arena.gradients(),
                    lane,
                    scratch: arena.scratch,
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
        let (value, slot) = (self.value(step), self.slot(step));
        used.write(step);
        match back {
            Back::Through(_) => {
                let reads = &self.program.steps[step];
                used.read(&reads.reads);
                let x = self.x(step);
                if reads.reads_input() {
                    quote!(run.backward_first(#step, INPUT_GRADIENT, &#value, #x, &mut #slot, &mut back);)
                } else {
                    quote!(run.backward(#step, &#value, #x, &mut #slot, &mut back);)
                }
            }
            Back::Hold(_) => quote!(run.hold(#step, &mut #slot, &mut back);),
            Back::Enter { list, .. } => {
                quote!(run.enter(#step, &#value, #list, &mut #slot, &mut back);)
            }
            Back::Collect { is_first, .. } => {
                let call = quote!(run.collect(#step, #is_first, &mut #slot, &mut back););
                self.if_wanted(step, call)
            }
            Back::Release { collected, .. } => {
                let call = quote!(run.release(#step, &#value, #collected, &mut #slot, &mut back););
                self.if_wanted(step, call)
            }
        }
    }

    /// The input gradient of a block that reads the network's input is that of the network.
    fn if_wanted(&self, junction: usize, call: TokenStream) -> TokenStream {
        if self.program.steps[junction].input == Source::Input {
            quote!(if INPUT_GRADIENT { #call })
        } else {
            call
        }
    }

    /// Takes the slots of all steps up to the last one that a pass uses.
    fn slots(&self, used: &Used) -> TokenStream {
        let lib = &self.names.lib;
        let last = used.written.iter().chain(&used.read).max();
        let end = last.map_or(0, |last| last + 1);
        let lines = (0..end).map(|step| {
            let slot = self.slot(step);
            let pattern = if used.written.contains(&step) {
                quote!(mut #slot)
            } else if used.read.contains(&step) {
                quote!(#slot)
            } else {
                quote!(_)
            };
            quote!(let #pattern = arena.take(&<Self as #lib::Network>::STEPS[#step]);)
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
