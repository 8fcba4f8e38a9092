//! The passes of every segment: straight lines of one call a step.

use super::Generated;
use super::constants::{local, value};
use crate::plan::{Program, Segment};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::ops::Range;
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
        let slots = self.slots(&segment.steps, segment.next_coupled);
        let calls = segment.steps.clone().map(|step| {
            let (value, x, slot) = (self.value(step), self.x(step), self.slot(step));
            quote!(run.forward(#step, &#value, #x, &mut #slot, arena.scratch);)
        });
        let observe = segment.next_coupled.map(|step| {
            let (value, x) = (self.value(step), self.x(step));
            quote!(run.observe(#step, &#value, #x, arena.partials);)
        });
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
        let last = segment
            .next_coupled
            .map_or(segment.steps.end, |step| step + 1);
        let first = segment.steps.start + usize::from(segment.starts_coupled);
        let observed = segment.starts_coupled.then_some(segment.steps.start);
        let slots = self.slots(&(first..last), observed);
        let calls = (first..last).rev().map(|step| {
            let (value, x, slot) = (self.value(step), self.x(step), self.slot(step));
            if step == 0 {
                quote!(run.backward_first(INPUT_GRADIENT, &#value, #x, &mut #slot, &mut back);)
            } else {
                quote!(run.backward(#step, &#value, #x, &mut #slot, &mut back);)
            }
        });
        let observe = segment.starts_coupled.then(|| {
            let step = segment.steps.start;
            let (value, x) = (self.value(step), self.x(step));
            quote!(run.observe_gradient(#step, &#value, #x, arena.partials, &mut back);)
        });
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

    /// Takes the slots that a pass needs, and all before them: those of the steps it runs, which are `written`, and
    /// what these and an `observed` step read.
    fn slots(&self, written: &Range<usize>, observed: Option<usize>) -> TokenStream {
        let lib = &self.names.lib;
        let is_read = |step| written.contains(&(step + 1)) || observed == Some(step + 1);
        let end = written.end.max(observed.unwrap_or(0));
        let lines = (0..end).map(|step| {
            let slot = self.slot(step);
            let pattern = match (written.contains(&step), is_read(step)) {
                (true, _) => quote!(mut #slot),
                (false, true) => quote!(#slot),
                (false, false) => quote!(_),
            };
            quote!(let #pattern = arena.take(&<Self as #lib::Network>::STEPS[#step]);)
        });
        quote!(#(#lines)*)
    }

    /// The local variable of a step: called like its first layer.
    fn slot(&self, step: usize) -> Ident {
        local(&self.program.checked.layers[self.program.steps[step].layers.start])
    }

    /// What a step reads.
    fn x(&self, step: usize) -> TokenStream {
        match step {
            0 => quote!(input),
            step => {
                let before = self.slot(step - 1);
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
