//! From syntax to meaning: every layer is identified, its arguments are read and its shape rule is asked.
//!
//! The rules are those of `plywood-shape`, the very functions that generated code evaluates again. Here they report
//! earlier and better; what cannot be read here is left to them.

use crate::ast::{Layer, Network, Value};
use crate::builtin::{self, BLOCKS, BUILTINS, Builtin, ELSEWHERE, Role};
use crate::fault::{Faults, Place};
use crate::function;
use crate::given::Given;
use crate::kinds::{is_certain, shape_of};
use crate::names::Names;
use crate::project;
use crate::reach::Reach;
use crate::similar::closest;
use crate::unroll::{Instance, Item, unroll};
use plywood_shape::layers::Join;
use plywood_shape::{Shape, chain};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{GenericParam, Ident, Path};

/// A network whose layers are known.
#[derive(Debug)]
pub struct Checked<'a> {
    /// As it was written.
    pub network: &'a Network,
    /// The layers and junctions, in the order in which they are computed.
    pub layers: Vec<CheckedLayer<'a>>,
    /// What the list consists of.
    pub list: Vec<Node>,
    /// Whether everything was checked here: nothing is left to constant evaluation.
    pub is_certain: bool,
}

impl Checked<'_> {
    /// The positions of the layers that each layer reads; `None` for the network's input.
    #[must_use]
    pub fn sources(&self) -> Vec<Vec<Option<usize>>> {
        fn list(
            nodes: &[Node],
            mut before: Option<usize>,
            sources: &mut Vec<Vec<Option<usize>>>,
        ) -> Option<usize> {
            for node in nodes {
                match node {
                    Node::Layer(_) => sources.push(vec![before]),
                    Node::Block { lists, .. } => {
                        let ends: Vec<_> = lists
                            .iter()
                            .map(|nodes| list(nodes, before, sources))
                            .collect();
                        sources.push(ends);
                    }
                }
                before = Some(sources.len() - 1);
            }
            before
        }
        let mut sources = Vec::new();
        list(&self.list, None, &mut sources);
        sources
    }
}

/// What a list consists of, by positions among the layers.
#[derive(Clone, Debug)]
pub enum Node {
    /// A layer.
    Layer(usize),
    /// Lists that read the same input, and the junction that they end in.
    Block {
        /// The junction.
        junction: usize,
        /// The lists; an empty one is the input itself.
        lists: Vec<Vec<Node>>,
    },
}

/// A layer whose meaning is known.
#[derive(Debug)]
pub struct CheckedLayer<'a> {
    /// As it was written.
    pub source: &'a Layer,
    /// The name, given or made.
    pub name: Ident,
    /// What it is.
    pub meaning: Meaning,
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
    /// Whether it is applied to every step of a sequence alone.
    pub each_step: bool,
}

/// What a layer is.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// A built-in layer.
    Builtin(&'static Builtin),
    /// The junction of a block.
    Junction(Join),
    /// A network within the network.
    Network,
    /// A function of the user's, number by number.
    Function,
    /// A type of the user's.
    Custom,
}

impl CheckedLayer<'_> {
    /// What it is called in tables: the kind as it was written, or that of the layer that goes around a block.
    #[must_use]
    pub fn title(&self) -> String {
        match self.meaning {
            Meaning::Builtin(builtin) => builtin.name.to_owned(),
            Meaning::Function => function::title(self.source),
            _ => self.source.kind().unraw().to_string(),
        }
    }

    /// Whether it is a type of the user's.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        matches!(self.meaning, Meaning::Custom)
    }

    /// Whether it is a network.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self.meaning, Meaning::Network)
    }

    /// Whether training leaves its numbers as they are.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.source.frozen.is_some()
    }

    /// Whether training has numbers to change, as far as that can be read.
    #[must_use]
    pub fn is_trained(&self) -> bool {
        self.owns_numbers() && !self.is_frozen()
    }

    /// Whether it has parameters or running state, as every layer of the user's may.
    #[must_use]
    pub fn owns_numbers(&self) -> bool {
        match self.meaning {
            Meaning::Builtin(builtin) => builtin.owns_numbers,
            Meaning::Junction(_) | Meaning::Function => false,
            Meaning::Custom | Meaning::Network => true,
        }
    }
}

