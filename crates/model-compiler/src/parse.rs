//! Tokens to syntax tree, leniently: what cannot be read is noted and skipped up to the next comma.

use crate::ast::{Argument, Layer, Network, Value};
use crate::fault::{Fault, Faults, Place};
use proc_macro2::extra::DelimSpan;
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::{AnyDelimiter, Speculative};
use syn::parse::{ParseBuffer, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, Attribute, Expr, Generics, Ident, Path, PathArguments,
    PathSegment, Token, Visibility, parse_quote, token,
};

/// How a network is written, for whoever has begun it otherwise.
const FORM: &str = "write `pub Name: Input => Output { layers }`";

/// What was read, or why it could not be.
type Read<T> = Result<T, Fault>;

/// Reads a network; what is wrong with it is noted in `faults`. `None` where its head, before the braces, cannot be read.
pub fn parse(tokens: TokenStream, faults: &mut Faults) -> Option<Network> {
    let last = tokens.clone().into_iter().last();
    let mut whole = Group::new(Delimiter::Brace, tokens);
    // What is missing at the end is reported at the last token.
    whole.set_span(last.map_or_else(Span::call_site, |last| last.span()));
    let parser = |input: ParseStream<'_>| {
        let read = group(input).and_then(|(_, input)| {
            let read = network(&input, faults);
            let _: TokenStream = input.parse()?;
            read
        });
        Ok(read)
    };
    let read = parser
        .parse2(TokenTree::Group(whole).into())
        .unwrap_or_else(|error| Err(error.into()));
    match read {
        Ok(network) => return Some(network),
        // After `struct`, whatever follows is another language.
        Err(fault) if faults.is_empty() => faults.add(fault),
        Err(_) => {}
    }
    None
}

fn network(input: ParseStream<'_>, faults: &mut Faults) -> Read<Network> {
    let mut attributes = input.call(Attribute::parse_outer)?;
    let library = library(&mut attributes, faults);
    let visibility: Visibility = input.parse()?;
    if let Ok(Some(word)) = input.parse::<Option<Token![struct]>>() {
        let what = "a network starts with its name, without `struct`";
        faults.push(Place::of(&word), what, FORM);
    }
    let name = head(input, "the name of the network")?;
    let mut generics: Generics = head(input, "sizes left open, such as `<const N: usize>`")?;
    if let Err(fault) = head::<Token![:]>(input, "`:` behind the name") {
        goes_on(input, fault, faults)?;
    }
    let from = head(input, "what the network takes")?;
    if input.peek(Token![->]) {
        let arrow: Token![->] = input.parse()?;
        faults.push(Place::of(&arrow), "the output stands behind `=>`", FORM);
    } else if let Err(fault) = head::<Token![=>]>(input, "`=>` behind the input") {
        goes_on(input, fault, faults)?;
    }
    let to = head(input, "what the network yields")?;
    generics.where_clause = input.parse()?;
    let layers = layers(input, faults)?;
    if !input.is_empty() {
        let place = Place::at(input.span());
        let help = "give the next one a `model!` of its own";
        faults.push(place, "one `model!` declares one network", help);
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
fn library(attributes: &mut Vec<Attribute>, faults: &mut Faults) -> Path {
    let mut library = parse_quote!(::plywood);
    for attribute in attributes.iter().filter(|a| a.path().is_ident("plywood")) {
        let read = attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("another word"));
            }
            library = meta.value()?.parse()?;
            Ok(())
        });
        if read.is_err() {
            let what = "the attribute `plywood` says where the library is";
            let help = "write `#[plywood(crate = path)]`";
            faults.push(Place::of(attribute), what, help);
        }
    }
    attributes.retain(|attribute| !attribute.path().is_ident("plywood"));
    library
}

/// Reads a part of the head.
fn head<P: syn::parse::Parse>(input: ParseStream<'_>, expected: &str) -> Read<P> {
    input
        .parse()
        .map_err(|_| missing(input, &format!("expected {expected}"), FORM))
}

/// Notes that something is missing where the next type follows all the same.
fn goes_on(input: ParseStream<'_>, fault: Fault, faults: &mut Faults) -> Read<()> {
    if input.peek(Ident) || input.peek(Token![::]) {
        faults.add(fault);
        return Ok(());
    }
    Err(fault)
}

/// The list in braces. Where nothing follows there are no layers, which the check finds.
fn layers(input: ParseStream<'_>, faults: &mut Faults) -> Read<Vec<Layer>> {
    if input.is_empty() {
        return Ok(Vec::new());
    }
    let Ok((delimiter, span, content)) = input.parse_any_delimiter() else {
        return Err(missing(input, "expected the layers in braces", FORM));
    };
    if delimiter != Delimiter::Brace {
        faults.push(Place::at(span.open()), "the layers stand in braces", FORM);
    }
    Ok(list(&content, faults))
}

/// What stands in parentheses or braces.
fn group<'a>(input: ParseStream<'a>) -> Read<(DelimSpan, ParseBuffer<'a>)> {
    let (_, span, content) = input.parse_any_delimiter()?;
    Ok((span, content))
}

/// Something else than `what` says, or nothing, stands here.
fn missing(input: ParseStream<'_>, what: &str, help: &str) -> Fault {
    let found = input.cursor().token_tree();
    let found = found.map(|(token, _)| format!(", found `{}`", short(&token)));
    Fault {
        place: Place::at(input.span()),
        what: format!("{what}{}", found.unwrap_or_default()),
        help: help.to_owned(),
    }
}

