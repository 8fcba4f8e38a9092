//! From syntax to meaning: every layer is identified, its arguments are read and its shape rule is asked.
//!
//! The rules are those of `plywood-shape`, the very functions that generated code evaluates again. Here they report
//! earlier and better; what cannot be read here is left to them.

use crate::ast::{Layer, Network, Value};
use crate::builtin::{self, BLOCKS, BUILTINS, Builtin, ELSEWHERE, Role};
use crate::fault::Faults;
use crate::given::Given;
use crate::kinds::{is_certain, shape_of};
use crate::names::Names;
use crate::reach::Reach;
use crate::similar::closest;
use plywood_shape::{Shape, chain};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{GenericParam, Ident, Path};

/// A network whose layers are known.
#[derive(Debug)]
pub struct Checked<'a> {
    /// As it was written.
    pub network: &'a Network,
    /// The layers, in order.
    pub layers: Vec<CheckedLayer<'a>>,
    /// Whether everything was checked here: nothing is left to constant evaluation.
    pub is_certain: bool,
}

/// A layer whose meaning is known.
#[derive(Debug)]
pub struct CheckedLayer<'a> {
    /// As it was written.
    pub source: &'a Layer,
    /// The name, given or made.
    pub name: Ident,
    /// The built-in layer that it is; `None` for a type of the user's.
    pub builtin: Option<&'static Builtin>,
    /// Its type in generated code.
    pub kind: TokenStream,
    /// The expression that declares it.
    pub declaration: TokenStream,
    /// What comes out, as far as it can be read here.
    pub output: Shape,
    /// Its part in fusing.
    pub role: Role,
    /// Whether nothing about the layer is left to constant evaluation.
    pub is_certain: bool,
}

impl CheckedLayer<'_> {
    /// Whether it has parameters or running state, as every layer of the user's may.
    #[must_use]
    pub fn owns_numbers(&self) -> bool {
        self.builtin.is_none_or(|builtin| builtin.owns_numbers)
    }
}

/// Checks a whole network; what is wrong is noted in `faults`.
pub fn check<'a>(network: &'a Network, faults: &mut Faults) -> Checked<'a> {
    generics(network, faults);
    let names = Names::of(&network.layers, faults);
    let mut reach = Reach::of(shape_of(&network.input));
    reach.refuse_empty(&network.input, faults);
    let mut is_certain = reach.is_certain();
    let mut layers = Vec::new();
    for (index, layer) in network.layers.iter().enumerate() {
        let name = names.get(index);
        let checked = one(layer, name, network, &mut reach, faults);
        is_certain &= checked.is_certain;
        layers.push(checked);
    }
    match network.layers.last() {
        Some(last) => output(network, last, reach, faults),
        None => {
            let what = format!("the network `{}` has no layers", network.name);
            let help = "write them in the braces: `{ Dense(64), Relu, Dense(10) }`";
            faults.push(crate::fault::Place::of(&network.name), what, help);
        }
    }
    is_certain &= shape_of(&network.output).is_some_and(self::is_certain);
    Checked {
        network,
        layers,
        is_certain,
    }
}

fn generics(network: &Network, faults: &mut Faults) {
    for parameter in &network.generics.params {
        let place = crate::fault::Place::of(parameter);
        match parameter {
            GenericParam::Const(size) if size.ident == "T" => {
                faults.push(
                    place,
                    "`T` is the type a network computes in",
                    "name the size otherwise",
                );
            }
            GenericParam::Const(_) => {}
            _ => {
                let help = "write `<const N: usize>`";
                faults.push(place, "a network leaves nothing open but sizes", help);
            }
        }
    }
}

/// Compares what the list yields with what the network declares.
fn output(network: &Network, last: &Layer, reach: Reach, faults: &mut Faults) {
    let Some(declared) = shape_of(&network.output) else {
        return;
    };
    if let Some(fault) = reach.fault(|shape| chain::output_fault(shape, declared)) {
        let (what, help) = (fault.what(), fault.help());
        faults.push(last.place, what.as_str(), help.as_str());
    }
}