/// Checks a whole network; what is wrong is noted in `faults`.
pub fn check<'a>(network: &'a Network, faults: &mut Faults) -> Checked<'a> {
    generics(network, faults);
    let items = unroll(&network.layers, &network.library);
    let mut instances = Vec::new();
    Item::flat(&items, &mut instances);
    let mut reach = Reach::of(shape_of(&network.input));
    let names = Names::of(&instances, faults);
    reach.refuse_empty(&network.input, faults);
    let mut checker = Checker {
        network,
        names,
        layers: Vec::new(),
        is_certain: reach.is_certain(),
        faults,
    };
    let list = checker.list(&items, &mut reach);
    let Checker {
        layers,
        mut is_certain,
        faults,
        ..
    } = checker;
    match network.layers.last() {
        Some(last) => output(network, last, reach, faults),
        None => {
            let what = format!("the network `{}` has no layers", network.name);
            let help = "write them in the braces: `{ Dense(64), Relu, Dense(10) }`";
            faults.push(Place::of(&network.name), what, help);
        }
    }
    is_certain &= shape_of(&network.output).is_some_and(self::is_certain);
    Checked {
        network,
        layers,
        list,
        is_certain,
    }
}

/// On the way through the lists.
struct Checker<'a, 'f> {
    network: &'a Network,
    names: Names,
    layers: Vec<CheckedLayer<'a>>,
    is_certain: bool,
    faults: &'f mut Faults,
}

