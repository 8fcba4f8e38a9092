//! What the macro could not read is reported from the chain, by constant evaluation, under the layer at fault.

use super::Generated;
use crate::check::{Checked, CheckedLayer};
use crate::fault::Place;
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
    let span = Place::of(input).start;
    quote_spanned!(span=> #lib::chain::report(#lib::chain::input_fault(<#input as #lib::Sample>::SHAPE));)
}

/// Every token lies where the layer does, or rustc would underline the whole macro.
fn one(
    index: usize,
    layer: &CheckedLayer<'_>,
    names: &Generated,
    network: &TokenStream,
) -> TokenStream {
    let lib = &names.lib;
    let span = layer.source.kind().span();
    let network = respanned(network, span);
    if layer.builtin.is_some() {
        return quote_spanned!(span=> #network::CHAIN[#index].report(););
    }
    let first = index == 0;
    quote_spanned!(span=> #lib::report_custom(&#network::CHAIN[#index], #first);)
}

fn output(checked: &Checked<'_>, names: &Generated, network: &TokenStream) -> Option<TokenStream> {
    let lib = &names.lib;
    let last = checked.layers.len().checked_sub(1)?;
    let span = checked.layers[last].source.kind().span();
    let network = respanned(network, span);
    let declared = &checked.network.output;
    Some(quote_spanned! {span=>
        #lib::chain::report(#lib::chain::output_fault(
            #network::CHAIN[#last].output, <#declared as #lib::Sample>::SHAPE,
        ));
    })
}

fn respanned(tokens: &TokenStream, span: proc_macro2::Span) -> TokenStream {
    let tokens = tokens.clone().into_iter();
    tokens
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}
