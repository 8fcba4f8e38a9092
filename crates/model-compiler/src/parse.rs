//! Tokens to syntax tree, leniently: what cannot be read is noted and skipped up to the next comma.

use crate::ast::{Argument, Layer, Network, Value};
use crate::fault::{Faults, Place};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, Attribute, Expr, Generics, Ident, Path, PathArguments,
    PathSegment, Result, Token, Type, Visibility, braced, parenthesized, parse_quote, token,
};

/// Reads a network; faults inside its list are noted in `faults`.
///
/// # Errors
/// Where the head of the network, before its braces, cannot be read.
pub fn parse(tokens: TokenStream, faults: &mut Faults) -> Result<Network> {
    let parser = |input: ParseStream<'_>| network(input, faults);
    parser.parse2(tokens)
}

fn network(input: ParseStream<'_>, faults: &mut Faults) -> Result<Network> {
    let mut attributes = input.call(Attribute::parse_outer)?;
    let library = library(&mut attributes)?;
    let visibility: Visibility = input.parse()?;
    if input.peek(Token![struct]) {
        return Err(input.error("a network starts with its name: leave `struct` out"));
    }
    let name: Ident = input.parse()?;
    let mut generics: Generics = input.parse()?;
    expect::<Token![:]>(input, ":", "the input: `Name: Input => Output { … }`")?;
    let from: Type = input.parse()?;
    if input.peek(Token![->]) {
        let arrow: Token![->] = input.parse()?;
        let help = "write `Name: Input => Output { … }`";
        faults.push(Place::of(&arrow), "the output stands behind `=>`", help);
    } else {
        expect::<Token![=>]>(input, "=>", "the output: `Name: Input => Output { … }`")?;
    }
    let to: Type = input.parse()?;
    generics.where_clause = input.parse()?;
    if !input.peek(token::Brace) {
        return Err(input.error("expected the list of layers in braces"));
    }
    let content;
    braced!(content in input);
    let layers = list(&content, faults);
    if !input.is_empty() {
        let place = Place::at(input.span());
        let help = "give the next one a `model!` of its own";
        faults.push(place, "one `model!` declares one network", help);
        let _: TokenStream = input.parse()?;
    }
    Ok(Network {
        attributes,
        library,
        visibility,
        name,
        generics,
        input: from,
        output: to,
        layers,
    })
}

/// Takes `#[plywood(crate = path)]` out of the attributes.
fn library(attributes: &mut Vec<Attribute>) -> Result<Path> {
    let mut library = parse_quote!(::plywood);
    for attribute in attributes.iter().filter(|a| a.path().is_ident("plywood")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                library = meta.value()?.parse()?;
                return Ok(());
            }
            Err(meta.error("expected `crate = path`"))
        })?;
    }
    attributes.retain(|attribute| !attribute.path().is_ident("plywood"));
    Ok(library)
}

fn expect<P: syn::parse::Parse>(input: ParseStream<'_>, token: &str, before: &str) -> Result<P> {
    input
        .parse()
        .map_err(|_| input.error(format!("expected `{token}` and {before}")))
}

/// Layers up to the end of `input`.
fn list(input: ParseStream<'_>, faults: &mut Faults) -> Vec<Layer> {
    let mut layers = Vec::new();
    while !input.is_empty() {
        match layer(input, faults) {
            Ok(layer) => {
                comma_after(&layer, input, faults);
                layers.push(layer);
            }
            Err(error) => {
                faults.syntax(&error);
                skip_to_comma(input);
            }
        }
        // Where no comma follows, the fault is noted and the next layer starts here.
        let _: Option<Token![,]> = input.parse().unwrap_or_default();
    }
    layers
}

fn comma_after(layer: &Layer, input: ParseStream<'_>, faults: &mut Faults) {
    if input.is_empty() || input.peek(Token![,]) {
        return;
    }
    let (kind, found) = (layer.kind(), next_token(input));
    let what = format!("expected `,` after `{kind}`, found `{found}`");
    faults.push(
        Place::at(input.span()),
        what,
        "layers are separated by commas",
    );
    let semicolon: Result<Option<Token![;]>> = input.parse();
    let goes_on = input.peek(Ident::peek_any) || matches!(semicolon, Ok(Some(_)));
    if !goes_on {
        skip_to_comma(input);
    }
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let skipped: Result<proc_macro2::TokenTree> = input.parse();
        if skipped.is_err() {
            return;
        }
    }
}

fn next_token(input: ParseStream<'_>) -> String {
    let token = input.cursor().token_tree();
    token.map_or_else(String::new, |(token, _)| token.to_string())
}

