//! What the macro could not read is reported from the chain, by constant evaluation, under the layer at fault.

use super::{Generated, within};
use crate::builtin::Role;
use crate::checked::{Checked, CheckedLayer};
use crate::fault::Place;
use crate::sides::Sides;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

pub(super) fn expand(checked: &Checked<'_>, names: &Generated) -> TokenStream {
    let Generated {
        generics,
        generic,
        single,
        ..
    } = names;
    if !names.size_names.is_empty() {
        let reports = all(checked, names, &quote!(Self));
        let (bounds, vis) = (
            &checked.network.generics.where_clause,
            &checked.network.visibility,
        );
        return quote! {
            #[allow(dead_code)]
            impl #generics #generic #bounds {
                /// Fails to build if the layers do not go together: `const _: () = Net::<784, 128>::CHECKED;`.
                #vis const CHECKED: () = { #(#reports)* };
            }
        };
    }
    if checked.is_certain {
        return TokenStream::new();
    }
    let reports = all(checked, names, &quote!(<#single>));
    quote!(#(const _: () = { #reports };)*)
}

fn all(checked: &Checked<'_>, names: &Generated, network: &TokenStream) -> Vec<TokenStream> {
    let mut reports = vec![input(checked, names)];
    let layers = checked.layers.iter().enumerate();
    reports.extend(
        layers
            .filter(|(_, layer)| !layer.is_certain)
            .map(|(index, layer)| one(index, layer, names, network)),
    );
    reports.extend(output(checked, names, network));
    reports
}

fn input(checked: &Checked<'_>, names: &Generated) -> TokenStream {
    let lib = &names.lib;
    let input = &checked.network.input;
    let report =
        quote!(#lib::chain::report(#lib::chain::input_fault(<#input as #lib::Sample>::SHAPE)));
    placed(report, Place::of(input))
}

fn one(
    index: usize,
    layer: &CheckedLayer<'_>,
    names: &Generated,
    network: &TokenStream,
) -> TokenStream {
    let lib = &names.lib;
    let first = index == 0;
    let report = if layer.is_custom() {
        quote!(#lib::report_custom(&#network::CHAIN[#index], #first))
    } else if layer.is_network() {
        let declared = within::member(layer, lib, &quote!(DECLARED));
        quote!(#declared.report(&#network::CHAIN[#index], #first))
    } else {
        quote!(#network::CHAIN[#index].report())
    };
    let place = match layer.role {
        Role::Junction => Place::of(&layer.source.path),
        _ => layer.source.place,
    };
    placed(report, place)
}

/// What the list ends in against what the network declares; of several outputs, each.
fn output(checked: &Checked<'_>, names: &Generated, network: &TokenStream) -> Vec<TokenStream> {
    let Some(last) = checked.layers.len().checked_sub(1) else {
        return Vec::new();
    };
    let (lib, layers) = (&names.lib, &checked.layers);
    let report = |yielded: TokenStream, declared: TokenStream, place: Place| {
        let fault = quote!(#lib::chain::end_fault(#network::CHAIN, #yielded, #declared));
        let report = quote!(#lib::chain::report(#fault));
        placed(report, place)
    };
    let declared = &checked.network.output;
    let Some(sides) = Sides::of(declared) else {
        let yielded = quote!(#network::CHAIN[#last].output);
        let declared = quote!(<#declared as #lib::Sample>::SHAPE);
        return vec![report(yielded, declared, layers[last].source.place)];
    };
    let sources = checked.sources();
    let ends = sides.tuple.elems.iter().zip(&sources[last]);
    let reports = ends.map(|(kind, end)| {
        let yielded = match end {
            Some(end) => quote!(#network::CHAIN[#end].output),
            None => quote!(#network::CHAIN[#last].input),
        };
        let declared = quote!(<#kind as #lib::Sample>::SHAPE);
        let declared = match sides.sequence {
            true => quote!(#declared.in_sequence()),
            false => declared,
        };
        let place = layers[end.unwrap_or(last)].source.place;
        report(yielded, declared, place)
    });
    reports.collect()
}

/// A statement that lies where the fault is: its first token at the start of the place, its last at the end. With any
/// other span, rustc would underline the whole macro.
fn placed(call: TokenStream, place: Place) -> TokenStream {
    let mut tokens: Vec<_> = call.into_iter().collect();
    for token in &mut tokens {
        token.set_span(place.start);
    }
    if let Some(last) = tokens.last_mut() {
        last.set_span(place.end);
    }
    let tokens = tokens.into_iter();
    quote_spanned!(place.end=> #(#tokens)*;)
}