/// A token as messages show it: of a group, its first delimiter.
fn short(token: &TokenTree) -> String {
    let TokenTree::Group(group) = token else {
        return token.to_string();
    };
    match group.delimiter() {
        Delimiter::Parenthesis => "(".to_owned(),
        Delimiter::Brace => "{".to_owned(),
        Delimiter::Bracket => "[".to_owned(),
        Delimiter::None => group.to_string(),
    }
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
            Err(fault) => {
                faults.add(fault);
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
    let what = format!("expected `,` after `{}`", layer.kind());
    faults.add(missing(input, &what, "layers are separated by commas"));
    let semicolon: syn::Result<Option<Token![;]>> = input.parse();
    let goes_on = input.peek(Ident::peek_any) || matches!(semicolon, Ok(Some(_)));
    if !goes_on {
        skip_to_comma(input);
    }
}

/// What was skipped.
fn skip_to_comma(input: ParseStream<'_>) -> TokenStream {
    let mut skipped = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        let token: syn::Result<TokenTree> = input.parse();
        let Ok(token) = token else {
            break;
        };
        skipped.extend([token]);
    }
    skipped
}

fn layer(input: ParseStream<'_>, faults: &mut Faults) -> Read<Layer> {
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
        return Err(Fault {
            place: Place::at(input.span()),
            what: "a list within a list needs to be a block".to_owned(),
            help: "write `Concat { { … }, { … } }`, or leave the braces out".to_owned(),
        });
    }
    let starts_a_path = input.peek(Ident::peek_any) || input.peek(Token![::]);
    if !starts_a_path {
        return Err(no_layer(input, name.as_ref()));
    }
    let path = path(input)?;
    let mut place = Place::of(&path);
    let mut arguments = Vec::new();
    let mut is_whole = true;
    let is_called = input.peek(token::Paren) || input.peek(syn::Lit);
    if input.peek(token::Paren) {
        let (span, content) = group(input)?;
        place.end = span.close();
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
        let (span, content) = group(input)?;
        place.end = span.close();
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

/// What stands here, behind a name or not, is no layer.
fn no_layer(input: ParseStream<'_>, name: Option<&Ident>) -> Fault {
    let Some(name) = name else {
        return missing(input, "expected a layer", "write one like `Dense(64)`");
    };
    let what = format!("expected a layer behind `{name}:`");
    let help = format!("write one like `{name}: Dense(64)`");
    let mut fault = missing(input, &what, &help);
    if input.is_empty() {
        fault.place = Place::of(name);
    }
    fault
}

fn docs(input: ParseStream<'_>, faults: &mut Faults) -> Read<Vec<Attribute>> {
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
        if let Ok((_, content)) = group(input) {
            lists.push(list(&content, faults));
        }
        let _: Option<Token![,]> = input.parse().unwrap_or_default();
    }
    if !input.is_empty() {
        let help = "every list has braces of its own: `{ { … }, { … } }`";
        faults.add(missing(input, "expected another list in braces", help));
        lists.push(list(input, faults));
    }
    lists
}

/// A path as types are written, but for a parenthesis, which belongs to the layer.
fn path(input: ParseStream<'_>) -> Read<Path> {
    let leading_colon = input.parse()?;
    let mut segments = Punctuated::new();
    loop {
        let Ok(ident) = input.call(Ident::parse_any) else {
            let help = "write the path of a layer or a network: `self::Mine()`";
            return Err(missing(input, "expected a name behind `::`", help));
        };
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
    let word: syn::Result<Ident> = input.fork().parse();
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
            Err(fault) => {
                faults.add(fault);
                skip_to_comma(input);
            }
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            let help = "arguments are separated by commas";
            faults.add(missing(input, "expected `,` between arguments", help));
            skip_to_comma(input);
        }
        let _: Option<Token![,]> = input.parse().unwrap_or_default();
    }
    arguments
}

fn argument(input: ParseStream<'_>, faults: &mut Faults) -> Read<Argument> {
    let start = Place::at(input.span());
    let mut name = None;
    if is_named(input) {
        // `return` for `returns` is a misspelling like others, not a syntax error.
        name = Some(input.call(Ident::parse_any)?);
        let _: Token![:] = input.parse()?;
    }
    let (mut value, end) = value(input, name.as_ref(), faults)?;
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

fn value(
    input: ParseStream<'_>,
    name: Option<&Ident>,
    faults: &mut Faults,
) -> Read<(Value, Place)> {
    let ahead = input.fork();
    if let Ok(expression) = ahead.parse::<Expr>() {
        input.advance_to(&ahead);
        let place = Place::of(&expression);
        return Ok((Value::Expression(Box::new(expression)), place));
    }
    if input.peek(token::Paren) {
        let (span, content) = group(input)?;
        let fields = arguments(&content, faults);
        return Ok((Value::Fields(fields), Place::at(span.close())));
    }
    let help = name.map(|name| format!("write one behind the colon: `{name}: …`"));
    let help = help.unwrap_or_default();
    let mut fault = missing(input, "expected a value", &help);
    let skipped = skip_to_comma(input);
    if !skipped.is_empty() {
        fault.place = Place::of(&skipped);
        fault.what = format!("expected a value, found `{skipped}`");
    }
    Err(fault)
}

#[cfg(test)]
mod tests;
