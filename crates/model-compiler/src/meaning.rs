//! What a layer of a list is: a built-in one, a function, a network, or a type of the user's; its arguments and its shape rule.

use crate::ast::{Layer, Network, Value};
use crate::builtin::{self, BLOCKS, BUILTINS, Builtin, ELSEWHERE, Role};
use crate::checked::{CheckedLayer, Meaning};
use crate::fault::{Faults, Place};
use crate::function;
use crate::given::{Given, refuse_fields};
use crate::reach::Reach;
use crate::similar::closest;
use plywood_shape::Shape;
use quote::{quote, quote_spanned};
use syn::{Ident, Path};

/// What `layer` is, `turned` round if it is recurrent; `reach` goes on behind it.
pub fn of<'a>(
    layer: &'a Layer,
    name: Ident,
    network: &Network,
    reach: &mut Reach,
    (turned, faults): (bool, &mut Faults),
) -> CheckedLayer<'a> {
    let found = if layer.is_bare() && *layer.kind() == network.name {
        let help = "write the layers out, or give one of both another name";
        faults.push(layer.place, "a network does not stand in itself", help);
        Found::Nothing
    } else {
        identify(layer, faults)
    };
    let input_is_certain = reach.is_certain();
    if matches!(found, Found::Function) {
        return function::check(layer, name, network, reach, faults);
    }
    let Found::Builtin(builtin) = found else {
        *reach = Reach::UNKNOWN;
        return match found {
            Found::Network => within(layer, name),
            Found::Custom => custom(layer, name, faults),
            _ => CheckedLayer::nothing(layer, name),
        };
    };
    let mut given = arguments(builtin, layer, &network.library, faults);
    if turned && builtin.role == Role::Recurrent {
        given.turn_round();
    }
    let unclear = match builtin.role {
        Role::Recurrent => given.is_spoiled(),
        Role::Bidirectional => given.is_spoiled() || given.within().is_none(),
        _ => false,
    };
    if let Some(fault) = reach.advance(|shape| (builtin.plan)(&given, shape)) {
        faults.rule(builtin.place(layer, &fault), &fault);
    } else if unclear {
        *reach = Reach::UNKNOWN;
    }
    let library = &network.library;
    let kind = layer.kind();
    CheckedLayer {
        source: layer,
        name,
        meaning: Meaning::Builtin(builtin),
        kind: quote_spanned!(kind.span()=> #library::__private::layers::#kind),
        declaration: given.declaration(builtin, kind, library),
        output: reach.shape(),
        role: role(builtin, &given),
        is_certain: input_is_certain && given.is_certain(),
        each_step: false,
    }
}

/// A pool's part depends on its arguments.
fn role(builtin: &Builtin, given: &Given) -> Role {
    match builtin.role {
        Role::MaxPool if given.pool_window().is_tiling() => Role::TilingPool,
        role => role,
    }
}

enum Found {
    Builtin(&'static Builtin),
    Network,
    Function,
    Custom,
    Nothing,
}

fn identify(layer: &Layer, faults: &mut Faults) -> Found {
    let own = if layer.is_network() {
        Found::Network
    } else {
        Found::Custom
    };
    if !layer.is_bare() {
        return own;
    }
    let written = layer.kind().to_string();
    if written == function::NAME {
        return Found::Function;
    }
    if let Some(builtin) = builtin::find(&written) {
        return Found::Builtin(builtin);
    }
    let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == written);
    let names = BUILTINS.iter().chain(&BLOCKS).map(|builtin| builtin.name);
    let names = names.chain([function::NAME]);
    let meant = elsewhere
        .map(|(_, name)| *name)
        .or_else(|| closest(&written, names));
    if let Some(meant) = meant {
        let what = format!("there is no layer `{written}`");
        let help = format!(
            "did you mean `{meant}`? (a layer of your own with this name is written `self::{written}()`)"
        );
        faults.push(Place::of(&layer.path), what, help);
        return Found::Nothing;
    }
    own
}

/// A network within the network.
fn within(layer: &Layer, name: Ident) -> CheckedLayer<'_> {
    let path = &layer.path;
    CheckedLayer {
        meaning: Meaning::Network,
        kind: quote!(#path),
        ..CheckedLayer::nothing(layer, name)
    }
}

/// A type of the user's: `Custom::new(positional…).named(value)…`.
fn custom<'a>(layer: &'a Layer, name: Ident, faults: &mut Faults) -> CheckedLayer<'a> {
    let path = &layer.path;
    refuse_block(layer, faults);
    let mut positional = Vec::new();
    let mut named = Vec::new();
    for argument in &layer.arguments {
        let Value::Expression(value) = &argument.value else {
            refuse_fields(layer, argument, faults);
            continue;
        };
        match &argument.name {
            None => positional.push(value),
            Some(name) => named.push(quote_spanned!(name.span()=> .#name(#value))),
        }
    }
    let span = layer.kind().span();
    CheckedLayer {
        source: layer,
        name,
        meaning: Meaning::Custom,
        kind: quote!(#path),
        declaration: quote_spanned!(span=> <#path>::new(#(#positional),*) #(#named)*),
        output: Shape::UNKNOWN,
        role: Role::Plain,
        is_certain: false,
        each_step: false,
    }
}

fn arguments(builtin: &Builtin, layer: &Layer, library: &Path, faults: &mut Faults) -> Given {
    let mut given = Given::read(builtin, layer, library, faults);
    if builtin.role != Role::Bidirectional {
        refuse_block(layer, faults);
        return given;
    }
    let lists = layer.block.as_deref().unwrap_or_default();
    if let [list] = lists
        && let [within] = list.as_slice()
        && let Some(recurrent) = builtin::find(&within.kind().to_string())
        && recurrent.role == Role::Recurrent
        && within.is_bare()
    {
        refuse_block(within, faults);
        if let Some(name) = &within.name {
            let help = "the name stands before `Bidirectional`";
            faults.push(Place::of(name), "this layer takes no name", help);
        }
        given.enclose(
            recurrent.name,
            Given::read(recurrent, within, library, faults),
        );
    } else {
        let what = "`Bidirectional` holds a recurrent layer, or a list with one";
        let help = format!("write `{}`", builtin.example);
        faults.push(layer.place, what, help);
    }
    given
}

/// Notes braces where a layer takes none.
pub fn refuse_block(layer: &Layer, faults: &mut Faults) {
    if layer.block.is_some() {
        let what = format!("`{}` holds no layers in braces", layer.kind());
        faults.push(layer.place, what, "its arguments stand in parentheses");
    }
}