impl<'a> Checker<'a, '_> {
    fn list(&mut self, items: &[Item<'a>], reach: &mut Reach) -> Vec<Node> {
        let nodes = items.iter().filter_map(|item| match item {
            Item::Layer(instance) => Some(self.layer(instance, reach)),
            Item::Block(instance, join, lists) => Some(self.block(instance, *join, lists, reach)),
            Item::Fault(fault) => {
                self.faults.push(fault.place, &*fault.what, &*fault.help);
                None
            }
            Item::Projection(_) => unreachable!("a projection is a list of its own"),
        });
        nodes.collect()
    }

    /// The layer on the way around a block, from what reaches the block to what its list yields.
    fn projection(&mut self, instance: &Instance<'a>, from: Reach, to: Reach) -> (Node, Reach) {
        let source = instance.source;
        let name = self.names.get(self.layers.len());
        let is_known = from.is_certain() && to.is_certain();
        let span = source.kind().span();
        let made = is_known
            .then(|| project::between(from.shape(), to.shape(), &self.network.library, span))
            .flatten();
        let Some(made) = made else {
            if is_known || self.faults.is_empty() {
                let (what, help) = no_projection(is_known, from.shape(), to.shape());
                self.faults.push(Place::of(&source.path), what, help);
            }
            return (
                Node::Layer(self.push(nothing(source, name))),
                Reach::UNKNOWN,
            );
        };
        let layer = CheckedLayer {
            source,
            name,
            meaning: Meaning::Builtin(made.builtin),
            kind: made.kind,
            declaration: made.declaration,
            output: to.shape(),
            role: made.builtin.role,
            is_certain: true,
            each_step: false,
        };
        (Node::Layer(self.push(layer)), to)
    }

    fn layer(&mut self, instance: &Instance<'a>, reach: &mut Reach) -> Node {
        let name = self.names.get(self.layers.len());
        let known = self.faults.iter().len();
        let layer = if instance.each_step {
            self.step(instance.source, name, reach)
        } else {
            one(instance.source, name, self.network, reach, self.faults)
        };
        // What is wrong with a layer that is repeated was said the first time, or comes of the shape that reaches it now.
        if !instance.is_first() && self.is_said(known) {
            self.faults.truncate(known);
        }
        Node::Layer(self.push(layer))
    }

    /// A layer that is applied to every step of a sequence alone.
    fn step(&mut self, source: &'a Layer, name: Ident, reach: &mut Reach) -> CheckedLayer<'a> {
        let (mut step, fault) = reach.step();
        let is_certain = reach.is_certain();
        if let Some(fault) = &fault {
            let (what, help) = (fault.what(), fault.help());
            self.faults.push(source.place, what.as_str(), help.as_str());
            step = Reach::UNKNOWN;
        }
        let layer = one(source, name, self.network, &mut step, self.faults);
        *reach = match fault {
            Some(_) => Reach::UNKNOWN,
            None => step.in_sequence(),
        };
        CheckedLayer {
            output: reach.shape(),
            is_certain: layer.is_certain && is_certain,
            each_step: true,
            ..layer
        }
    }

    /// Whether the faults from number `known` on repeat others.
    fn is_said(&self, known: usize) -> bool {
        let mut faults = self.faults.iter();
        let before: Vec<_> = faults
            .by_ref()
            .take(known)
            .map(|fault| &fault.what)
            .collect();
        faults.all(|fault| before.contains(&&fault.what))
    }

    fn block(
        &mut self,
        instance: &Instance<'a>,
        join: Join,
        lists: &[Vec<Item<'a>>],
        reach: &mut Reach,
    ) -> Node {
        let source = instance.source;
        let (mut nodes, mut outputs) = (Vec::new(), Vec::new());
        for list in lists {
            let mut output = *reach;
            if let ([Item::Projection(around)], Some(target)) = (&list[..], outputs.last()) {
                let (node, projected) = self.projection(around, *reach, *target);
                nodes.push(vec![node]);
                output = projected;
            } else {
                nodes.push(self.list(list, &mut output));
            }
            outputs.push(output);
        }
        let (output, fault) = reach.join(&outputs, join);
        if let Some(fault) = fault {
            let (what, help) = (fault.what(), fault.help());
            let place = Place::of(&source.path);
            self.faults.push(place, what.as_str(), help.as_str());
        }
        let is_certain = reach.is_certain() && outputs.iter().all(|output| output.is_certain());
        *reach = output;
        let library = &self.network.library;
        let span = source.kind().span();
        let root = quote_spanned!(span=> #library::__private::layers);
        let declaration = match join {
            Join::Residual => quote_spanned!(span=> #root::Join::Residual),
            Join::Add => quote_spanned!(span=> #root::Join::Add),
            Join::Outputs => quote_spanned!(span=> #root::Join::Outputs),
            Join::Concat(axis) => {
                let axis = Ident::new(&format!("{axis:?}"), span);
                quote_spanned!(span=> #root::Join::Concat(#root::Axis::#axis))
            }
        };
        let layer = CheckedLayer {
            source,
            name: self.names.get(self.layers.len()),
            meaning: Meaning::Junction(join),
            kind: quote_spanned!(span=> #root::Join),
            declaration,
            output: reach.shape(),
            role: Role::Junction,
            is_certain,
            each_step: false,
        };
        Node::Block {
            junction: self.push(layer),
            lists: nodes,
        }
    }

    /// The position of a layer that is added.
    fn push(&mut self, layer: CheckedLayer<'a>) -> usize {
        self.is_certain &= layer.is_certain;
        self.layers.push(layer);
        self.layers.len() - 1
    }
}

fn generics(network: &Network, faults: &mut Faults) {
    for parameter in &network.generics.params {
        let place = Place::of(parameter);
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

/// Why there is no layer on the way around a block.
fn no_projection(is_known: bool, from: Shape, to: Shape) -> (String, &'static str) {
    if is_known {
        let what = format!("Residual has no projection that makes {to} of {from}");
        let help = "a projection changes the features, and divides the sides of an image";
        return (what, help);
    }
    let what = "`project: true` needs sizes that can be read here".to_owned();
    let help = "write the way around as a list: `Add { { … }, { Dense(SIZE) } }`";
    (what, help)
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
    if matches!(found, Found::Function) {
        return function::check(layer, name, network, reach, faults);
    }
    let Found::Builtin(builtin) = found else {
        *reach = Reach::UNKNOWN;
        return match found {
            Found::Network => within(layer, name),
            Found::Custom => custom(layer, name, faults),
            _ => nothing(layer, name),
        };
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
    let is_network = !layer.is_called && layer.block.is_none();
    let own = if is_network {
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

/// A layer that stands for one that could not be identified; nothing is generated from it.
pub(crate) fn nothing(layer: &Layer, name: Ident) -> CheckedLayer<'_> {
    CheckedLayer {
        source: layer,
        name,
        meaning: Meaning::Custom,
        kind: TokenStream::new(),
        declaration: TokenStream::new(),
        output: Shape::UNKNOWN,
        role: Role::Plain,
        is_certain: false,
        each_step: false,
    }
}

/// A network within the network.
fn within(layer: &Layer, name: Ident) -> CheckedLayer<'_> {
    let path = &layer.path;
    CheckedLayer {
        meaning: Meaning::Network,
        kind: quote!(#path),
        ..nothing(layer, name)
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
        let what = "`Bidirectional` holds one recurrent layer";
        let help = format!("write `{}`", builtin.example);
        faults.push(layer.place, what, help);
    }
    given
}

pub(crate) fn refuse_block(layer: &Layer, faults: &mut Faults) {
    if layer.block.is_some() {
        let what = format!("`{}` holds no layers in braces", layer.kind());
        faults.push(layer.place, what, "its arguments stand in parentheses");
    }
}

#[cfg(test)]
mod tests;
