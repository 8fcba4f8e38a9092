//! Networks within the network: where their steps and layers begin in the tables of the whole.
//!
//! A network without such knows all positions, and writes them as literals. With one, positions behind it depend on how many steps and
//! layers it has, which constant evaluation finds out: `Self::STEP_AT[3]`, `Self::LAYER_AT[5]`.

use super::Generated;
use crate::checked::CheckedLayer;
use crate::plan::Program;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, GenericArgument, Ident, Path, PathArguments, parse_quote};

/// `<Encoder as Network>::Of<T>`
pub(super) fn of_scalar(layer: &CheckedLayer<'_>, lib: &TokenStream) -> TokenStream {
    let kind = &layer.kind;
    at(layer, quote!(<#kind as #lib::Network>::Of<T>))
}

/// A constant of a network: `<Encoder as Network>::LAYERS`.
pub(super) fn member(
    layer: &CheckedLayer<'_>,
    lib: &TokenStream,
    what: &TokenStream,
) -> TokenStream {
    let kind = &layer.kind;
    at(layer, quote!(<#kind as #lib::Network>::#what))
}

/// A call for a network in the scalar of the whole: `library::nested::forward::<Of<T>>(…)`.
pub(super) fn call(
    layer: &CheckedLayer<'_>,
    lib: &TokenStream,
    function: &TokenStream,
    arguments: &TokenStream,
) -> TokenStream {
    let of = of_scalar(layer, lib);
    at(layer, quote!(#lib::nested::#function::<#of>(#arguments)))
}

/// A value as what the network reads.
pub(super) fn read(layer: &CheckedLayer<'_>, lib: &TokenStream, x: &TokenStream) -> TokenStream {
    // What is underlined stands where the network does, the value included.
    let name = Ident::new("x", layer.source.kind().span());
    let read = call(layer, lib, &quote!(read), &quote!(#name));
    quote!({ let #name = #x; #read })
}

/// A reference to it.
pub(super) fn reference(layer: &CheckedLayer<'_>, lib: &TokenStream) -> TokenStream {
    let of = of_scalar(layer, lib);
    at(layer, quote!(&#of))
}

/// Tokens as if they stood where the network does: with any of them elsewhere, rustc would underline the whole macro, and say once for
/// every expression what it then says once.
fn at(layer: &CheckedLayer<'_>, tokens: TokenStream) -> TokenStream {
    let span = layer.source.kind().span();
    let tokens = tokens.into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}

/// Positions in the tables of steps and layers, as expressions.
pub(super) struct Positions<'a> {
    program: &'a Program<'a>,
    holds_networks: bool,
}

impl<'a> Positions<'a> {
    pub(super) fn of(program: &'a Program<'a>) -> Self {
        Self {
            program,
            holds_networks: program.holds_networks(),
        }
    }

    /// Where step `step` begins.
    pub(super) fn step(&self, step: usize) -> TokenStream {
        self.at(step, &quote!(STEP_AT))
    }

    /// The last step that step `step` stands for.
    pub(super) fn last_step(&self, step: usize) -> TokenStream {
        self.last(step, self.program.layer(step), &quote!(STEP_AT))
    }

    /// Where layer `layer` begins.
    pub(super) fn layer(&self, layer: usize) -> TokenStream {
        self.at(layer, &quote!(LAYER_AT))
    }

    /// The last layer that layer `layer` stands for.
    pub(super) fn last_layer(&self, layer: usize) -> TokenStream {
        self.last(
            layer,
            &self.program.checked.layers[layer],
            &quote!(LAYER_AT),
        )
    }

    fn at(&self, index: usize, table: &TokenStream) -> TokenStream {
        if self.holds_networks {
            quote!(Self::#table[#index])
        } else {
            quote!(#index)
        }
    }

    fn last(&self, index: usize, layer: &CheckedLayer<'_>, table: &TokenStream) -> TokenStream {
        if layer.is_network() {
            let next = index + 1;
            quote!(Self::#table[#next] - 1)
        } else {
            self.at(index, table)
        }
    }
}

/// The constants behind the positions, and the segments that the stretches begin with.
pub(super) fn constants(program: &Program<'_>, names: &Generated) -> TokenStream {
    if !program.holds_networks() {
        return TokenStream::new();
    }
    let lib = &names.lib;
    let lens = |layers: Vec<&CheckedLayer<'_>>, table: TokenStream| {
        let lens = layers.into_iter().map(|layer| match layer.is_network() {
            true => member(layer, lib, &table),
            false => quote!(1),
        });
        lens.collect::<Vec<_>>()
    };
    let steps = (0..program.steps.len()).map(|step| program.layer(step));
    let steps = lens(steps.collect(), quote!(STEP_COUNT));
    let layers = lens(program.checked.layers.iter().collect(), quote!(LAYER_COUNT));
    let segments = segments(program, names);
    let table = |name: TokenStream, lens: &[TokenStream]| {
        let count = lens.len() + 1;
        quote! {
            const #name: [::core::primitive::usize; #count] = #lib::nested::starts(&[#(#lens),*]);
        }
    };
    let tables = [
        table(quote!(STEP_AT), &steps),
        table(quote!(LAYER_AT), &layers),
        table(quote!(SEGMENT_AT), &segments),
    ];
    quote!(#(#tables)*)
}

/// From the first segment of every stretch to that of the next; of the last one, to its last segment.
fn segments(program: &Program<'_>, names: &Generated) -> Vec<TokenStream> {
    let stretches = program.stretches.iter();
    let lens = stretches.map(|stretch| {
        let meets = usize::from(stretch.next_coupled.is_some());
        let layer = stretch
            .is_network
            .then(|| program.layer(stretch.steps.start));
        match layer.filter(|layer| !layer.is_frozen()) {
            Some(layer) => member(layer, &names.lib, &quote!(SEGMENTS - 1)),
            None => quote!(#meets),
        }
    });
    lens.collect()
}

/// How many layers and steps there are.
pub(super) fn counts(program: &Program<'_>, lib: &TokenStream) -> TokenStream {
    if !program.holds_networks() {
        let (layers, steps) = (program.checked.layers.len(), program.steps.len());
        return quote! {
            const LAYER_COUNT: ::core::primitive::usize = #layers;
            const STEP_COUNT: ::core::primitive::usize = #steps;
        };
    }
    let steps = (0..program.steps.len()).map(|step| program.layer(step));
    let steps = rows(steps, &quote!(STEP_COUNT), lib);
    let layers = rows(program.checked.layers.iter(), &quote!(LAYER_COUNT), lib);
    quote! {
        const LAYER_COUNT: ::core::primitive::usize = #layers;
        const STEP_COUNT: ::core::primitive::usize = #steps;
    }
}

/// How many rows a table has, as an expression that names none of the sizes that the network leaves open: rows do not depend on
/// them, and a length must not.
pub(super) fn rows<'a>(
    layers: impl Iterator<Item = &'a CheckedLayer<'a>>,
    count: &TokenStream,
    lib: &TokenStream,
) -> TokenStream {
    let (networks, own): (Vec<_>, Vec<_>) = layers.partition(|layer| layer.is_network());
    let own = own.len();
    let networks = networks.into_iter().map(|layer| {
        let path = with_any_sizes(&layer.source.path);
        at(layer, quote!(<#path as #lib::Network>::#count))
    });
    quote!({ #own #(+ #networks)* })
}

/// The path with other sizes than those left open.
fn with_any_sizes(path: &Path) -> Path {
    let mut path = path.clone();
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            for argument in &mut arguments.args {
                if !matches!(argument, GenericArgument::Const(Expr::Lit(_))) {
                    *argument = parse_quote!(0);
                }
            }
        }
    }
    path
}
