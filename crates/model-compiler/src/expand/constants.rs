//! The constants: every layer's declaration, the chain of plans, the fused steps.

use super::within::{self, Positions};
use super::{Generated, layer_const};
use crate::ast::Network;
use crate::builtin::Role;
use crate::checked::{Checked, CheckedLayer, Meaning, Node};
use crate::plan::{Program, Step};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;

pub(super) fn expand(program: &Program<'_>, names: &Generated) -> TokenStream {
    let Generated {
        lib,
        generics,
        generic,
        ..
    } = names;
    let layers = &program.checked.layers;
    let bounds = &program.checked.network.generics.where_clause;
    let count = layers.len();
    let steps = program.steps.len();
    let declarations = layers.iter().enumerate().filter_map(declaration);
    let (positions, starts) = (Positions::of(program), within::constants(program, names));
    let chain = chain(program, names);
    let fused = program
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| match &step.ends {
            Some(ends) => junction(index, step, ends, &positions, names),
            None => fused(index, step, layers, names),
        });
    let plans = program.steps.iter().enumerate().map(|(index, step)| {
        let first = step.group.layers.start;
        if step.group.is_plain() {
            quote!(Self::CHAIN[#first])
        } else {
            let frozen = layers[first].is_frozen().then(|| quote!(.frozen()));
            let name = step_const(index);
            match step.group.function {
                Some(function) => {
                    quote!(Self::#name.plan(Self::CHAIN[#first], Self::CHAIN[#function]))
                }
                None => quote!(Self::#name.plan(Self::CHAIN[#first].input) #frozen),
            }
        }
    });
    let customs = program
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| custom(index, step, layers, names));
    quote! {
        #[allow(dead_code)]
        impl #generics #generic #bounds {
            #(#declarations)*
            #chain
            #starts
            const OFFSETS: [::core::primitive::usize; #count] = #lib::chain::offsets(Self::CHAIN);
            const STATE_OFFSETS: [::core::primitive::usize; #count] = #lib::chain::state_offsets(Self::CHAIN);
            #(#fused)*
            const PLANS: &'static [#lib::Plan; #steps] = &[#(#plans),*];
            #(#customs)*
        }
    }
}

/// The constants that the rest of a faulty expansion names.
pub(super) fn expand_empty(network: &Network, names: &Generated) -> TokenStream {
    let bounds = &network.generics.where_clause;
    let Generated {
        lib,
        generics,
        generic,
        ..
    } = names;
    quote! {
        #[allow(dead_code)]
        impl #generics #generic #bounds {
            const CHAIN: &'static [#lib::Plan; 0] = &[];
            const PLANS: &'static [#lib::Plan; 0] = &[];
        }
    }
}

/// `const LAYER_0: Conv2d = Conv2d::new(32).kernel([3, 3]);`; a network is a type alone.
fn declaration((index, layer): (usize, &CheckedLayer<'_>)) -> Option<TokenStream> {
    let name = layer_const(index);
    let (kind, declaration) = (&layer.kind, &layer.declaration);
    (!layer.is_network()).then(|| quote!(const #name: #kind = #declaration;))
}

/// One constant for all plans: a straight line from the input on.
fn chain(program: &Program<'_>, names: &Generated) -> TokenStream {
    let lib = &names.lib;
    let checked = program.checked;
    let input = &checked.network.input;
    let mut lines = Vec::new();
    plans_of(checked, &checked.list, quote!(input), names, &mut lines);
    let results = checked.layers.iter().map(local);
    let count = checked.layers.len();
    quote! {
        const CHAIN: &'static [#lib::Plan; #count] = {
            let input = <#input as #lib::Sample>::SHAPE;
            #(#lines)*
            &[#(#results),*]
        };
    }
}

/// The plans of a list that `before` reaches, line by line; what comes out of it.
fn plans_of(
    checked: &Checked<'_>,
    list: &[Node],
    mut before: TokenStream,
    names: &Generated,
    lines: &mut Vec<TokenStream>,
) -> TokenStream {
    let lib = &names.lib;
    for node in list {
        let (index, ends) = match node {
            Node::Layer(index) => (*index, None),
            Node::Block { junction, lists } => {
                let ends: Vec<TokenStream> = lists
                    .iter()
                    .map(|list| plans_of(checked, list, before.clone(), names, lines))
                    .collect();
                (*junction, Some(quote!(, &[#(#ends),*])))
            }
        };
        let layer = &checked.layers[index];
        let span = layer.source.kind().span();
        let result = local(layer);
        let constant = Ident::new(&layer_const(index).to_string(), span);
        let input = if layer.each_step {
            quote!(#lib::chain::step_of(#before))
        } else {
            before.clone()
        };
        let mut plan = if layer.is_custom() {
            quote_spanned!(span=> { use #lib::MissingPlan as _; Self::#constant.plan(#input) })
        } else if layer.is_network() {
            let declared = within::member(layer, lib, &quote!(DECLARED));
            quote!(#declared.plan(#input))
        } else {
            let plan = quote_spanned!(span=> Self::#constant.plan);
            quote!(#plan(#input #ends))
        };
        if layer.each_step {
            plan = quote!(#lib::chain::each_step(#before, #plan));
        }
        let frozen = layer.is_frozen().then(|| quote!(.frozen()));
        lines.push(quote!(let #result = #plan #frozen;));
        before = quote!(#result.output);
    }
    before
}

/// A local variable called like the layer, out of reach of the user's names.
pub(super) fn local(layer: &CheckedLayer<'_>) -> Ident {
    let mut name = layer.name.clone();
    name.set_span(Span::mixed_site().located_at(name.span()));
    name
}

fn step_const(step: usize) -> Ident {
    format_ident!("STEP_{step}")
}

/// The value that runs a step, as an expression.
pub(super) fn value(index: usize, step: &Step, layers: &[CheckedLayer<'_>]) -> TokenStream {
    if let Some(layer) = of_the_user(step, layers) {
        let function = custom_function(index, layer.source.kind().span());
        return quote!(Self::#function());
    }
    let constant = constant(index, step);
    quote!(Self::#constant)
}

/// The constant that runs a step.
fn constant(index: usize, step: &Step) -> Ident {
    if step.group.is_plain() && !step.is_junction() {
        layer_const(step.group.layers.start)
    } else {
        step_const(index)
    }
}

/// The layer of a step that is a type of the user's, whole or as a function behind another.
fn of_the_user<'c, 'a>(
    step: &Step,
    layers: &'c [CheckedLayer<'a>],
) -> Option<&'c CheckedLayer<'a>> {
    let index = step.group.function.unwrap_or(step.group.layers.start);
    let layer = &layers[index];
    let is_function = matches!(layer.meaning, Meaning::Function);
    (layer.is_custom() || is_function).then_some(layer)
}

/// `const STEP_4: Junction = Junction { join: Self::LAYER_6, ends: &[None, Some(3)] };`
fn junction(
    index: usize,
    step: &Step,
    ends: &[Option<usize>],
    positions: &Positions<'_>,
    names: &Generated,
) -> TokenStream {
    let lib = &names.lib;
    let (constant, layer) = (step_const(index), layer_const(step.group.layers.start));
    let ends = ends.iter().map(|end| match end {
        Some(end) => {
            let end = positions.last_step(*end);
            quote!(::core::option::Option::Some(#end))
        }
        None => quote!(::core::option::Option::None),
    });
    quote! {
        const #constant: #lib::Junction = #lib::Junction {
            join: Self::#layer,
            ends: &[#(#ends),*],
        };
    }
}

/// `const STEP_0: ConvPool2d = ConvPool2d::new(Self::LAYER_0.activation(Activation::Relu), Self::LAYER_2);`
fn fused(index: usize, step: &Step, layers: &[CheckedLayer<'_>], names: &Generated) -> TokenStream {
    let group = &step.group;
    if group.is_plain() {
        return TokenStream::new();
    }
    let lib = &names.lib;
    let (constant, first) = (step_const(index), layer_const(group.layers.start));
    let activation = group.activation.map(|index| {
        let activation = activation(index, &layers[index], lib);
        quote!(.activation(#activation))
    });
    let base = quote!(Self::#first #activation);
    if let Some(function) = group.function {
        let kinds = (&layers[group.layers.start].kind, &layers[function].kind);
        let (kind, of) = kinds;
        let function = layer_const(function);
        let then = quote!(#lib::layers::Then);
        return quote!(const #constant: #then<#kind, #of> = #then::new(#base, Self::#function););
    }
    let Some(pool) = group.pool else {
        let kind = &layers[group.layers.start].kind;
        return quote!(const #constant: #kind = #base;);
    };
    let pool = layer_const(pool);
    let kind = match layers[group.layers.start].role {
        Role::Coupled => quote!(#lib::layers::BatchNormPool2d),
        _ => quote!(#lib::layers::ConvPool2d),
    };
    quote!(const #constant: #kind = #kind::new(#base, Self::#pool);)
}

fn activation(index: usize, layer: &CheckedLayer<'_>, lib: &TokenStream) -> TokenStream {
    debug_assert_eq!(layer.role, Role::Activation);
    match layer.title().as_str() {
        "LeakyRelu" => {
            let constant = layer_const(index);
            quote!(Self::#constant.activation())
        }
        name => {
            let variant = format_ident!("{name}");
            quote!(#lib::Activation::#variant)
        }
    }
}

fn custom_function(step: usize, span: Span) -> Ident {
    format_ident!("step_{step}", span = span)
}

/// A layer of the user's as a function that returns it: where the type is no layer, rustc says so once, here.
fn custom(
    index: usize,
    step: &Step,
    layers: &[CheckedLayer<'_>],
    names: &Generated,
) -> Option<TokenStream> {
    let layer = of_the_user(step, layers)?;
    let lib = &names.lib;
    let span = layer.source.kind().span();
    let function = custom_function(index, span);
    let constant = Ident::new(&constant(index, step).to_string(), span);
    let element = if step.reads_input() {
        quote_spanned!(span=> , #lib::Element<Self>)
    } else {
        TokenStream::new()
    };
    Some(quote_spanned! {span=>
        fn #function() -> impl #lib::Layer<T #element> { Self::#constant }
    })
}
