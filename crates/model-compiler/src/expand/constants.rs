//! The constants: every layer's declaration, the chain of plans, the fused steps.

use super::{Generated, layer_const};
use crate::ast::Network;
use crate::builtin::Role;
use crate::check::CheckedLayer;
use crate::fuse::Group;
use crate::plan::Program;
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
    let declarations = layers.iter().enumerate().map(declaration);
    let chain = chain(program, names);
    let fused = program
        .steps
        .iter()
        .enumerate()
        .map(|(step, group)| fused(step, group, layers, names));
    let plans = program.steps.iter().enumerate().map(|(step, group)| {
        let first = group.layers.start;
        if group.is_plain() {
            quote!(Self::CHAIN[#first])
        } else {
            let step = step_const(step);
            quote!(Self::#step.plan(Self::CHAIN[#first].input))
        }
    });
    let customs = program
        .steps
        .iter()
        .enumerate()
        .filter_map(|(step, group)| custom(step, group, layers, names));
    quote! {
        #[allow(dead_code)]
        impl #generics #generic #bounds {
            #(#declarations)*
            #chain
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

/// `const LAYER_0: Conv2d = Conv2d::new(32).kernel([3, 3]);`
fn declaration((index, layer): (usize, &CheckedLayer<'_>)) -> TokenStream {
    let name = layer_const(index);
    let (kind, declaration) = (&layer.kind, &layer.declaration);
    quote!(const #name: #kind = #declaration;)
}

/// One constant for all plans: a straight line from the input on.
fn chain(program: &Program<'_>, names: &Generated) -> TokenStream {
    let lib = &names.lib;
    let layers = &program.checked.layers;
    let input = &program.checked.network.input;
    let mut before = quote!(input);
    let mut lines = Vec::new();
    let mut results = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let span = layer.source.kind().span();
        let result = local(layer);
        let constant = Ident::new(&layer_const(index).to_string(), span);
        let plan = quote_spanned!(span=> Self::#constant.plan);
        lines.push(match layer.builtin {
            Some(_) => quote!(let #result = #plan(#before);),
            None => quote_spanned! {span=>
                let #result = { use #lib::MissingPlan as _; #plan(#before) };
            },
        });
        before = quote!(#result.output);
        results.push(result);
    }
    let count = layers.len();
    quote! {
        const CHAIN: &'static [#lib::Plan; #count] = {
            let input = <#input as #lib::Sample>::SHAPE;
            #(#lines)*
            &[#(#results),*]
        };
    }
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
pub(super) fn value(step: usize, group: &Group, layers: &[CheckedLayer<'_>]) -> TokenStream {
    let first = group.layers.start;
    if layers[first].builtin.is_none() {
        let function = custom_function(step, layers[first].source.kind().span());
        return quote!(Self::#function());
    }
    let constant = if group.is_plain() {
        layer_const(first)
    } else {
        step_const(step)
    };
    quote!(Self::#constant)
}

/// `const STEP_0: ConvPool2d = ConvPool2d::new(Self::LAYER_0.activation(Activation::Relu), Self::LAYER_2);`
fn fused(
    step: usize,
    group: &Group,
    layers: &[CheckedLayer<'_>],
    names: &Generated,
) -> TokenStream {
    if group.is_plain() {
        return TokenStream::new();
    }
    let lib = &names.lib;
    let (constant, first) = (step_const(step), layer_const(group.layers.start));
    let activation = group.activation.map(|index| {
        let activation = activation(index, &layers[index], lib);
        quote!(.activation(#activation))
    });
    let base = quote!(Self::#first #activation);
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
    match layer.source.kind().to_string().as_str() {
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
    step: usize,
    group: &Group,
    layers: &[CheckedLayer<'_>],
    names: &Generated,
) -> Option<TokenStream> {
    let first = group.layers.start;
    let layer = &layers[first];
    if layer.builtin.is_some() {
        return None;
    }
    let lib = &names.lib;
    let span = layer.source.kind().span();
    let function = custom_function(step, span);
    let constant = Ident::new(&layer_const(first).to_string(), span);
    let element = if step == 0 {
        quote_spanned!(span=> , #lib::Element<Self>)
    } else {
        TokenStream::new()
    };
    Some(quote_spanned! {span=>
        fn #function() -> impl #lib::Layer<T #element> { Self::#constant }
    })
}
