//! `Activation(Swish)`: a function of the user's, which is a type and a value of it.

use crate::ast::{Argument, Layer, Network, Value};
use crate::builtin::{self, Role};
use crate::checked::{CheckedLayer, Meaning};
use crate::fault::Faults;
use crate::meaning::refuse_block;
use crate::reach::Reach;
use plywood_shape::layers::Pointwise;
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::{Expr, Ident, Path};

/// How it is written in a list.
pub const NAME: &str = "Activation";

/// What the function's type is called.
#[must_use]
pub fn title(layer: &Layer) -> String {
    let written = function(layer).and_then(|(path, _)| path.segments.last());
    written.map_or_else(|| NAME.to_owned(), |last| last.ident.unraw().to_string())
}

/// Checks a layer that is called `Activation`.
pub fn check<'a>(
    layer: &'a Layer,
    name: Ident,
    network: &Network,
    reach: &mut Reach,
    faults: &mut Faults,
) -> CheckedLayer<'a> {
    refuse_block(layer, faults);
    let input_is_certain = reach.is_certain();
    if let Some(fault) = reach.advance(|shape| Pointwise::new(()).plan(shape)) {
        faults.rule(layer.place, &fault);
    }
    let Some((path, value)) = function(layer) else {
        refuse(layer, faults);
        return CheckedLayer {
            output: reach.shape(),
            ..CheckedLayer::nothing(layer, name)
        };
    };
    let (library, span) = (&network.library, layer.kind().span());
    let kind = quote_spanned!(span=> #library::__private::layers::Pointwise<#path>);
    CheckedLayer {
        meaning: Meaning::Function,
        declaration: quote_spanned!(span=> #library::__private::layers::Pointwise::new(#value)),
        kind,
        output: reach.shape(),
        role: Role::Function,
        is_certain: input_is_certain,
        ..CheckedLayer::nothing(layer, name)
    }
}

/// Type and value: `Swish`, `Swish(1.5)`, `Swish { beta: 1.5 }`.
fn function(layer: &Layer) -> Option<(&Path, &Expr)> {
    let [
        Argument {
            name: None,
            value: Value::Expression(value),
            ..
        },
    ] = &layer.arguments[..]
    else {
        return None;
    };
    let path = match &**value {
        Expr::Path(path) => &path.path,
        Expr::Struct(value) => &value.path,
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => &path.path,
            _ => return None,
        },
        _ => return None,
    };
    let last = path.segments.last()?.ident.unraw().to_string();
    let is_type = last.starts_with(|letter: char| letter.is_uppercase());
    let is_built_in = path.segments.len() == 1 && builtin::find(&last).is_some();
    (is_type && !is_built_in).then_some((path, value))
}

fn refuse(layer: &Layer, faults: &mut Faults) {
    let written: String = match &layer.arguments[..] {
        [argument] => match &argument.value {
            Value::Expression(value) => quote::quote!(#value).to_string(),
            Value::Fields(_) => String::new(),
        },
        _ => String::new(),
    };
    let plain = written.trim_matches('"');
    let built_in = builtin::BUILTINS.iter();
    let names = built_in.map(|builtin| (builtin.name, builtin.name));
    let mut names = names.chain(builtin::ELSEWHERE.iter().copied());
    let meant = names.find(|(name, _)| name.eq_ignore_ascii_case(plain));
    let what = "`Activation` takes a function of yours";
    let help = match meant {
        Some((_, meant)) => format!("a built-in one stands in the list by itself: `{meant}`"),
        None => "write its type, and its numbers where it has any: `Activation(Swish)`, `Activation(Swish(1.5))`".to_owned(),
    };
    faults.push(layer.place, what, help);
}