fn one<'a>(
    layer: &'a Layer,
    name: Ident,
    network: &Network,
    reach: &mut Reach,
    faults: &mut Faults,
) -> CheckedLayer<'a> {
    let found = identify(layer, faults);
    let input_is_certain = reach.is_certain();
    let Found::Builtin(builtin) = found else {
        *reach = Reach::UNKNOWN;
        if matches!(found, Found::Nothing) {
            return nothing(layer, name);
        }
        return custom(layer, name, faults);
    };
    let given = arguments(builtin, layer, &network.library, faults);
    let unclear =
        given.is_spoiled() && matches!(builtin.role, Role::Recurrent | Role::Bidirectional);
    if let Some(fault) = reach.advance(|shape| (builtin.plan)(&given, shape)) {
        let (what, help) = (fault.what(), fault.help());
        faults.push(layer.place, what.as_str(), help.as_str());
    } else if unclear {
        *reach = Reach::UNKNOWN;
    }
    let library = &network.library;
    let kind = layer.kind();
    CheckedLayer {
        source: layer,
        name,
        builtin: Some(builtin),
        kind: quote_spanned!(kind.span()=> #library::__private::layers::#kind),
        declaration: given.declaration(builtin, kind, library),
        output: reach.shape(),
        role: role(builtin, &given),
        is_certain: input_is_certain && given.is_certain(),
    }
}

/// A pool's part depends on its arguments.
fn role(builtin: &Builtin, given: &Given) -> Role {
    if builtin.role == Role::MaxPool && given.pool_window().is_tiling() {
        return Role::TilingPool;
    }
    builtin.role
}

enum Found {
    Builtin(&'static Builtin),
    Custom,
    Nothing,
}

fn identify(layer: &Layer, faults: &mut Faults) -> Found {
    if !layer.is_bare() {
        return Found::Custom;
    }
    let written = layer.kind().to_string();
    if let Some(builtin) = builtin::find(&written) {
        return Found::Builtin(builtin);
    }
    if BLOCKS.contains(&written.as_str()) {
        let what = format!("the block `{written}` is not there yet");
        faults.push(
            layer.place,
            what,
            "lists are flat but for `Bidirectional { … }`",
        );
        return Found::Nothing;
    }
    let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == written);
    let names = BUILTINS.iter().map(|builtin| builtin.name).chain(BLOCKS);
    let meant = elsewhere
        .map(|(_, name)| *name)
        .or_else(|| closest(&written, names));
    if let Some(meant) = meant {
        let what = format!("there is no layer `{written}`");
        let help = format!(
            "did you mean `{meant}`? (a layer of your own with this name is written `self::{written}`)"
        );
        faults.push(crate::fault::Place::of(&layer.path), what, help);
        return Found::Nothing;
    }
    Found::Custom
}

/// A layer that stands for one that could not be identified; nothing is generated from it.
fn nothing(layer: &Layer, name: Ident) -> CheckedLayer<'_> {
    CheckedLayer {
        source: layer,
        name,
        builtin: None,
        kind: TokenStream::new(),
        declaration: TokenStream::new(),
        output: Shape::UNKNOWN,
        role: Role::Plain,
        is_certain: false,
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
            let what = format!("an argument of `{}` is an expression", layer.kind());
            faults.push(
                argument.place,
                what,
                "name one argument at a time: `name: value`",
            );
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
        builtin: None,
        kind: quote!(#path),
        declaration: quote_spanned!(span=> <#path>::new(#(#positional),*) #(#named)*),
        output: Shape::UNKNOWN,
        role: Role::Plain,
        is_certain: false,
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
            faults.push(
                crate::fault::Place::of(name),
                "this layer takes no name",
                help,
            );
        }
        given.enclose(
            recurrent.name,
            Given::read(recurrent, within, library, faults),
        );
    } else {
        let what = "`Bidirectional` holds one recurrent layer";
        let help = format!("write `{}`", builtin.example);
        faults.push(layer.place, what, help);
    }
    given
}

fn refuse_block(layer: &Layer, faults: &mut Faults) {
    if layer.block.is_some() {
        let what = format!("`{}` holds no layers in braces", layer.kind());
        faults.push(layer.place, what, "its arguments stand in parentheses");
    }
}

#[cfg(test)]
mod tests;