fn layer(input: ParseStream<'_>, faults: &mut Faults) -> Result<Layer> {
    let docs = docs(input, faults)?;
    let frozen = if is_frozen(input) {
        Some(input.parse()?)
    } else {
        None
    };
    let name = if is_named(input) {
        let name = input.parse()?;
        let _: Token![:] = input.parse()?;
        Some(name)
    } else {
        None
    };
    if input.peek(token::Brace) {
        return Err(
            input.error("a list within a list needs to be a block: `Concat { { … }, { … } }`")
        );
    }
    let starts_a_path = input.peek(Ident::peek_any) || input.peek(Token![::]);
    if !starts_a_path {
        return Err(input.error(format!("expected a layer, found `{}`", next_token(input))));
    }
    let path = path(input)?;
    let mut place = Place::of(&path);
    let mut arguments = Vec::new();
    let mut is_whole = true;
    let is_called = input.peek(token::Paren) || input.peek(syn::Lit);
    if input.peek(token::Paren) {
        let content;
        let parentheses = parenthesized!(content in input);
        place.end = parentheses.span.close();
        let before = faults.iter().len();
        arguments = self::arguments(&content, faults);
        is_whole = faults.iter().len() == before;
    } else if input.peek(syn::Lit) {
        let argument = argument(input, faults)?;
        let kind = path
            .segments
            .last()
            .map(|segment| &segment.ident)
            .to_token_stream();
        let help = format!("write `{kind}(…)`");
        faults.push(argument.place, "arguments stand in parentheses", help);
        arguments.push(argument);
    }
    let mut block = None;
    if input.peek(token::Brace) {
        let content;
        let braces = braced!(content in input);
        place.end = braces.span.close();
        block = Some(lists(&content, faults));
    }
    Ok(Layer {
        docs,
        frozen,
        name,
        path,
        is_called,
        arguments,
        is_whole,
        block,
        place,
    })
}

fn docs(input: ParseStream<'_>, faults: &mut Faults) -> Result<Vec<Attribute>> {
    let mut docs = input.call(Attribute::parse_outer)?;
    docs.retain(|attribute| {
        let is_doc = attribute.path().is_ident("doc");
        if !is_doc {
            let what = "a layer takes no attribute but documentation";
            faults.push(Place::of(attribute), what, "leave it out");
        }
        is_doc
    });
    Ok(docs)
}

/// One list, or several lists in braces of their own.
fn lists(input: ParseStream<'_>, faults: &mut Faults) -> Vec<Vec<Layer>> {
    if !input.peek(token::Brace) {
        return vec![list(input, faults)];
    }
    let mut lists = Vec::new();
    while input.peek(token::Brace) {
        let mut read = |input: ParseStream<'_>| {
            let content;
            braced!(content in input);
            Ok(list(&content, faults))
        };
        lists.push(read(input).unwrap_or_default());
        let _: Option<Token![,]> = input.parse().unwrap_or_default();
    }
    if !input.is_empty() {
        faults.syntax(&input.error("expected another list in braces"));
        let _: Result<TokenStream> = input.parse();
    }
    lists
}

/// A path as types are written, but for a parenthesis, which belongs to the layer.
fn path(input: ParseStream<'_>) -> Result<Path> {
    let leading_colon = input.parse()?;
    let mut segments = Punctuated::new();
    loop {
        let ident = input.call(Ident::parse_any)?;
        let mut arguments = PathArguments::None;
        if input.peek(Token![<]) || (input.peek(Token![::]) && input.peek3(Token![<])) {
            let angle: AngleBracketedGenericArguments = input.parse()?;
            arguments = PathArguments::AngleBracketed(angle);
        }
        segments.push_value(PathSegment { ident, arguments });
        if !input.peek(Token![::]) {
            return Ok(Path {
                leading_colon,
                segments,
            });
        }
        segments.push_punct(input.parse()?);
    }
}

/// Whether `frozen` stands before a layer, and is not the name of one.
fn is_frozen(input: ParseStream<'_>) -> bool {
    let word: Result<Ident> = input.fork().parse();
    word.is_ok_and(|word| word == "frozen") && input.peek2(Ident::peek_any)
}

fn is_named(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![:]) && !input.peek2(Token![::])
}

fn arguments(input: ParseStream<'_>, faults: &mut Faults) -> Vec<Argument> {
    let mut arguments = Vec::new();
    while !input.is_empty() {
        match argument(input, faults) {
            Ok(argument) => arguments.push(argument),
            Err(error) => {
                faults.syntax(&error);
                skip_to_comma(input);
            }
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            let what = format!(
                "expected `,` between arguments, found `{}`",
                next_token(input)
            );
            faults.push(Place::at(input.span()), what, "");
            skip_to_comma(input);
        }
        let _: Option<Token![,]> = input.parse().unwrap_or_default();
    }
    arguments
}

fn argument(input: ParseStream<'_>, faults: &mut Faults) -> Result<Argument> {
    let start = Place::at(input.span());
    let mut name = None;
    if is_named(input) {
        // `return` for `returns` is a misspelling like others, not a syntax error.
        name = Some(input.call(Ident::parse_any)?);
        let _: Token![:] = input.parse()?;
    }
    let (mut value, end) = value(input, faults)?;
    if let (None, Value::Expression(expression)) = (&name, &value)
        && let Expr::Assign(assign) = &**expression
        && let Expr::Path(left) = &*assign.left
        && let Some(ident) = left.path.get_ident()
    {
        let right = assign.right.to_token_stream();
        let help = format!("write `{ident}: {right}`");
        faults.push(Place::of(assign), "arguments are named with a colon", help);
        name = Some(ident.clone());
        value = Value::Expression(assign.right.clone());
    }
    Ok(Argument {
        name,
        value,
        place: start.to(end),
    })
}

fn value(input: ParseStream<'_>, faults: &mut Faults) -> Result<(Value, Place)> {
    let ahead = input.fork();
    match ahead.parse::<Expr>() {
        Ok(expression) => {
            input.advance_to(&ahead);
            let place = Place::of(&expression);
            Ok((Value::Expression(Box::new(expression)), place))
        }
        Err(_) if input.peek(token::Paren) => {
            let content;
            let parentheses = parenthesized!(content in input);
            let fields = arguments(&content, faults);
            Ok((Value::Fields(fields), Place::at(parentheses.span.close())))
        }
        Err(_) if input.is_empty() || input.peek(Token![,]) => Err(input.error("expected a value")),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
